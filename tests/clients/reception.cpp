// What a connection turns out to be, as a table of bytes on a clock that the test holds.
#include "clients/reception.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

using Finding = Reception::Finding;
using Rules = Reception::Rules;

constexpr Time kStart{Duration{1'000'000}};
constexpr Duration kSoon{5};
constexpr std::string_view kHello{"\x16\x03\x01\x00\xc8\x01\x00\x00", 8};
constexpr std::string_view kOldHello{"\x80\x2e\x01\x00\x02\x00\x15", 7};
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kProxy = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080\r\n";

Rules all() {
  Rules rules;
  rules.tls = rules.web = true;
  return rules;
}

/// What becomes of these bytes, however they are cut; the clock hardly moves.
Finding found(Rules rules, std::string_view bytes) {
  const auto in_pieces = [&](std::size_t size) {
    Reception reception{rules, kStart};
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      (void)reception.take(bytes.substr(at, size), kStart + kSoon);
    }
    const auto skipped = rules.proxy ? kProxy.size() : 0;
    if (reception.finding() != Finding::kNoProxy && bytes.starts_with(kProxy.substr(0, skipped))) {
      CHECK(reception.bytes() == bytes.substr(skipped));
    }
    return reception.finding();
  };
  const auto whole = in_pieces(bytes.size());
  for (const std::size_t size : {1U, 2U, 7U}) CHECK(in_pieces(size) == whole);
  return whole;
}

