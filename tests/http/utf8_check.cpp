#include "http/utf8_check.hpp"

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"

namespace chatd::http {
namespace {

/// Whether something could make these bytes well-formed.
bool may_become_utf8(std::string_view bytes) {
  return is_utf8(bytes.substr(0, bytes.size() - incomplete_tail(bytes)));
}

}  // namespace

TEST_CASE(
    "utf8_check: every sequence of four telling bytes, one by one, is judged as it is at once",
    "[http][utf8_check]") {
  // One of each kind that Unicode's table 3-7 tells apart.
  static constexpr std::string_view kBytes =
      "a\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC2\xDF\xE0\xE1\xED\xEE\xF0\xF1\xF4\xF5\xFF";
  std::size_t taken = 0;
  const auto size = kBytes.size();
  for (std::size_t number = 0; number < size * size * size * size; ++number) {
    const std::array<char, 4> bytes = {kBytes[number % size], kBytes[number / size % size],
                                       kBytes[number / size / size % size],
                                       kBytes[number / size / size / size]};
    const std::string_view all{bytes.data(), bytes.size()};
    Utf8Check check;
    std::size_t good = 0;
    while (good < all.size() && check.take(all.substr(good, 1))) ++good;
    for (std::size_t count = 0; count <= all.size(); ++count) {
      if (may_become_utf8(all.substr(0, count)) != (count <= good)) FAIL(escaped(all));
    }
    if (good == all.size() && check.is_whole() != is_utf8(all)) FAIL(escaped(all));
    if (good == all.size()) ++taken;
  }
  CHECK(taken > 1'000);
}

TEST_CASE("utf8_check: it is written down and read back inside of a character",
          "[http][utf8_check]") {
  for (const std::string_view begun : {"", "\xC3", "\xE2\x82", "\xF0\x9F\x98"}) {
    Utf8Check before;
    REQUIRE(before.take(begun));
    CHECK(before.is_whole() == begun.empty());
    ByteWriter out;
    before.save(out);
    ByteReader in{out.bytes()};
    Utf8Check after;
    after.restore(in);
    REQUIRE(in.finished());
    CHECK(after == before);
  }
  for (const std::string_view wrong : {"a", "\x80", "\xE2\x82\xAC", "\xFF", "a\xC3", "\xC3\xC3"}) {
    ByteWriter out;
    out.text(wrong);
    ByteReader in{out.bytes()};
    Utf8Check check;
    check.restore(in);
    CHECK_FALSE(in.ok());
  }
}

}  // namespace chatd::http
