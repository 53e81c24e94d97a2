#include "http/answer.hpp"

#include <array>
#include <string>
#include <string_view>

#include "http/date.hpp"
#include "http/request_head.hpp"
#include "support/catch.hpp"

namespace chatd::http {
namespace {

/// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
constexpr WallTime kNow{std::chrono::seconds{784'111'777}};

RequestHead request(std::string_view method, std::string_view fields = {}) {
  RequestHead head;
  const auto bytes =
      std::string{method} + " / HTTP/1.1\r\nHost: x\r\n" + std::string{fields} + "\r\n";
  std::string_view input = bytes;
  REQUIRE(head.take(input) == RequestHead::State::kWhole);
  return head;
}

constexpr std::array<AnswerField, 1> kMore = {{{"Cross-Origin-Resource-Policy", "same-site"}}};

Page page() {
  Page page;
  page.type = "text/html; charset=utf-8";
  page.body = "<p>hello";
  page.gzipped = "GZ";
  page.tag = "a1B2";
  page.cache = "no-cache";
  page.policy = "default-src 'none'; script-src 'sha256-x='";
  page.more = kMore;
  return page;
}

bool has(const std::string& answer, std::string_view part) {
  return answer.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("answer: a page, byte for byte", "[http][answer]") {
  CHECK(answer(request("GET"), page(), kNow) ==
        "HTTP/1.1 200 OK\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Connection: close\r\n"
        "Content-Security-Policy: default-src 'none'; script-src 'sha256-x='\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "Cache-Control: no-cache\r\n"
        "Vary: Accept-Encoding\r\n"
        "ETag: \"a1B2\"\r\n"
        "Cross-Origin-Resource-Policy: same-site\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Content-Length: 8\r\n"
        "\r\n"
        "<p>hello");
}

TEST_CASE("answer: HEAD has the fields of GET and no body", "[http][answer]") {
  for (const std::string_view fields : {"", "Accept-Encoding: gzip\r\n"}) {
    const auto get = answer(request("GET", fields), page(), kNow);
    const auto head = answer(request("HEAD", fields), page(), kNow);
    CHECK(head == get.substr(0, get.find("\r\n\r\n") + 4));
    CHECK(get.size() > head.size());
  }
}

TEST_CASE("answer: a compressed page has a tag of its own", "[http][answer]") {
  const auto zipped = answer(request("GET", "Accept-Encoding: br, gzip\r\n"), page(), kNow);
  CHECK(has(zipped, "\r\nETag: \"a1B2-gzip\"\r\n"));
  CHECK(has(zipped, "\r\nContent-Encoding: gzip\r\n"));
  CHECK(has(zipped, "\r\nVary: Accept-Encoding\r\n"));
  CHECK(has(zipped, "\r\nContent-Length: 2\r\n"));
  CHECK(zipped.ends_with("\r\n\r\nGZ"));

  auto plain_only = page();
  plain_only.gzipped = {};
  const auto plain = answer(request("GET", "Accept-Encoding: gzip\r\n"), plain_only, kNow);
  CHECK_FALSE(has(plain, "Content-Encoding"));
  CHECK_FALSE(has(plain, "Vary"));
  CHECK(plain.ends_with("<p>hello"));
}

TEST_CASE("answer: who has the page already gets 304 without it", "[http][answer]") {
  const auto same = answer(request("GET", "If-None-Match: \"b\", W/\"a1B2\"\r\n"), page(), kNow);
  CHECK(same.starts_with("HTTP/1.1 304 Not Modified\r\n"));
  CHECK(has(same, "\r\nETag: \"a1B2\"\r\n"));
  CHECK(has(same, "\r\nCache-Control: no-cache\r\n"));
  CHECK(has(same, "\r\nVary: Accept-Encoding\r\n"));
  CHECK(has(same, "\r\nDate: "));
  CHECK(has(same, "\r\nConnection: close\r\n"));
  CHECK_FALSE(has(same, "\r\nContent-Length"));
  CHECK_FALSE(has(same, "\r\nContent-Type"));
  CHECK(same.ends_with("\r\n\r\n"));

  // What it has must be what it would get.
  const std::string_view gzip = "Accept-Encoding: gzip\r\nIf-None-Match: \"a1B2\"\r\n";
  CHECK(answer(request("GET", gzip), page(), kNow).starts_with("HTTP/1.1 200 "));
  const std::string_view both = "Accept-Encoding: gzip\r\nIf-None-Match: \"a1B2-gzip\"\r\n";
  CHECK(answer(request("HEAD", both), page(), kNow).starts_with("HTTP/1.1 304 "));
  const std::string_view two = "If-None-Match: \"b\"\r\nIf-None-Match: \"a1B2\"\r\n";
  CHECK(answer(request("GET", two), page(), kNow).starts_with("HTTP/1.1 304 "));

  auto untagged = page();
  untagged.tag = {};
  const auto anew = answer(request("GET", "If-None-Match: *\r\n"), untagged, kNow);
  CHECK(anew.starts_with("HTTP/1.1 200 "));
  CHECK_FALSE(has(anew, "ETag"));
}

TEST_CASE("answer: which lists have a tag", "[http][answer]") {
  for (const std::string_view list : {"\"t\"", "W/\"t\"", "\"a\",\"t\"", "\"a\" , W/\"t\" ", " * ",
                                      "\"a,b\", \"t\"", ", \"t\"", "\"t\", rubbish"}) {
    INFO(list);
    CHECK(has_tag(list, "t"));
  }
  for (const std::string_view list : {"", "t", "\"t", "\"T\"", "\"\"", "\"at\"", "w/\"t\"",
                                      "\"a\", t", "\"a\"b\"t\"", "\"*\"", "rubbish, \"t\""}) {
    INFO(list);
    CHECK_FALSE(has_tag(list, "t"));
  }
}

TEST_CASE("answer: who accepts gzip", "[http][answer]") {
  for (const std::string_view list :
       {"gzip", "GZIP", "x-gzip", "*", "br, gzip", "gzip;q=1", "gzip; q=0.001", "gzip;q=1.000",
        "deflate;q=0,gzip", "*;q=0, gzip", "gzip;x=0", "identity;q=0, *;q=0.5", "gzip, *;q=0"}) {
    INFO(list);
    CHECK(accepts_gzip(list));
  }
  for (const std::string_view list :
       {"", "identity", "br", "gzip;q=0", "gzip;q=0.0", "gzip ; Q=0.", "gzip;x=1;q=0.000", "*;q=0",
        "gzip;q=0, *", "gzipped", "*, gzip;q=0", "not-gzip"}) {
    INFO(list);
    CHECK_FALSE(accepts_gzip(list));
  }
}

TEST_CASE("answer: without a page it is a line of plain text that can do nothing",
          "[http][answer]") {
  const std::string expected =
      "HTTP/1.1 404 Not Found\r\n"
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Connection: close\r\n"
      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "Cache-Control: no-store\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Length: 20\r\n"
      "\r\n";
  CHECK(answer_without_page(404, "There is no page th", false, kNow) ==
        expected + "There is no page th\n");
  CHECK(answer_without_page(404, "There is no page th", true, kNow) == expected);
  static constexpr std::array<AnswerField, 1> kLater = {{{"Retry-After", "60"}}};
  CHECK(has(answer_without_page(503, "Later.", false, kNow, kLater), "\r\nRetry-After: 60\r\n"));
  static constexpr std::array<AnswerField, 1> kUpgrade = {{{"Upgrade", "websocket"}}};
  const auto upgrade = answer_without_page(426, "No.", false, kNow, kUpgrade);
  CHECK(has(upgrade, "\r\nConnection: close, Upgrade\r\n"));
  CHECK(has(upgrade, "\r\nUpgrade: websocket\r\n"));
}

TEST_CASE("answer: every fault of a request has a status, and a sentence without the peer's words",
          "[http][answer]") {
  for (int i = 1; i <= static_cast<int>(HeadFault::kExpect); ++i) {
    const auto fault = static_cast<HeadFault>(i);
    INFO(i);
    CHECK(status_of(fault) >= 400);
    CHECK_FALSE(reason_phrase(status_of(fault)).empty());
    CHECK(to_string(fault).size() > 5);
  }
  RequestHead refused;
  std::string_view input = "POST /<script> HTTP/1.1\r\n";
  REQUIRE(refused.take(input) == RequestHead::State::kRefused);
  const auto answer = answer_refused(refused, kNow);
  CHECK(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(has(answer, "\r\nAllow: GET, HEAD\r\n"));
  CHECK(answer.ends_with("\r\n\r\nThis request is neither GET nor HEAD.\n"));

  RequestHead bad;
  input = "HEAD nowhere HTTP/1.1\r\n";
  REQUIRE(bad.take(input) == RequestHead::State::kRefused);
  const auto without = answer_refused(bad, kNow);
  CHECK(without.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK_FALSE(has(without, "Allow"));
  CHECK(without.ends_with("\r\n\r\n"));
}

TEST_CASE("answer: no answer sets a cookie, and each is the last one of its connection",
          "[http][answer]") {
  RequestHead refused;
  std::string_view input = "x\r\n";
  refused.take(input);
  for (const auto& each :
       {answer(request("GET"), page(), kNow), answer_without_page(503, "x", false, kNow),
        answer(request("GET", "If-None-Match: *\r\n"), page(), kNow),
        answer_refused(refused, kNow)}) {
    CHECK_FALSE(has(each, "Cookie"));
    CHECK(has(each, "\r\nConnection: close\r\n"));
    CHECK(has(each, "\r\nX-Content-Type-Options: nosniff\r\n"));
    CHECK(has(each, "\r\nReferrer-Policy: no-referrer\r\n"));
    CHECK(has(each, "\r\nContent-Security-Policy: default-src 'none'"));
  }
}

TEST_CASE("answer: dates are those of HTTP", "[http][answer]") {
  const auto date = [](std::int64_t seconds) {
    return http_date(WallTime{std::chrono::seconds{seconds}});
  };
  CHECK(http_date(kNow) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(kNow + std::chrono::milliseconds{999}) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(date(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(date(1'735'689'599) == "Tue, 31 Dec 2024 23:59:59 GMT");
}

}  // namespace chatd::http
