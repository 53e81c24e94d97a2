#include "http/request_line.hpp"

#include <array>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "support/catch.hpp"
#include "support/pieces.hpp"

namespace chatd::http {
namespace {

struct Row {
  std::string_view bytes;
  FirstLine is;
};

using test::bytes_of;

/// Beginnings of kPerhaps are kPerhaps as well, and what follows the others changes nothing.
constexpr auto kRows = std::to_array<Row>({
    // Requests, of whatever kind.
    {"GET / HTTP/1.1\r\n", FirstLine::kRequest},
    {"GET / HTTP/1.0\r\n", FirstLine::kRequest},
    {"HEAD /chat?a=b HTTP/1.1\r\nHost: x\r\n\r\n", FirstLine::kRequest},
    {"POST /login HTTP/1.1\r\n", FirstLine::kRequest},
    {"OPTIONS * HTTP/1.1\r\n", FirstLine::kRequest},
    {"CONNECT example.org:443 HTTP/1.1\r\n", FirstLine::kRequest},
    {"GET http://example.org/ HTTP/1.1\r\n", FirstLine::kRequest},
    {"M-SEARCH * HTTP/1.1\r\n", FirstLine::kRequest},
    {"VERSION-CONTROL / HTTP/1.1\r\n", FirstLine::kRequest},
    {"A b HTTP/1.1\r\n", FirstLine::kRequest},
    {"PRI / HTTP/1.1\r\n", FirstLine::kRequest},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n", FirstLine::kRequest},
    // The preface of HTTP/2.
    {"PRI * HTTP/2.0\r\n", FirstLine::kHttp2},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FirstLine::kHttp2},
    // What may still become one of them.
    {"", FirstLine::kPerhaps},
    {"G", FirstLine::kPerhaps},
    {"GET", FirstLine::kPerhaps},
    {"GET ", FirstLine::kPerhaps},
    {"GET well", FirstLine::kPerhaps},
    {"GET well ", FirstLine::kPerhaps},
    {"GET / H", FirstLine::kPerhaps},
    {"GET / HTTP/1.", FirstLine::kPerhaps},
    {"GET / HTTP/1.1", FirstLine::kPerhaps},
    {"GET / HTTP/1.1\r", FirstLine::kPerhaps},
    {"PRI * HTTP/", FirstLine::kPerhaps},
    {"PRI * HTTP/2.0\r", FirstLine::kPerhaps},
    {"HELLO", FirstLine::kPerhaps},
    // What people say, and what they type into netcat.
    {"GET well soon\n", FirstLine::kNo},
    {"GET well soon\r\n", FirstLine::kNo},
    {"GET / HTTP/1.1\n", FirstLine::kNo},
    {"GET / HTTP/1.0\n", FirstLine::kNo},
    {"GET\n", FirstLine::kNo},
    {"GET\r\n", FirstLine::kNo},
    {"GET /\r\n", FirstLine::kNo},
    {"hello", FirstLine::kNo},
    {"get / HTTP/1.1\r\n", FirstLine::kNo},
    {"Get / HTTP/1.1\r\n", FirstLine::kNo},
    {"\n", FirstLine::kNo},
    {"\r\nGET / HTTP/1.1\r\n", FirstLine::kNo},
    {" GET / HTTP/1.1\r\n", FirstLine::kNo},
    {"HELLO!", FirstLine::kNo},
    // Almost.
    {"GET  / HTTP/1.1\r\n", FirstLine::kNo},
    {"GET /  HTTP/1.1\r\n", FirstLine::kNo},
    {"GET / HTTP/1.1 \r\n", FirstLine::kNo},
    {"GET\t/ HTTP/1.1\r\n", FirstLine::kNo},
    {"GET / http/1.1\r\n", FirstLine::kNo},
    {"GET / HTTP/1.2\r\n", FirstLine::kNo},
    {"GET / HTTP/2.0\r\n", FirstLine::kNo},
    {"GET / HTTP/1.10\r\n", FirstLine::kNo},
    {"GET / HTTP/1.1\rX", FirstLine::kNo},
    {"GET / HTTP/1.1\r\r\n", FirstLine::kNo},
    {"GET /a b HTTP/1.1\r\n", FirstLine::kNo},
    {"GET /\x7F HTTP/1.1\r\n", FirstLine::kNo},
    {"GET /gr\xC3\xBC\xC3\x9F HTTP/1.1\r\n", FirstLine::kNo},
    {"PRI * HTTP/2.0\n", FirstLine::kNo},
    {"PRI * HTTP/2.1\r\n", FirstLine::kNo},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n", FirstLine::kNo},
    // Other protocols that begin at once.
    {bytes_of("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"), FirstLine::kNo},
    {bytes_of("GET / HTTP/1.1\0"), FirstLine::kNo},
    {bytes_of("\0"), FirstLine::kNo},
    {"SSH-2.0-OpenSSH_9.2p1\r\n", FirstLine::kNo},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", FirstLine::kNo},
    {"\xFF\xFD\x03", FirstLine::kNo},
});

}  // namespace

TEST_CASE("request_line: what is a request line, what is none, and what may become one",
          "[http][request_line]") {
  for (const auto& [bytes, is] : kRows) {
    INFO(escaped(bytes));
    CHECK(look_for_request(bytes) == is);
  }
}

TEST_CASE("request_line: byte by byte it says perhaps until it knows, and then never again differs",
          "[http][request_line]") {
  for (const auto& row : kRows) {
    INFO(escaped(row.bytes));
    auto said = FirstLine::kPerhaps;
    for (std::size_t size = 0; size <= row.bytes.size(); ++size) {
      const auto now = look_for_request(row.bytes.substr(0, size));
      if (said != FirstLine::kPerhaps) REQUIRE(now == said);
      said = now;
    }
    REQUIRE(said == row.is);
  }
}

TEST_CASE("request_line: a line has at most 8 KiB with its end", "[http][request_line]") {
  const std::string_view end = " HTTP/1.1\r\n";
  std::string line = "GET /";
  line.append(kMostHead - line.size() - end.size(), 'a');
  line += end;
  REQUIRE(line.size() == kMostHead);
  CHECK(look_for_request(line) == FirstLine::kRequest);
  CHECK(look_for_request(std::string_view{line}.substr(0, kMostHead - 1)) == FirstLine::kPerhaps);
  line.insert(5, "a");
  CHECK(look_for_request(std::string_view{line}.substr(0, kMostHead)) == FirstLine::kNo);
  CHECK(look_for_request(line) == FirstLine::kNo);
  CHECK(look_for_request("GET /" + std::string(100'000, 'a')) == FirstLine::kNo);
}

}  // namespace chatd::http
