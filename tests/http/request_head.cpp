#include "http/request_head.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"
#include "support/pieces.hpp"

namespace chatd::http {
namespace {

using test::bytes_of;
using State = RequestHead::State;

/// All that is understood of a head, as one text.
std::string understood(const RequestHead& head, std::string_view left) {
  if (head.state() == State::kMore) return "more";
  if (head.state() == State::kRefused) {
    return std::to_string(status_of(head.fault())) + ' ' + std::string{to_string(head.fault())} +
           (head.is_head() ? " (HEAD)" : "");
  }
  std::string all = head.is_head() ? "HEAD " : "GET ";
  all += escaped(head.path());
  if (!head.query().empty()) all += " ? " + std::string{head.query()};
  all += head.is_1_1() ? " of 1.1" : " of 1.0";
  if (head.host()) {
    all += " at " + head.host()->host;
    if (head.host()->port) all += ' ' + std::to_string(*head.host()->port);
  }
  if (!left.empty()) all += ", then " + escaped(left);
  return all;
}

std::string read(std::string_view bytes, std::size_t first, std::size_t step) {
  RequestHead head;
  std::string left;
  for (std::size_t size = first; !bytes.empty(); size = step) {
    const std::string copy{bytes.substr(0, size)};
    bytes.remove_prefix(copy.size());
    std::string_view input = copy;
    head.take(input);
    if (head.state() == State::kMore) REQUIRE(input.empty());
    left += input;
  }
  return understood(head, left);
}

std::string understood(std::string_view bytes) {
  return test::read_in_every_way(bytes, read);
}

struct Row {
  std::string_view bytes;
  std::string_view result;
};

void check(std::span<const Row> rows) {
  for (const auto& [bytes, result] : rows) {
    INFO(escaped(bytes));
    CHECK(understood(bytes) == result);
  }
}

constexpr std::string_view kNoLine = "400 does not begin with a request line";
constexpr std::string_view kNoPath = "400 is for a path that nobody may mean";
constexpr std::string_view kNoField = "400 has a line that is no field";
constexpr std::string_view kLineEnd = "400 has a line that does not end in CR LF";
constexpr std::string_view kTwice = "400 has two fields where one may be";
constexpr std::string_view kNoHost = "400 has a Host that is none";
constexpr std::string_view kControl = "400 has a control character in a field";
constexpr std::string_view kBody = "413 has a body";

RequestHead whole(std::string_view bytes) {
  RequestHead head;
  REQUIRE(head.take(bytes) == State::kWhole);
  return head;
}

}  // namespace

TEST_CASE("request_head: what it takes", "[http][request_head]") {
  static constexpr auto kRows = std::to_array<Row>({
      {"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "GET / of 1.1 at example.org"},
      {"HEAD / HTTP/1.1\r\nHost: example.org\r\n\r\n", "HEAD / of 1.1 at example.org"},
      {"GET / HTTP/1.0\r\n\r\n", "GET / of 1.0"},
      {"GET / HTTP/1.0\r\nHost: Example.ORG:8080\r\n\r\n", "GET / of 1.0 at example.org 8080"},
      {"GET /chat?room=a%20b?c HTTP/1.1\r\nhost:x\r\n\r\n", "GET /chat ? room=a%20b?c of 1.1 at x"},
      {"GET /? HTTP/1.1\r\nHOST: x\r\n\r\n", "GET / of 1.1 at x"},
      {"GET /?#no HTTP/1.1\r\nHOST: x\r\n\r\n", "400 is not for a path"},
      {"GET /a%2Db/%C3%BC HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a-b/\xC3\xBC of 1.1 at x"},
      {"GET //x HTTP/1.1\r\nHost: x\r\n\r\n", "GET //x of 1.1 at x"},
      {"GET /.a/..b/c. HTTP/1.1\r\nHost: x\r\n\r\n", "GET /.a/..b/c. of 1.1 at x"},
      {"GET / HTTP/1.1\r\nHost: \t [::1]:8080 \t \r\n\r\n", "GET / of 1.1 at [::1] 8080"},
      {"GET / HTTP/1.1\r\nHost: x\r\nEmpty:\r\nA: b:c\r\n\r\n", "GET / of 1.1 at x"},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: tab\tinside, and \xC3\xBC\xFF\r\n\r\n",
       "GET / of 1.1 at x"},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "GET / of 1.1 at x"},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: TE\r\n\r\n",
       "GET / of 1.1 at x"},
      // What follows is not the head's.
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n",
       "GET / of 1.1 at x, then GET /b HTTP/1.1\\x0d\\x0a"},
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n\n", "GET / of 1.1 at x, then \\x0a"},
      // What is not whole.
      {"GET / HTTP/1.1\r\nHost: x\r\n\r", "more"},
      {"GET / HTTP/1.1\r\nHost: x\r\n", "more"},
      {"G", "more"},
  });
  check(kRows);
}

