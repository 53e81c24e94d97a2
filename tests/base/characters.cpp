// Single characters: the marks of scripts that are written with them, and what is shown of a run.
#include "base/characters.hpp"

#include <string>
#include <string_view>

#include "base/text.hpp"
#include "support/catch.hpp"

namespace chatd {
namespace {

/// One of each: is it a mark?
constexpr std::u32string_view kMarks =
    U"\u0300\u0301\u036F\u0483\u0489\u0591\u05B0\u05C7\u064B\u0670\u093C\u0941\u094D\u0E31\u0E34"
    U"\u0E48"
    U"\u0EC8\u0F71\u0F90\u1039\u20D0\u20E3\u302A\u3099\uA670\uFE20\U00010A01\U0001D167\U0001E8D0"
    U"\U0001E94A";
/// Spacing marks (Mc), letters, modifiers, emoji, jamo: they take room.
constexpr std::u32string_view kOthers =
    U"a\U0001D165\u00B4\u02C6\u0370\u0903\u093E\u0E01\u0E33\u1100\u1161\u3042\u309B\u4E00\uAC00"
    U"\uFFFD"
    U"\U0001F3FD"
    U"\U0001F600\U0001F1E9\U00020000\U000F0000";

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("characters: marks are those that take no room of their own", "[base][characters]") {
  for (const char32_t c : kMarks) {
    CAPTURE(static_cast<unsigned>(c));
    CHECK(is_mark(c));
  }
  for (const char32_t c : kOthers) {
    CAPTURE(static_cast<unsigned>(c));
    CHECK(kind_of(c) == CharacterKind::kVisible);
  }
}

TEST_CASE("characters: a run of marks is cut after eight", "[base][characters]") {
  const std::string mark = "\u0301";
  CHECK(escaped("e" + times(8, mark)) == "e" + times(8, mark));
  CHECK(escaped("e" + times(9, mark)) == "e" + times(8, mark) + "\\u0301");
  CHECK(escaped("e" + times(11, mark) + "f" + mark) ==
        "e" + times(8, mark) + times(3, "\\u0301") + "f" + mark);
  // Whatever marks they are, and in JSON as well.
  CHECK(escaped("e" + times(5, "\u0301\u0332")) ==
        "e" + times(4, "\u0301\u0332") + "\\u0301\\u0332");
  std::string json;
  append_json(json, mark + "\"" + mark + "e" + times(9, mark));
  CHECK(json == "\\u0301\\\"\\u0301e" + times(8, mark) + "\\u0301");
  // What is shown is shown as it is when it is escaped once more.
  const std::string shown = escaped(times(30, mark) + "e" + times(30, mark));
  CHECK(escaped(shown) == shown);
}

TEST_CASE("characters: what people write in their languages stays as it is", "[base][characters]") {
  for (const std::string_view text :
       {"Ti\u1EBFng Vi\u1EC7t", "Tie\u0302\u0301ng Vie\u0323\u0302t",
        "\u0939\u093F\u0928\u094D\u0926\u0940", "\u0E17\u0E35\u0E48\u0E19\u0E35\u0E48",
        "\u05D1\u05BC\u05B0\u05E8\u05B5\u05D0\u05E9\u05B4\u05C1\u0596\u05D9\u05EA",
        "\u0F66\u0F92\u0FB2\u0F74\u0F56", "\u1019\u103C\u1014\u103A\u1019\u102C", "\u304B\u3099",
        "\U0001F44D\U0001F3FD \U0001F1E9\U0001F1EA", "\u00A0\u202F\u3000"}) {
    CHECK(escaped(text) == text);
  }
}

}  // namespace chatd
