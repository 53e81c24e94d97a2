/// What a [[listen]] says of browsers, proxies and TLS: what it means, and the sentences about
/// what is wrong with it, word for word.

#include "config/config.hpp"
#include "config/support.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

using Web = Listener::Web;

Listener listener(const std::string& keys) {
  return loaded_from("[[listen]]\n" + keys).config.listen.at(0);
}

TEST_CASE("config: browsers are let in where the dialect is found out and nobody else is heard",
          "[config][web]") {
  const std::vector<std::pair<std::string, Web>> rows{
      {"", Web::kOn},
      {"dialect = \"auto\"\n", Web::kOn},
      {"dialect = \"line\"\n", Web::kOff},
      {"dialect = \"raw\"\nweb = false\n", Web::kOff},
      {"room = \"lab\"\n", Web::kOff},
      {"room = \"lab\"\nweb = true\n", Web::kOn},
      {"web = true\nroom = \"lab\"\n", Web::kOn},
      {"web = false\n", Web::kOff},
      {"dialect = \"web\"\n", Web::kOnly},
      {"dialect = \"web\"\nroom = \"lab\"\n", Web::kOnly},
      {"dialect = \"web\"\nweb = true\n", Web::kOnly},
      {"web = true\ndialect = \"web\"\n", Web::kOnly},
  };
  for (const auto& [keys, web] : rows) {
    INFO(keys);
    CHECK(listener(keys).web == web);
  }
  CHECK(listener("dialect = \"web\"\n").dialect == core::DialectSetting::kAuto);
  CHECK(Listener{}.web == Web::kOn);
  CHECK(Listener{{"::1", 1}, core::DialectSetting::kLine}.web == Web::kOff);
  CHECK(loaded_from("", {{"CHATD_LISTEN", "127.0.0.1:1"}}).config.listen.at(0).web == Web::kOn);
  check_faults({
      {"[[listen]]\nweb = true\ndialect = \"line\"",
       R"(F:2:7: listen.web: true needs the dialect "auto"; "line" understands no HTTP)"},
      {"[[listen]]\nweb = false\ndialect = \"web\"",
       R"(F:2:7: listen.web: false leaves nothing of the dialect "web"; leave this out)"},
      {"[[listen]]\nweb = \"on\"",
       R"(F:2:7: listen.web: "on" is a string; true or false would be right)"},
  });
}