TEST_CASE("reception: the first bytes say what it is", "[clients][reception]") {
  CHECK(found(all(), kHello) == Finding::kTls);
  CHECK(found(all(), kOldHello) == Finding::kOldTls);
  CHECK(found(all(), kGet) == Finding::kHttp);
  CHECK(found(all(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == Finding::kHttp2);
  CHECK(found(all(), "hello\n") == Finding::kChat);
  CHECK(found(all(), "GET well soon\n") == Finding::kChat);
  CHECK(found(all(), "GET / HTTP/1.1\nHost: h\n\n") == Finding::kChat);  // typed into netcat
  CHECK(found(all(), "\xff\xfd\x03") == Finding::kChat);
  CHECK(found(all(), "\x16\x03 that was Ctrl-V") == Finding::kChat);
  // What the listener is not for is chat like anything else.
  Rules plain;
  CHECK(found(plain, kHello) == Finding::kChat);
  CHECK(found(plain, kOldHello) == Finding::kChat);
  CHECK(found(plain, kGet) == Finding::kChat);
}

TEST_CASE("reception: where only one thing is served the rest is refused", "[clients][reception]") {
  Rules required = all();
  required.tls_required = true;
  CHECK(found(required, kHello) == Finding::kTls);
  CHECK(found(required, kGet) == Finding::kNoTls);
  CHECK(found(required, "hello\n") == Finding::kNoTls);
  CHECK(Reception{required, kStart}.deadline() == kStart + Reception::kTlsSilence);
  Rules web;
  web.web = web.web_only = true;
  CHECK(found(web, kGet) == Finding::kHttp);
  CHECK(found(web, "hello\n") == Finding::kNoHttp);
  for (const auto finding : {Finding::kNoTls, Finding::kNoHttp, Finding::kNoProxy, Finding::kHttp2,
                             Finding::kHealth, Finding::kOldTls}) {
    CHECK_FALSE(refusal_of(finding).empty());
  }
  CHECK(refusal_of(Finding::kChat).empty());
}

TEST_CASE("reception: a proxy's header comes first, and from nobody else", "[clients][reception]") {
  Rules rules = all();
  CHECK(found(rules, kProxy.substr(0, 5)) == Finding::kNone);  // may become a request line
  CHECK(found(rules, kProxy) == Finding::kChat);
  rules.proxy = true;
  CHECK(found(rules, std::string{kProxy} + std::string{kHello}) == Finding::kTls);
  CHECK(found(rules, std::string{kProxy} + std::string{kGet}) == Finding::kHttp);
  CHECK(found(rules, std::string{kProxy} + "hello\n") == Finding::kChat);
  CHECK(found(rules, "hello\n") == Finding::kNoProxy);
  CHECK(found(rules, kGet) == Finding::kNoProxy);
  const std::string local{"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16};
  CHECK(found(rules, local) == Finding::kHealth);

  Reception reception{rules, kStart};
  CHECK(reception.take(kProxy, kStart) == Finding::kNone);
  REQUIRE(reception.proxy()->header().source);
  CHECK(reception.proxy()->header().source->to_string() == "192.0.2.7:4711");
}

TEST_CASE("reception: somebody silent is a person after a second, a browser's spare connection not",
          "[clients][reception]") {
  Rules rules = all();
  Reception person{rules, kStart};
  CHECK(person.deadline() == kStart + Reception::kSilence);
  CHECK(person.tick(person.deadline() - Duration{1}) == Finding::kNone);
  CHECK(person.tick(kStart + Reception::kSilence) == Finding::kChat);
  CHECK(person.deadline() == kNever);
  CHECK(person.take("late\n", kStart + Duration{1500}) == Finding::kChat);
  CHECK(person.bytes() == "late\n");
  rules.browser = true;
  Reception spare{rules, kStart};
  CHECK(spare.tick(kStart + Reception::kSilence) == Finding::kNone);
  CHECK(spare.tick(kStart + Reception::kBrowserSilence) == Finding::kChat);
  // Or it has shown since.
  Reception early{all(), kStart};
  early.learn_browser();
  CHECK(early.tick(kStart + Reception::kSilence) == Finding::kNone);
  CHECK(early.deadline() == kStart + Reception::kBrowserSilence);
  Rules behind_proxy = all();
  behind_proxy.proxy = true;
  Reception mute{behind_proxy, kStart};
  CHECK(mute.tick(kStart + Reception::kSilence) == Finding::kNone);
  CHECK(mute.tick(kStart + Reception::kProxyPatience) == Finding::kNoProxy);
  // The second begins behind the header.
  Reception behind{behind_proxy, kStart};
  (void)behind.take(kProxy, kStart + Duration{4000});
  CHECK(behind.deadline() == kStart + Duration{4000} + Reception::kSilence);
}

TEST_CASE("reception: what may become a request is waited for, but not for long",
          "[clients][reception]") {
  for (const std::string_view begun : {"GET", "GET / HTTP", "HELP", "\x16\x03"}) {
    Reception reception{all(), kStart};
    CHECK(reception.take(begun, kStart + Duration{500}) == Finding::kNone);
    CHECK(reception.deadline() == kStart + Duration{500} + Reception::kSettle);
    CHECK(reception.tick(reception.deadline()) == Finding::kChat);
    CHECK(reception.bytes() == begun);
  }
}

TEST_CASE("reception: who says nothing and goes was nobody", "[clients][reception]") {
  Reception scan{all(), kStart};
  CHECK(scan.end(kStart) == Finding::kHealth);
  Reception asks{all(), kStart};
  (void)asks.take("HELP", kStart);
  CHECK(asks.end(kStart) == Finding::kChat);
  Rules rules = all();
  rules.proxy = true;
  Reception half{rules, kStart};
  (void)half.take(kProxy.substr(0, 9), kStart);
  CHECK(half.end(kStart) == Finding::kNoProxy);
}

TEST_CASE("reception: where there is nothing to find out nobody waits", "[clients][reception]") {
  Rules rules;
  rules.known = true;
  CHECK(Reception{rules, kStart}.finding() == Finding::kChat);
  rules.proxy = true;
  Reception reception{rules, kStart};
  CHECK(reception.finding() == Finding::kNone);
  CHECK(reception.take(kProxy, kStart) == Finding::kChat);
}

}  // namespace
}  // namespace chatd::test
