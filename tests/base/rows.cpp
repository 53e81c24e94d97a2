// Lines in, rows of a terminal out.
#include "base/rows.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/characters.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"

namespace chatd {
namespace {

std::string rows(std::string_view line, std::size_t columns, std::size_t hang) {
  std::string out;
  append_rows(out, line, {columns, hang}, "\n");
  return out;
}

/// The code points of well-formed text.
std::u32string decoded(std::string_view text) {
  std::u32string all;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t c = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      c = (c << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    all += c;
    i += size;
  }
  return all;
}

/// A terminal that draws everything as wide as it can be.
std::size_t widest(std::u32string_view row) {
  std::size_t width = 0;
  bool color = false;
  for (const char32_t c : row) {
    if (c == 0x1B) color = true;
    if (!color) width += most_columns(c, false);
    if (color && c == U'm') color = false;
  }
  return width;
}

}  // namespace

TEST_CASE("rows: a line that fits stays, one that does not hangs under its prefix",
          "[base][rows]") {
  CHECK(rows("[3] hello", 80, 4) == "[3] hello\n");
  CHECK(rows("", 80, 4) == "\n");
  CHECK(rows("[3] 456789", 10, 4) == "[3] 456789\n");
  CHECK(rows("[3] 456789a", 10, 4) == "[3] 456789\n    a\n");
  CHECK(rows("[3] 456789abcdefghi", 10, 4) == "[3] 456789\n    abcdef\n    ghi\n");
  // Who pads a text with blanks to the width gets no first column.
  CHECK(rows("[3] x" + std::string(5, ' ') + "[7] forged", 10, 4) ==
        "[3] x     \n    [7] \n    forged\n");
  // Not on a terminal.
  CHECK(rows("[3] " + std::string(200, 'x'), 0, 4) == "[3] " + std::string(200, 'x') + "\n");
  CHECK(rows("a\tb", 0, 4) == "a\tb\n");
}

TEST_CASE("rows: words and addresses stay whole where a row has room for them", "[base][rows]") {
  CHECK(rows("[3] one two three", 12, 4) == "[3] one two \n    three\n");
  CHECK(rows("[3] one twos three", 12, 4) == "[3] one twos\n    three\n");
  CHECK(rows("[3] one twos  three", 12, 4) == "[3] one twos\n     three\n");
  CHECK(rows("[3] one twos ", 12, 4) == "[3] one twos\n");
  CHECK(rows("[3] see http://a.example/b", 24, 4) == "[3] see \n    http://a.example/b\n");
  // What has room in no row is not moved.
  CHECK(rows("[3] a 0123456789", 12, 4) == "[3] a 012345\n    6789\n");
  CHECK(rows("[3] \u4E00\u4E01\u4E02 abcd", 12, 4) == "[3] \u4E00\u4E01\u4E02 \n    abcd\n");
  // Scripts without blanks are broken anywhere.
  CHECK(rows("[3] a \u4E00\u4E01\u4E02\u4E03", 12, 4) == "[3] a \u4E00\u4E01\u4E02\n    \u4E03\n");
  CHECK(rows("\x1b[36m[3]\x1b[0m \x1b[1mone three\x1b[0m", 12, 4) ==
        "\x1b[36m[3]\x1b[0m \x1b[1mone \x1b[0m\n    \x1b[1mthree\x1b[0m\n");
}

TEST_CASE("rows: an indent leaves room for text, whatever was wished", "[base][rows]") {
  CHECK(rows("0123456789abc", 10, 40) == "0123456789\n     abc\n");
  CHECK(rows("0123456789abc", 10, 0) == "0123456789\n abc\n");
  CHECK(rows("012345", 4, 9) == "0123\n  45\n");
  // Where there is no room for an indent and a character, there are no rows.
  CHECK(rows("012345", 3, 2) == "012345\n");
}

TEST_CASE("rows: characters are as wide as any terminal may draw them", "[base][rows]") {
  CHECK(rows("12345678\u4E00\u4E00", 10, 2) == "12345678\u4E00\n  \u4E00\n");
  CHECK(rows("123456789\u4E00", 10, 2) == "123456789\n  \u4E00\n");
  CHECK(rows("123456789\U0001F98A", 10, 2) == "123456789\n  \U0001F98A\n");
  CHECK(rows("123456789\u00E9", 10, 2) == "123456789\u00E9\n");
  CHECK(rows("123456789\u044F", 10, 2) == "123456789\u044F\n");
  CHECK(rows("123456789\u2026", 10, 2) == "123456789\u2026\n");
  std::string wide;
  append_rows(wide, "123456789\u044F", {10, 2, true}, "\n");
  CHECK(wide == "123456789\n  \u044F\n");
  // Ambiguous ones, flags, what a later Unicode may make wide.
  for (const std::string_view c : {"\u2500", "\u2460", "\U0001F1E9", "\U0001FAFF", "\uE000",
                                   "\U0003FFF0", "\uFF21", "\uAC00"}) {
    CAPTURE(c);
    CHECK(rows("123456789" + std::string{c}, 10, 2) == "123456789\n  " + std::string{c} + "\n");
  }
}

TEST_CASE("rows: a character is not taken from its marks", "[base][rows]") {
  CHECK(rows("123456789e\u0301", 10, 2) == "123456789\n  e\u0301\n");
  CHECK(rows("12345678e\u0301", 10, 2) == "12345678e\u0301\n");
  // Unless there are more of them than a row has room for.
  CHECK(rows("e\u0301\u0301\u0301\u0301", 4, 2) == "e\u0301\u0301\u0301\n  \u0301\n");
}

TEST_CASE("rows: a tab goes to the next stop and no further than the row", "[base][rows]") {
  CHECK(rows("[3]\tx", 20, 4) == "[3]     x\n");
  CHECK(rows("[3] 456789abc\tde", 15, 4) == "[3] 456789abc  \n    de\n");
  CHECK(rows("[3] 456789\tde", 10, 4) == "[3] 456789\n        de\n");
}

TEST_CASE("rows: colours end with a row and go on in the next", "[base][rows]") {
  CHECK(rows("\x1b[36m[3]\x1b[0m \x1b[1m56789abc\x1b[0m", 9, 4) ==
        "\x1b[36m[3]\x1b[0m \x1b[1m56789\x1b[0m\n    \x1b[1mabc\x1b[0m\n");
  CHECK(rows("\x1b[36m[3]\x1b[0m 56789abc", 9, 4) == "\x1b[36m[3]\x1b[0m 56789\n    abc\n");
  CHECK(rows("\x1b[36m[3] 56789\x1b[0m", 9, 4) == "\x1b[36m[3] 56789\x1b[0m\n");
}

TEST_CASE("rows: a line end inside a line begins a row that hangs", "[base][rows]") {
  CHECK(rows("a\n[7] forged", 20, 4) == "a\n    [7] forged\n");
}

TEST_CASE("rows: whatever it is, no row is too wide and only the first begins in the first column",
          "[base][rows]") {
  std::mt19937 random{13};
  const auto below = [&random](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>{0, most - 1}(random);
  };
  const std::vector<std::string> parts{" ",      "[7] forged", "x",      "\u4E00",
                                       "\u0301", "\U0001F469", "\u00E9", "\u2028",
                                       "\u2500", "\uFE0F",     "\xFF",   "                    ",
                                       "\u3000", "\U000E0041", "\u1161"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t i = below(60); i > 0; --i) text += parts[below(parts.size())];
    const std::size_t columns = 4 + below(60);
    const std::size_t hang = below(70);
    std::string line = "[3] " + escaped(text);
    if (below(2) == 0) line = "\x1b[36m[3]\x1b[0m \x1b[1m" + escaped(text) + "\x1b[0m";
    const std::string all = rows(line, columns, hang);
    REQUIRE(all.ends_with('\n'));
    std::string joined;
    std::string_view rest = all;
    for (bool first = true; !rest.empty(); first = false) {
      const std::size_t end = rest.find('\n');
      std::string_view row = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      CAPTURE(line, columns, hang, row);
      REQUIRE(widest(decoded(row)) <= columns);
      if (!first) {
        const std::size_t indent = std::clamp<std::size_t>(hang, 1, columns / 2);
        REQUIRE(row.substr(0, indent) == std::string(indent, ' '));
        row.remove_prefix(indent);
      }
      joined += row;
    }
    const auto without_colors = [](std::string shown) {
      for (const std::string_view code : {"\x1b[36m", "\x1b[1m", "\x1b[0m"}) {
        for (std::size_t at = 0; (at = shown.find(code)) != std::string::npos;) {
          shown.erase(at, code.size());
        }
      }
      // One blank may have become the end of a row.
      std::erase(shown, ' ');
      return shown;
    };
    REQUIRE(without_colors(joined) == without_colors(line));
  }
}

}  // namespace chatd