TEST_CASE("config: a listener names the proxies that speak for others", "[config][proxy]") {
  const auto proxies = listener("proxy_from = [\"10.1.2.3/8\", \"::1\"]\n").proxy_from;
  CHECK(proxies == std::vector{*io::Network::parse("10.0.0.0/8"), *io::Network::parse("::1")});
  CHECK(listener("").proxy_from.empty());
  const auto local =
      listener("address = \"unix:/run/c\"\nproxy_from = [\"uid:33\", \"unix\"]\n").proxy_from;
  REQUIRE(local.size() == 2);
  CHECK(local[0] == io::Network::of_user(33));
  CHECK(local[1].contains(io::Network::of_user(12'345)));
  CHECK_FALSE(local[1].contains(*io::Network::parse("::1")));
  check_faults({
      {"[[listen]]\nproxy_from = \"10.0.0.1\"",
       R"(F:2:14: listen.proxy_from: "10.0.0.1" is a string; a list such as ["192.0.2.7", "2001:db8::/32"] would be right)"},
      {"[[listen]]\nproxy_from = [\"10.0.0.1:80\"]",
       "F:2:14: listen.proxy_from: 10.0.0.1:80: without the port; 192.0.2.7, 192.0.2.0/24, "
       "2001:db8::/32 or uid:1000 would be right"},
      {"[[listen]]\nproxy_from = [\"unix:\"]",
       "F:2:14: listen.proxy_from: unix:: a client of a unix socket has no address, but a user; "
       "192.0.2.7, 192.0.2.0/24, 2001:db8::/32 or uid:1000 would be right"},
      {"[[listen]]\nproxy_from = [\"::1\", \"unix\"]",
       R"(F:2:14: listen.proxy_from: "unix" comes by a unix socket alone; an address would be right)"},
      {"[[listen]]\nproxy_from = [\"uid:33\"]",
       R"(F:2:14: listen.proxy_from: "uid:33" comes by a unix socket alone; an address would be right)"},
      {"[[listen]]\naddress = \"unix:/run/c\"\nproxy_from = [\"::1\"]",
       R"(F:3:14: listen.proxy_from: "::1" does not come by a unix socket; "unix" or "uid:1000" would be right)"},
  });
  std::string many = "[[listen]]\nproxy_from = [\n";
  for (int i = 0; i < 256; ++i) many += "  \"10.0.0." + std::to_string(i) + "\",\n";
  CHECK(faults_of(many + "]\n").empty());
  CHECK(faults_of(many + "  \"::1\"]\n") ==
        "F:2:14: listen.proxy_from: this list has 257 words; at most 256 would be right\n");
}

TEST_CASE("config: the first certificate of a listener is its own, wherever it stands",
          "[config][tls]") {
  const Listener one = listener(
      "tls_key = \"/a.key\"\ncertificate = [{ tls_certificate = \"/b.pem\", tls_key = \"/b.key\" "
      "}]\n"
      "tls_certificate = \"/a.pem\"\ntls = \"required\"\ntls_minimum = \"1.2\"\n"
      "tls_client_ca = \"/ca.pem\"\n");
  CHECK(one.tls == Listener::Tls{.pairs = {{"/a.pem", "/a.key"}, {"/b.pem", "/b.key"}},
                                 .client_ca = "/ca.pem",
                                 .required = true,
                                 .allow_1_2 = true});

  // Each of these tables belongs to the listener above it; a unix socket may have TLS, too.
  const auto loaded = loaded_from(
      "[[listen]]\ntls_certificate = \"/a\"\ntls_key = \"/a\"\n"
      "[[listen.certificate]]\ntls_certificate = \"/b\"\ntls_key = \"/b\"\n"
      "[[listen.certificate]]\ntls_certificate = \"/c\"\ntls_key = \"/d\"\n"
      "[[listen]]\naddress = \"unix:/run/c\"\ntls_certificate = \"/e\"\ntls_key = \"/e\"\n"
      "[[listen.certificate]]\ntls_certificate = \"/f\"\ntls_key = \"/f\"\n"
      "[[listen]]\nport = 0\ntls_certificate = \"\"\ntls_key = \"\"\ntls = \"optional\"\n"
      "tls_minimum = \"1.2\"\n");
  const auto& listen = loaded.config.listen;
  REQUIRE(listen.size() == 3);
  using Pairs = std::vector<Listener::Tls::Pair>;
  CHECK(listen[0].tls.pairs == Pairs{{"/a", "/a"}, {"/b", "/b"}, {"/c", "/d"}});
  CHECK_FALSE(listen[0].tls.required);
  CHECK_FALSE(listen[0].tls.allow_1_2);
  CHECK(listen[1].tls.pairs == Pairs{{"/e", "/e"}, {"/f", "/f"}});
  CHECK(listen[2].tls.pairs.empty());

  const std::string text =
      print_config(loaded.config, {{"listen.0.certificate.1.tls_key", "F:9"},
                                   {"listen.1.certificate.0.tls_certificate", "F:14"}});
  CHECK(text.find("backlog = 1024          # default\n"
                  "\n"
                  "[[listen.certificate]]\n"
                  "tls_certificate = \"/b\"  # default\n"
                  "tls_key = \"/b\"          # default\n"
                  "\n"
                  "[[listen.certificate]]\n"
                  "tls_certificate = \"/c\"  # default\n"
                  "tls_key = \"/d\"          # F:9\n"
                  "\n"
                  "[[listen]]\n") != std::string::npos);
  CHECK(text.find("tls_certificate = \"/f\"  # F:14\n") != std::string::npos);
  CHECK(loaded.origins.at("listen.0.certificate.1.tls_key").ends_with(":9"));
}

TEST_CASE("config: what TLS needs is missed where it is needed", "[config][tls]") {
  check_faults({
      {"[[listen]]\ntls_key = \"/k\"",
       R"(F:2:11: listen.tls_key: "/k" needs listen.tls_certificate, the path of what it is the key of)"},
      {"[[listen]]\ntls_certificate = \"/c\"",
       R"(F:2:19: listen.tls_certificate: "/c" needs listen.tls_key, the path of its key)"},
      {"[[listen]]\ntls = \"required\"",
       R"(F:2:7: listen.tls: "required" needs listen.tls_certificate)"},
      {"[[listen]]\ntls_client_ca = \"/ca\"",
       R"(F:2:17: listen.tls_client_ca: "/ca" needs listen.tls_certificate)"},
      {"[[listen]]\ntls = \"off\"",
       R"(F:2:7: listen.tls: "off" is not known; optional or required would be right)"},
      {"[[listen]]\ntls = false",
       R"(F:2:7: listen.tls: false is a boolean; optional or required would be right)"},
      {"[[listen]]\ntls_minimum = \"1.1\"",
       R"(F:2:15: listen.tls_minimum: "1.1" is not known; 1.3 or 1.2 would be right)"},
      {"[[listen]]\ntls_minimum = 1.2",
       "F:2:15: listen.tls_minimum: 1.2 is a number with a fraction; 1.3 or 1.2 would be right"},
      {"[[listen]]\ntls_certificate = \"c.pem\"\ntls_key = \"/k\"",
       R"(F:2:19: listen.tls_certificate: "c.pem" is not absolute; a path that begins with / would be right)"},
      {"[[listen]]\ntls_cert = \"/c\"",
       "F:2:1: listen.tls_cert: unknown key; did you mean tls_certificate?"},
  });
}

TEST_CASE("config: further certificates are a list of whole ones, behind a first",
          "[config][tls]") {
  const std::string first = "[[listen]]\ntls_certificate = \"/a\"\ntls_key = \"/a\"\n";
  check_faults({
      {"[[listen]]\n[[listen.certificate]]\ntls_certificate = \"/b\"\ntls_key = \"/b\"",
       "F:2:1: listen.certificate: needs listen.tls_certificate, for clients that ask for another "
       "name, or none"},
      {first + "[[listen.certificate]]\ntls_certificate = \"/b\"",
       "F:4:1: listen.certificate: needs tls_key, the path of a file"},
      {first + "[[listen.certificate]]\ntls_key = \"/b\"",
       "F:4:1: listen.certificate: needs tls_certificate, the path of a file"},
      {first + "[[listen.certificate]]\ntls_certificate = \"/b\"\ntls_key = 5",
       "F:6:11: listen.certificate.tls_key: 5 is an integer; a string in quotation marks would be "
       "right"},
      {first +
           "[[listen.certificate]]\ntls_certificate = \"/b\"\ntls_key = \"/b\"\ntls_keys = \"/c\"",
       "F:7:1: listen.certificate.tls_keys: unknown key; did you mean tls_key?"},
      {first + "[listen.certificate]\ntls_certificate = \"/b\"",
       "F:4:1: listen.certificate: is a list of certificates, not a table; "
       "[[listen.certificate]] in two brackets would be right"},
      {first + "certificate = \"/b\"",
       "F:4:1: listen.certificate: is a list of certificates, not a string; "
       "[[listen.certificate]] in two brackets would be right"},
      {first + "certificate = [\"/b\"]",
       "F:4:16: listen.certificate: each certificate is a table, not a string; "
       "[[listen.certificate]] in two brackets would be right"},
      {first + "[[listen.certificates]]\ntls_key = \"/b\"",
       "F:4:1: listen.certificates: unknown key; did you mean certificate?"},
  });
  std::string many = first;
  for (int i = 0; i < 64; ++i) {
    many += "[[listen.certificate]]\ntls_certificate = \"/b\"\ntls_key = \"/b\"\n";
  }
  CHECK(faults_of(many).empty());
  CHECK(faults_of(many + "[[listen.certificate]]\n") ==
        "F:196:1: listen.certificate: more than 64 certificates\n");
}

}  // namespace
}  // namespace chatd::test
