#include "http/site.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "support/catch.hpp"
#include "support/pieces.hpp"

namespace chatd::http {
namespace {

std::string shown(const std::optional<Site>& site) {
  if (!site) return "none";
  return site->host + (site->port ? ' ' + std::to_string(*site->port) : "");
}

std::vector<Site> sites(const std::vector<std::string_view>& texts) {
  std::vector<Site> all;
  for (const auto text : texts) all.push_back(Site::parse(text).value());
  return all;
}

std::vector<WebOrigin> origins(const std::vector<std::string_view>& texts) {
  std::vector<WebOrigin> all;
  for (const auto text : texts) all.push_back(WebOrigin::parse(text).value());
  return all;
}

}  // namespace

TEST_CASE("site: what is a host with a port, and how it is compared", "[http][site]") {
  struct Row {
    std::string_view text;
    std::string_view site;
  };
  static constexpr auto kRows = std::to_array<Row>({
      {"example.org", "example.org"},
      {"Example.ORG.", "example.org"},
      {"example.org.:8080", "example.org 8080"},
      {"example.org:80", "example.org 80"},
      {"example.org:65535", "example.org 65535"},
      {"a_b-c.d", "a_b-c.d"},
      {"localhost", "localhost"},
      {"192.0.2.7:1", "192.0.2.7 1"},
      {"[::1]", "[::1]"},
      {"[0:0:0:0:0:0:0:1]:8080", "[::1] 8080"},
      {"[2001:DB8::0001]", "[2001:db8::1]"},
      {"[::ffff:192.0.2.7]", "[::ffff:192.0.2.7]"},
      {"", "none"},
      {".", "none"},
      {"..", "none"},
      {"a..b", "none"},
      {"a..", "none"},
      {".a", "none"},
      {":80", "none"},
      {"a:", "none"},
      {"a:0", "none"},
      {"a:65536", "none"},
      {"a:000080", "none"},
      {"a:+80", "none"},
      {"a: 80", "none"},
      {"a:80:80", "none"},
      {"a:80/", "none"},
      {"a/b", "none"},
      {"a b", "none"},
      {"a,b", "none"},
      {"a@b", "none"},
      {"a%62", "none"},
      {"*", "none"},
      {"*.example.org", "none"},
      {"\xC3\xBC.example", "none"},
      {"::1", "none"},
      {"[::1", "none"},
      {"[::1]x", "none"},
      {"[::1]]", "none"},
      {"[]", "none"},
      {"[fe80::1%25eth0]", "none"},
      {"[192.0.2.7]", "none"},
      {"[::1]:", "none"},
      {"[1:2:3:4:5:6:7:8:9]", "none"},
      {"[11111111111111111111111111111111111111111111111111]", "none"},
      {test::bytes_of("[::1\0]"), "none"},
      {test::bytes_of("a\0"), "none"},
  });
  for (const auto& [text, site] : kRows) {
    INFO(escaped(text));
    CHECK(shown(Site::parse(text)) == site);
  }
  CHECK(Site::parse(std::string(253, 'a')));
  CHECK(Site::parse(std::string(253, 'a') + '.'));
  CHECK_FALSE(Site::parse(std::string(254, 'a')));
}

TEST_CASE("site: what is the origin of a page", "[http][site]") {
  for (const std::string_view good :
       {"http://example.org", "https://example.org", "HTTPS://Example.org:8443", "http://[::1]"}) {
    INFO(good);
    CHECK(WebOrigin::parse(good));
  }
  for (const std::string_view none :
       {"", "null", "*", "example.org", "http:", "http://", "https:///", "http://example.org/",
        "http://a http://b", "http://a, http://b", "ftp://example.org", "file://",
        "chrome-extension://abcdef", "https://user@example.org", "ws://example.org",
        " http://example.org", "http ://example.org", "://example.org", "https:example.org"}) {
    INFO(none);
    CHECK_FALSE(WebOrigin::parse(none));
  }
  CHECK(WebOrigin::parse("https://a") == WebOrigin::parse("https://A.:443"));
  CHECK_FALSE(WebOrigin::parse("https://a") == WebOrigin::parse("http://a"));
  CHECK_FALSE(WebOrigin::parse("http://a") == WebOrigin::parse("http://a:443"));
  CHECK_FALSE(WebOrigin::parse("http://a:443") == WebOrigin::parse("https://a"));
}

TEST_CASE("site: a page may connect to where it came from, and from where it is allowed",
          "[http][site]") {
  struct Row {
    std::string_view origin;
    std::string_view host;
    bool may;
  };
  static constexpr auto kRows = std::to_array<Row>({
      // Its own.
      {"http://example.org", "example.org", true},
      {"https://example.org", "example.org", true},
      {"http://Example.org", "EXAMPLE.org", true},
      {"http://example.org", "example.org:80", true},
      {"https://example.org", "example.org:443", true},
      {"https://example.org:443", "example.org", true},
      {"http://example.org:8080", "example.org:8080", true},
      {"http://example.org.", "example.org", true},
      {"http://[::1]:8080", "[0:0::1]:8080", true},
      {"http://127.0.0.1:8080", "127.0.0.1:8080", true},
      // Not quite.
      {"http://example.org", "example.org:443", false},
      {"https://example.org", "example.org:80", false},
      {"http://example.org:8080", "example.org", false},
      {"http://example.org", "example.org:8080", false},
      {"http://example.org:8080", "example.org:8081", false},
      {"http://www.example.org", "example.org", false},
      {"http://example.org", "www.example.org", false},
      {"http://example.org.evil.example", "example.org", false},
      {"http://evilexample.org", "example.org", false},
      {"http://localhost", "127.0.0.1", false},
      {"http://[::1]", "127.0.0.1", false},
      {"null", "example.org", false},
      {"null", "null", false},
      {"", "example.org", false},
      {"*", "example.org", false},
      {"http://example.org/", "example.org", false},
      {"file://", "example.org", false},
      {"chrome-extension://example.org", "example.org", false},
      {"http://example.org http://evil.example", "example.org", false},
      // Allowed.
      {"https://shop.example", "example.org", true},
      {"https://SHOP.example:443", "example.org", true},
      {"http://[2001:db8::1]:8080", "example.org", true},
      {"http://shop.example", "example.org", false},
      {"https://shop.example:8443", "example.org", false},
      {"https://a.shop.example", "example.org", false},
  });
  const auto allowed = origins({"https://shop.example", "http://[2001:DB8:0::1]:8080"});
  for (const auto& [origin, host, may] : kRows) {
    INFO(origin << " to " << host);
    CHECK(may_connect(origin, Site::parse(host), allowed) == may);
  }
  CHECK(may_connect(std::nullopt, Site::parse("example.org"), {}));
  CHECK(may_connect(std::nullopt, std::nullopt, {}));
  CHECK_FALSE(may_connect("http://example.org", std::nullopt, allowed));
  CHECK(may_connect("https://shop.example", std::nullopt, allowed));
}

TEST_CASE("site: which hosts are known", "[http][site]") {
  const auto known = sites({"Example.org", "chat.example:8080", "[::1]"});
  for (const std::string_view host : {"example.org", "EXAMPLE.ORG.", "example.org:8080",
                                      "chat.example:8080", "[0::1]:1", "[::1]"}) {
    INFO(host);
    CHECK(is_known(Site::parse(host), known));
  }
  for (const std::string_view host : {"chat.example", "chat.example:80", "a.example.org",
                                      "example.org.evil.example", "127.0.0.1", "[::2]"}) {
    INFO(host);
    CHECK_FALSE(is_known(Site::parse(host), known));
  }
  CHECK_FALSE(is_known(std::nullopt, known));
  CHECK(is_known(std::nullopt, {}));
  CHECK(is_known(Site::parse("whatever.example"), {}));
}

}  // namespace chatd::http
