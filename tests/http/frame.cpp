#include "http/frame.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "support/catch.hpp"
#include "support/pieces.hpp"

namespace chatd::http {
namespace {

using test::bytes_of;

std::string text(std::string_view bytes) {
  std::string out;
  append_text(out, bytes);
  return out;
}

std::string close(std::uint16_t code, std::string_view reason = {}) {
  std::string out;
  append_close(out, code, reason);
  return out;
}

}  // namespace

TEST_CASE("frame: a text has the shortest head, and no mask", "[http][frame]") {
  CHECK(text("Hello") == "\x81\x05Hello");  // RFC 6455, section 5.7
  CHECK(text("") == bytes_of("\x81\x00"));
  struct Row {
    std::size_t size;
    std::string_view head;
  };
  static constexpr auto kRows = std::to_array<Row>({
      {125, "\x81\x7D"},
      {126, bytes_of("\x81\x7E\x00\x7E")},
      {127, bytes_of("\x81\x7E\x00\x7F")},
      {65'535, "\x81\x7E\xFF\xFF"},
      {65'536, bytes_of("\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00")},
      {70'000, bytes_of("\x81\x7F\x00\x00\x00\x00\x00\x01\x11\x70")},
  });
  for (const auto& [size, head] : kRows) {
    INFO(size);
    const std::string payload(size, 'x');
    CHECK(text(payload) == std::string{head} + payload);
    CHECK(head.size() <= kMostFrameHead);
  }
}

TEST_CASE("frame: it is appended, and what was there stays", "[http][frame]") {
  std::string out = "before";
  append_ping(out, "a");
  append_pong(out, "bc");
  append_text(out, "d");
  CHECK(out ==
        "before\x89\x01"
        "a\x8A\x02"
        "bc\x81\x01"
        "d");
  out.clear();
  append_pong(out, std::string(kMostControl, 'p'));
  CHECK(out == "\x8A\x7D" + std::string(kMostControl, 'p'));
}

TEST_CASE("frame: a close has a code and a reason that fits", "[http][frame]") {
  CHECK(close(kNormalClosure) == "\x88\x02\x03\xE8");
  CHECK(close(kNoCode) == bytes_of("\x88\x00"));
  CHECK(close(kServiceRestart, "back soon") ==
        "\x88\x0B\x03\xF4"
        "back soon");
  CHECK(close(4999) == "\x88\x02\x13\x87");
  const auto longest = std::string(123, 'r');
  CHECK(close(kGoingAway, longest) == "\x88\x7D\x03\xE9" + longest);
  CHECK(close(kGoingAway, longest + "s") == "\x88\x7D\x03\xE9" + longest);
  // Not within a character.
  const auto almost = std::string(122, 'r');
  CHECK(close(kGoingAway, almost + "\xC3\xBC") == "\x88\x7C\x03\xE9" + almost);
}

TEST_CASE("frame: which codes may stand in a close", "[http][frame]") {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const bool defined = code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
    const bool ranges = code >= 3000 && code < 5000;
    if (is_close_code(static_cast<std::uint16_t>(code)) != (defined || ranges)) FAIL(code);
  }
}

}  // namespace chatd::http