TEST_CASE("request_head: first lines that it refuses", "[http][request_head]") {
  static constexpr auto kRows = std::to_array<Row>({
      {"\r\nGET / HTTP/1.1\r\n", kNoLine},
      {"\n", kLineEnd},
      {"hello\r\n", kNoLine},
      {"GET /\r\n", kNoLine},
      {"GET / HTTP/1.1\n", kLineEnd},
      {"GET / HTTP/1.1\r\r\n", kLineEnd},
      {"GET /\rx HTTP/1.1\r\n", kLineEnd},
      {"GET / HTTP/1.1 \r\n", kNoLine},
      {" GET / HTTP/1.1\r\n", kNoLine},
      {"GET  / HTTP/1.1\r\n", kNoLine},
      {"GET /  HTTP/1.1\r\n", kNoLine},
      {"GET  HTTP/1.1\r\n", kNoLine},
      {"GET\t/ HTTP/1.1\r\n", kNoLine},
      {"GET /a\tb HTTP/1.1\r\n", kNoLine},
      {"GET /a b HTTP/1.1\r\n", kNoLine},
      {"GET /\xC3\xBC HTTP/1.1\r\n", kNoLine},
      {"GET /\x7F HTTP/1.1\r\n", kNoLine},
      {"G(T / HTTP/1.1\r\n", kNoLine},
      {"GET / HTTP/1\r\n", kNoLine},
      {"GET / HTTP/11\r\n", kNoLine},
      {"GET / http/1.1\r\n", kNoLine},
      {"GET / HTTP/1.1x\r\n", kNoLine},
      {"GET / HTTP/1.2\r\n", "505 is of another version than HTTP/1.0 and HTTP/1.1"},
      {"GET / HTTP/0.9\r\n", "505 is of another version than HTTP/1.0 and HTTP/1.1"},
      {"HEAD / HTTP/2.0\r\n", "505 is of another version than HTTP/1.0 and HTTP/1.1 (HEAD)"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 is HTTP/2, which is not spoken here"},
      {"POST / HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"PUT / HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"DELETE / HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"PATCH / HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"TRACE / HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"OPTIONS * HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"CONNECT example.org:443 HTTP/1.1\r\n", "405 is neither GET nor HEAD"},
      {"get / HTTP/1.1\r\n", "501 has a method that is not known here"},
      {"BREW /pot HTTP/1.1\r\n", "501 has a method that is not known here"},
      {"GET http://example.org/ HTTP/1.1\r\n", "400 is not for a path"},
      {"GET * HTTP/1.1\r\n", "400 is not for a path"},
      {"GET example.org:80 HTTP/1.1\r\n", "400 is not for a path"},
      {"HEAD ?a HTTP/1.1\r\n", "400 is not for a path (HEAD)"},
      {"GET /a#b HTTP/1.1\r\n", "400 is not for a path"},
      {"GET /../etc/passwd HTTP/1.1\r\n", kNoPath},
      {"GET /a/.. HTTP/1.1\r\n", kNoPath},
      {"GET /. HTTP/1.1\r\n", kNoPath},
      {"GET /%2e%2E/a HTTP/1.1\r\n", kNoPath},
      {"GET /.%2e/a HTTP/1.1\r\n", kNoPath},
      {"GET /a%2Fb HTTP/1.1\r\n", kNoPath},
      {"GET /a%5Cb HTTP/1.1\r\n", kNoPath},
      {"GET /a\\b HTTP/1.1\r\n", kNoPath},
      {"GET /%00 HTTP/1.1\r\n", kNoPath},
      {"GET /%0d%0aX:1 HTTP/1.1\r\n", kNoPath},
      {"GET /%7F HTTP/1.1\r\n", kNoPath},
      {"GET /% HTTP/1.1\r\n", kNoPath},
      {"GET /%4 HTTP/1.1\r\n", kNoPath},
      {"GET /%4g HTTP/1.1\r\n", kNoPath},
      {"GET /%u0041 HTTP/1.1\r\n", kNoPath},
      {"GET /%c0%af HTTP/1.1\r\n", kNoPath},
      {"GET /%ff HTTP/1.1\r\n", kNoPath},
      {bytes_of("GET /\0 HTTP/1.1\r\n"), kNoLine},
      {bytes_of("\x16\x03\x01\x02\0\x01\0\n"), kLineEnd},
  });
  check(kRows);
}

TEST_CASE("request_head: fields that it refuses, whatever a smuggler tries",
          "[http][request_head]") {
  static constexpr auto kRows = std::to_array<Row>({
      {"Host: x\n\r\n", kLineEnd},
      {"Host: x\r\n\n", kLineEnd},
      {"Host: x\rA: b\r\n\r\n", kLineEnd},
      {"Host: x\r\r\n\r\n", kLineEnd},
      {"Host: x\r\n\r\r\n", kLineEnd},
      {" Host: x\r\n\r\n", "400 has a line that begins with a blank"},
      {"Host: x\r\n y\r\n\r\n", "400 has a line that begins with a blank"},
      {"Host: x\r\n\ty\r\n\r\n", "400 has a line that begins with a blank"},
      {"Host: x\r\n \r\n\r\n", "400 has a line that begins with a blank"},
      {"Host : x\r\n\r\n", kNoField},
      {"Host\t: x\r\n\r\n", kNoField},
      {"Host\r\n\r\n", kNoField},
      {": x\r\n\r\n", kNoField},
      {"H\xC3\xB6st: x\r\n\r\n", kNoField},
      {"Ho st: x\r\n\r\n", kNoField},
      {"Host: x\r\nTransfer-Encoding : chunked\r\n\r\n", kNoField},
      {bytes_of("Ho\0st: x\r\n\r\n"), kNoField},
      {bytes_of("Host: x\0y\r\n\r\n"), kControl},
      {"Host: x\r\nA: b\x0B\r\n\r\n", kControl},
      {"Host: x\r\nA: b\x7F\r\n\r\n", kControl},
      {"\r\n", "400 has no Host"},
      {"A: b\r\n\r\n", "400 has no Host"},
      {"Host: x\r\nHost: x\r\n\r\n", kTwice},
      {"Host: x\r\nhOST: y\r\n\r\n", kTwice},
      {"Host:\r\n\r\n", kNoHost},
      {"Host: x, y\r\n\r\n", kNoHost},
      {"Host: x y\r\n\r\n", kNoHost},
      {"Host: user@x\r\n\r\n", kNoHost},
      {"Host: x/y\r\n\r\n", kNoHost},
      {"Host: x:\r\n\r\n", kNoHost},
      {"Host: x:70000\r\n\r\n", kNoHost},
      {"Host: x\r\nContent-Length: 5\r\n\r\nhello", kBody},
      {"Host: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", kBody},
      {"Host: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", kTwice},
      {"Host: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello", kTwice},
      {"Host: x\r\nContent-Length: 0, 5\r\n\r\n", "400 has a Content-Length that is no number"},
      {"Host: x\r\nContent-Length: +0\r\n\r\n", "400 has a Content-Length that is no number"},
      {"Host: x\r\nContent-Length: -1\r\n\r\n", "400 has a Content-Length that is no number"},
      {"Host: x\r\nContent-Length: 0x0\r\n\r\n", "400 has a Content-Length that is no number"},
      {"Host: x\r\nContent-Length:\r\n\r\n", "400 has a Content-Length that is no number"},
      {"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501 has a Transfer-Encoding"},
      {"Host: x\r\nTransfer-Encoding: identity\r\n\r\n", "501 has a Transfer-Encoding"},
      {"Host: x\r\ntransfer-encoding:\r\n\r\n", "501 has a Transfer-Encoding"},
      {"Host: x\r\nTransfer-Encoding: \x0B"
       "chunked\r\n\r\n",
       kControl},
      {"Host: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400 has a Transfer-Encoding where none may be"},
      {"Host: x\r\nExpect: 100-continue\r\n\r\n", "417 expects something (Expect)"},
      {"Host: x\r\nOrigin: http://x\r\nOrigin: http://y\r\n\r\n", kTwice},
      {"Host: x\r\nSec-WebSocket-Key: a\r\nsec-websocket-key: a\r\n\r\n", kTwice},
      {"Host: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n\r\n", kTwice},
  });
  for (const auto& [fields, result] : kRows) {
    INFO(escaped(fields));
    CHECK(understood("GET / HTTP/1.1\r\n" + std::string{fields}) == result);
  }
  CHECK(understood("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        "400 has a Transfer-Encoding where none may be");
  CHECK(understood("HEAD / HTTP/1.1\r\n\r\n") == "400 has no Host (HEAD)");
}

TEST_CASE("request_head: bounds of bytes and fields", "[http][request_head]") {
  const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  const auto of_size = [&](std::size_t size) {
    return begin + std::string(size - begin.size() - 4, 'a') + "\r\n\r\n";
  };
  const auto read_at_once = [](std::string_view bytes) { return read(bytes, bytes.size(), 1); };
  CHECK(read_at_once(of_size(kMostHead)) == "GET / of 1.1 at x");
  CHECK(read(of_size(kMostHead), 1, 1) == "GET / of 1.1 at x");
  CHECK(read_at_once(of_size(kMostHead + 1)) == "431 has a head of more than 8192 bytes");
  CHECK(read(of_size(kMostHead + 1), 1, 1) == "431 has a head of more than 8192 bytes");
  CHECK(read(of_size(kMostHead + 1), 100, 1000) == "431 has a head of more than 8192 bytes");
  // A line that ends with the last byte that may be is not the last one.
  CHECK(read_at_once(begin + std::string(kMostHead - begin.size() - 2, 'a') + "\r\n") ==
        "431 has a head of more than 8192 bytes");

  const auto line_of = [](std::size_t size) {
    return "GET /" + std::string(size - 16, 'a') + " HTTP/1.1\r\n";
  };
  CHECK(read_at_once(line_of(8000) + "Host: x\r\n\r\n").starts_with("GET /aaa"));
  for (const auto size : {kMostHead + 1, std::size_t{100'000}}) {
    CHECK(read_at_once(line_of(size)) == "414 has a first line of more than 8192 bytes");
    CHECK(read(line_of(size), 1, 1) == "414 has a first line of more than 8192 bytes");
  }
  CHECK(read_at_once(std::string(kMostHead, 'a')) ==
        "414 has a first line of more than 8192 bytes");
  CHECK(read_at_once(std::string(kMostHead - 1, 'a')) == "more");

  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (std::size_t i = 1; i < kMostFields; ++i) many += "A:\r\n";
  CHECK(read_at_once(many + "\r\n") == "GET / of 1.1 at x");
  CHECK(read_at_once(many + "A:\r\n\r\n") == "431 has more than 100 fields");
  CHECK(read_at_once(many + "A:\r\n") == "431 has more than 100 fields");
}

TEST_CASE("request_head: a field is found in whatever case, and a list in all of its fields",
          "[http][request_head]") {
  const auto head = whole(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nuPGRADE:  websocket \r\n"
      "connection:\tUpgrade\r\nEmpty:\r\n\r\n");
  CHECK(head.fields() == 5);
  CHECK(head.field("upgrade") == "websocket");
  CHECK(head.field("Connection") == "keep-alive");
  CHECK(head.field("empty") == "");
  CHECK_FALSE(head.field("Upgrad"));
  CHECK(head.list("CONNECTION") == "keep-alive, Upgrade");
  CHECK(head.list("Cookie").empty());
}

TEST_CASE("request_head: it takes nothing once it is whole or refused", "[http][request_head]") {
  auto head = whole("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string_view more = "Host: y\r\n\r\n";
  CHECK(head.take(more) == State::kWhole);
  CHECK(more.size() == 11);
  RequestHead refused;
  std::string_view bytes = "GET\r\nGET / HTTP/1.1\r\n";
  CHECK(refused.take(bytes) == State::kRefused);
  CHECK(bytes.size() == 16);
  CHECK(refused.take(bytes) == State::kRefused);
  CHECK(bytes.size() == 16);
}

TEST_CASE("request_head: it is written down and read back wherever its bytes were cut",
          "[http][request_head]") {
  const std::string bytes =
      "HEAD /a%2Db?c HTTP/1.1\r\nHost: x:1\r\nConnection: a\r\nConnection: b\r\n\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    RequestHead before;
    auto front = std::string_view{bytes}.substr(0, size);
    REQUIRE(before.take(front) == State::kMore);
    ByteWriter out;
    before.save(out);
    RequestHead after;
    ByteReader in{out.bytes()};
    after.restore(in);
    REQUIRE(in.finished());
    auto rest = std::string_view{bytes}.substr(size);
    REQUIRE(after.take(rest) == State::kWhole);
    CHECK(understood(after, rest) == "HEAD /a-b ? c of 1.1 at x 1");
    CHECK(after.list("Connection") == "a, b");
  }
  for (const std::string_view wrong :
       {"GET / HTTP/1.0\r\n\r\n", "GET\r\n", "GET / HTTP/1.0\r\n\r\nmore"}) {
    ByteWriter out;
    out.text(wrong);
    ByteReader in{out.bytes()};
    RequestHead head;
    head.restore(in);
    CHECK_FALSE(in.ok());
  }
}

}  // namespace chatd::http
