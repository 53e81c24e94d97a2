// What is answered to requests, as values.
#include "clients/website.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr WallTime kNow{};
using Kind = Website::Kind;

Website::Answer answer(std::string_view request, const Config::Web& web = {}) {
  http::RequestHead head;
  (void)head.take(request);
  REQUIRE(head.state() != http::RequestHead::State::kMore);
  return Website{web}.answer(head, kNow);
}

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: chat.example:8080\r\n" + fields + "\r\n";
}

std::string upgrade(const std::string& fields = {}) {
  return get("/chat",
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 fields);
}

std::string status(const Website::Answer& answer) {
  return answer.bytes.substr(9, 3);
}

bool says(const Website::Answer& answer, std::string_view part) {
  return answer.bytes.find(part) != std::string::npos;
}

TEST_CASE("website: the page, its files, and nothing else", "[clients][website]") {
  for (const char* path : {"/", "/chat.js", "/chat.css", "/widget.js", "/settings.json"}) {
    INFO(path);
    const auto page = answer(get(path));
    CHECK(page.kind == Kind::kAnswered);
    CHECK(status(page) == "200");
    CHECK(says(page, "X-Content-Type-Options: nosniff\r\n"));
    CHECK(says(page, "Referrer-Policy: no-referrer\r\n"));
  }
  for (const char* path : {"/index.html", "/../chat.js", "/chat.js/", "/Chat.js"}) {
    INFO(path);
    CHECK(status(answer(get(path))) != "200");
  }
}

TEST_CASE("website: the page may do what it needs and no more", "[clients][website]") {
  Config::Web web;
  web.origins = {*http::WebOrigin::parse("https://shop.example:8443")};
  const auto page = answer(get("/"), web);
  CHECK(says(page,
             "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
             "img-src 'self'; connect-src 'self' ws://chat.example:8080 wss://chat.example:8080; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'self' "
             "https://shop.example:8443\r\n"));
  CHECK_FALSE(says(page, "Set-Cookie"));
}

TEST_CASE("website: what other sites load may be loaded by them", "[clients][website]") {
  CHECK(says(answer(get("/widget.js")), "Cross-Origin-Resource-Policy: cross-origin\r\n"));
  CHECK(says(answer(get("/icon.svg")), "Cross-Origin-Resource-Policy: cross-origin\r\n"));
  CHECK(says(answer(get("/chat.js")), "Cross-Origin-Resource-Policy: same-origin\r\n"));
}

TEST_CASE("website: a host that is not known is another one", "[clients][website]") {
  Config::Web web;
  web.hosts = {*http::Site::parse("chat.example")};
  CHECK(status(answer(get("/"), web)) == "200");
  CHECK(status(answer(upgrade(), web)) == "101");
  for (const std::string path : {"/", "/chat"}) {
    const auto request = "GET " + path + " HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    CHECK(status(answer(request, web)) == "421");
  }
}

TEST_CASE("website: a WebSocket is for programs and for pages that may", "[clients][website]") {
  Config::Web web;
  web.origins = {*http::WebOrigin::parse("https://shop.example")};
  CHECK(answer(upgrade(), web).kind == Kind::kWebSocket);
  CHECK(status(answer(upgrade(), web)) == "101");
  // RFC 6455, section 1.3.
  CHECK(says(answer(upgrade(), web), "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  const auto own = answer(upgrade("Origin: http://chat.example:8080\r\n"), web);
  CHECK(own.kind == Kind::kWebSocket);
  CHECK(answer(upgrade("Origin: https://shop.example\r\n"), web).kind == Kind::kWebSocket);
  for (const char* origin : {"https://evil.example", "null", "http://chat.example"}) {
    INFO(origin);
    const auto refused = answer(upgrade(std::string{"Origin: "} + origin + "\r\n"), web);
    CHECK(refused.kind == Kind::kAnswered);
    CHECK(status(refused) == "403");
  }
  const auto page = answer(upgrade("Sec-WebSocket-Protocol: other, chat.chatd.v1\r\n"), web);
  CHECK(page.kind == Kind::kPage);
  CHECK(says(page, "Sec-WebSocket-Protocol: chat.chatd.v1\r\n"));
  CHECK(answer(upgrade("Sec-WebSocket-Protocol: other\r\n"), web).kind == Kind::kWebSocket);
  CHECK(status(answer(get("/chat"), web)) == "426");
}

TEST_CASE("website: a request that was refused is told why", "[clients][website]") {
  const auto refused = answer("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(refused.kind == Kind::kAnswered);
  CHECK(status(refused) == "405");
}

}  // namespace
}  // namespace chatd::test
