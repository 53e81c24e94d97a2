// text against the definitions it comes from. The reference here knows no table of
// lead bytes: it encodes every character, and calls well-formed what is an
// encoding, and a beginning what is the front of one. utfcpp is asked as a third.
#include "base/text.hpp"

#include "base/characters.hpp"
#include "support/catch.hpp"

#include <utf8.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace {

using chatd::append_escaped;
using chatd::append_json;
using chatd::append_repaired;
using chatd::escaped;
using chatd::incomplete_tail;
using chatd::is_deceptive;
using chatd::is_mark;
using chatd::is_utf8;
using chatd::prefix_of;
using namespace std::string_view_literals;

const std::string kReplacement = "\xEF\xBF\xBD";

std::string encoded(char32_t c) {
  std::string out;
  utf8::append(c, std::back_inserter(out));
  return out;
}

template <class Do>
void for_every_character(Do&& each) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c < 0xD800 || c > 0xDFFF) each(c);
  }
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02X ", static_cast<unsigned char>(byte));
    out += digits.data();
  }
  return out;
}

/// Chapter 3.9 of The Unicode Standard, word for word.
class Reference {
 public:
  Reference() {
    characters_.reserve(0x110000);
    for_every_character([this](char32_t c) {
      const std::string whole = encoded(c);
      characters_.insert(key(whole));
      for (std::size_t size = 1; size < whole.size(); ++size) {
        beginnings_.insert(key(std::string_view{whole}.substr(0, size)));
      }
    });
  }

  struct Outcome {
    bool well_formed = true;
    std::string repaired;
    std::size_t tail = 0;
  };

  [[nodiscard]] Outcome judge(std::string_view bytes) const {
    Outcome outcome;
    for (std::size_t size = 1; size <= 3 && size <= bytes.size(); ++size) {
      if (is_beginning(bytes.substr(bytes.size() - size))) outcome.tail = size;
    }
    while (!bytes.empty()) {
      const std::size_t whole = character(bytes);
      if (whole > 0) {
        outcome.repaired += bytes.substr(0, whole);
        bytes.remove_prefix(whole);
      } else {
        outcome.well_formed = false;
        outcome.repaired += kReplacement;
        bytes.remove_prefix(maximal_subpart(bytes));
      }
    }
    return outcome;
  }

 private:
  static std::uint64_t key(std::string_view bytes) {
    std::uint64_t packed = 1;  // so that leading NULs count
    for (const char byte : bytes) packed = packed << 8U | static_cast<unsigned char>(byte);
    return packed;
  }
  [[nodiscard]] bool is_beginning(std::string_view bytes) const {
    return beginnings_.contains(key(bytes));
  }
  /// Bytes of the character at the front; 0 if there is none.
  [[nodiscard]] std::size_t character(std::string_view bytes) const {
    for (std::size_t size = 1; size <= 4 && size <= bytes.size(); ++size) {
      if (characters_.contains(key(bytes.substr(0, size)))) return size;
    }
    return 0;
  }
  /// The longest front that is the beginning of a character, or one byte.
  [[nodiscard]] std::size_t maximal_subpart(std::string_view bytes) const {
    std::size_t longest = 1;
    for (std::size_t size = 1; size <= 3 && size <= bytes.size(); ++size) {
      if (is_beginning(bytes.substr(0, size))) longest = size;
    }
    return longest;
  }

  std::unordered_set<std::uint64_t> characters_;
  std::unordered_set<std::uint64_t> beginnings_;
};

const Reference& reference() {
  static const Reference kInstance;
  return kInstance;
}

std::string repaired(std::string_view bytes) {
  std::string out;
  append_repaired(out, bytes);
  return out;
}

std::string json(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

void check(std::string_view bytes) {
  const Reference::Outcome expected = reference().judge(bytes);
  // A million assertions would take Catch longer than all that they assert.
  const bool good = is_utf8(bytes) == expected.well_formed &&
                    is_utf8(bytes) == utf8::is_valid(bytes.begin(), bytes.end()) &&
                    repaired(bytes) == expected.repaired && incomplete_tail(bytes) == expected.tail;
  if (!good) {
    CAPTURE(hex(bytes), is_utf8(bytes), hex(repaired(bytes)), incomplete_tail(bytes));
    CHECK(is_utf8(bytes) == expected.well_formed);
    CHECK(hex(repaired(bytes)) == hex(expected.repaired));
    CHECK(incomplete_tail(bytes) == expected.tail);
    FAIL("text and its reference disagree");
  }
}

char to_char(unsigned byte) {
  return static_cast<char>(static_cast<unsigned char>(byte));
}

/// A first byte of every kind that table 3-7 distinguishes.
constexpr std::array kFirstBytes = std::to_array<unsigned>(
    {0x41, 0x80, 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5});

/// Both sides of every border in it.
constexpr std::array kAnyBytes =
    std::to_array<unsigned>({0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0,
                             0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF});

}  // namespace

TEST_CASE("text: every string of one or two bytes is judged as Unicode defines", "[base][text]") {
  check("");
  for (unsigned a = 0; a < 256; ++a) {
    check(std::string{to_char(a)});
    for (unsigned b = 0; b < 256; ++b) check(std::string{to_char(a), to_char(b)});
  }
}

TEST_CASE("text: strings of three bytes of every kind are judged as Unicode defines",
          "[base][text]") {
  for (const unsigned a : kFirstBytes) {
    for (unsigned b = 0; b < 256; ++b) {
      for (unsigned c = 0; c < 256; ++c) check(std::string{to_char(a), to_char(b), to_char(c)});
    }
  }
}

// Takes a minute without optimization: test_base "[exhaustive]".
TEST_CASE("text: every string of three bytes is judged as Unicode defines",
          "[base][text][exhaustive][.]") {
  for (unsigned number = 0; number < 0x1000000; ++number) {
    check(std::string{to_char(number >> 16U), to_char(number >> 8U), to_char(number)});
  }
}

TEST_CASE("text: strings of four bytes of every kind are judged as Unicode defines",
          "[base][text]") {
  for (const unsigned a : kFirstBytes) {
    for (const unsigned b : kAnyBytes) {
      for (const unsigned c : kAnyBytes) {
        for (const unsigned d : kAnyBytes) {
          check(std::string{to_char(a), to_char(b), to_char(c), to_char(d)});
        }
      }
    }
  }
}

TEST_CASE("text: what is ill-formed is found wherever it stands in a long string", "[base][text]") {
  // Words of eight bytes are looked at together; the place in the word must not matter.
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const std::string_view part : {"\x80"sv, "\xFF"sv, "\xE2\x82"sv, "\xF0\x9F\x98\x80"sv}) {
        std::string bytes(size, 'a');
        bytes.replace(at, 1, part);
        check(bytes);
      }
    }
  }
}

TEST_CASE("text: one replacement for each maximal ill-formed part", "[base][text]") {
  struct Row {
    std::string_view bytes;
    std::string_view with_question_marks;
  };
  const auto row = GENERATE(values<Row>({
      {"\xE0\x80\x80", "???"},
      {"\xF0\x90\x80", "?"},
      {"\xED\xA0\x80", "???"},
      {"\xC0\xAF", "??"},
      {"\xF4\x90\x80\x80", "????"},
      {"\xE2\x82\x41", "?A"},
      {"\xF0\x80\x80\x41", "???A"},
      {"\xE2\x82\xE2\x82\xAC", "?\xE2\x82\xAC"},
      // Unicode's table 3-8, and 3-11 for the truncated ones.
      {"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", "a???b?c??d"},
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "????A"},
      {"\xF5\x80\xFE\xFF", "????"},
  }));
  std::string expected;
  for (const char c : row.with_question_marks) {
    if (c == '?') {
      expected += kReplacement;
    } else {
      expected += c;
    }
  }
  CHECK(hex(repaired(row.bytes)) == hex(expected));
}

TEST_CASE("text: only what may still become a character is an incomplete tail", "[base][text]") {
  struct Row {
    std::string_view bytes;
    std::size_t tail;
  };
  const auto row = GENERATE(values<Row>({
      {"", 0},
      {"abc", 0},
      {"\xC3", 1},
      {"abc\xE2\x82", 2},
      {"\xF0\x9F\x98", 3},
      {"\xF0\x9F\x98\x80", 0},
      {"\xE2\x82\xAC\xE2", 1},
      {"\xE0", 1},
      {"\xE0\x80", 0},
      {"\xE0\xA0", 2},
      {"\xED\xA0", 0},
      {"\xED\x9F", 2},
      {"\xF0\x80", 0},
      {"\xF4\x90", 0},
      {"\xF4\x8F\xBF", 3},
      {"\xC0", 0},
      {"\xC1", 0},
      {"\xF5", 0},
      {"\xFF", 0},
      {"\x80\x80\x80", 0},
      {"\xC3\xA9\x80", 0},
  }));
  CAPTURE(hex(row.bytes));
  CHECK(incomplete_tail(row.bytes) == row.tail);
}

TEST_CASE("text: a text in pieces is whole again when the tails wait", "[base][text]") {
  const std::string text = "h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80 \xD0\x9F!";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      const std::array pieces = {text.substr(0, first), text.substr(first, second - first),
                                 text.substr(second)};
      std::string waiting;
      std::string out;
      for (const std::string& piece : pieces) {
        waiting += piece;
        const std::size_t ready = waiting.size() - incomplete_tail(waiting);
        append_repaired(out, std::string_view{waiting}.substr(0, ready));
        waiting.erase(0, ready);
      }
      REQUIRE(out == text);
      REQUIRE(waiting.empty());
    }
  }
}

TEST_CASE("text: a prefix ends between characters at every length", "[base][text]") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";  // 1 + 2 + 3 + 4 + 1 bytes
  const std::vector<std::size_t> expected = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
  for (std::size_t max_bytes = 0; max_bytes < expected.size(); ++max_bytes) {
    CAPTURE(max_bytes);
    CHECK(prefix_of(text, max_bytes) == text.substr(0, expected[max_bytes]));
  }
  CHECK(prefix_of(text, 1000) == text);
  CHECK(prefix_of("", 0).empty());
}

TEST_CASE("text: what deceives and what does not", "[base][text]") {
  struct Row {
    char32_t first;
    char32_t last;
    bool deceptive;
  };
  const auto row = GENERATE(values<Row>({
      {0x00, 0x08, true},              // controls
      {0x09, 0x09, false},             // tab
      {0x0A, 0x1F, true},              // LF, CR, ESC
      {0x20, 0x7E, false},             // ASCII
      {0x7F, 0x9F, true},              // DEL, C1
      {0xA0, 0xAC, false},             // Latin 1
      {0xAD, 0xAD, true},              // soft hyphen
      {0xAE, 0x34E, false},            // Latin, combining marks
      {0x34F, 0x34F, true},            // grapheme joiner
      {0x350, 0x61B, false},           // Greek, Cyrillic, Hebrew, Arabic
      {0x61C, 0x61C, true},            // Arabic letter mark
      {0x61D, 0x115E, false},          //
      {0x115F, 0x1160, true},          // Hangul fillers
      {0x1161, 0x17B3, false},         //
      {0x17B4, 0x17B5, true},          // Khmer
      {0x17B6, 0x180A, false},         //
      {0x180B, 0x180F, true},          // Mongolian variation selectors, vowel separator
      {0x1810, 0x200A, false},         // spaces of every width
      {0x200B, 0x200F, true},          // zero width, marks
      {0x2010, 0x2027, false},         // dashes, quotes
      {0x2028, 0x202E, true},          // separators, embeddings, overrides
      {0x202F, 0x205F, false},         //
      {0x2060, 0x206F, true},          // isolates
      {0x2070, 0x27FF, false},         // symbols
      {0x2800, 0x2800, true},          // Braille without dots
      {0x2801, 0x3163, false},         //
      {0x3164, 0x3164, true},          // Hangul filler
      {0x3165, 0xD7FF, false},         // CJK, Hangul
      {0xD800, 0xDFFF, true},          // surrogates
      {0xE000, 0xFDCF, false},         // private use, compatibility, Arabic forms
      {0xFDD0, 0xFDEF, true},          // noncharacters
      {0xFDF0, 0xFDFF, false},         //
      {0xFE00, 0xFE0F, true},          // variation selectors, those of emoji too
      {0xFE10, 0xFEFE, false},         //
      {0xFEFF, 0xFEFF, true},          // byte order mark
      {0xFF00, 0xFF9F, false},         // fullwidth
      {0xFFA0, 0xFFA0, true},          // halfwidth Hangul filler
      {0xFFA1, 0xFFEF, false},         //
      {0xFFF0, 0xFFFC, true},          // interlinear annotation, object replacement
      {0xFFFD, 0xFFFD, false},         // what we put for ill-formed bytes
      {0xFFFE, 0xFFFF, true},          // noncharacters
      {0x10000, 0x1342F, false},       //
      {0x13430, 0x1343F, true},        // controls of hieroglyphs
      {0x13440, 0x16FE3, false},       //
      {0x16FE4, 0x16FE4, true},        // Khitan filler
      {0x16FE5, 0x1BC9F, false},       //
      {0x1BCA0, 0x1BCA3, true},        // shorthand
      {0x1BCA4, 0x1D158, false},       //
      {0x1D159, 0x1D159, true},        // null note-head
      {0x1D15A, 0x1D172, false},       //
      {0x1D173, 0x1D17A, true},        // musical
      {0x1D17B, 0x1FFFD, false},       // emoji
      {0x1FFFE, 0x1FFFF, true},        // noncharacters
      {0x20000, 0x2FFFD, false},       // CJK
      {0x2FFFE, 0x2FFFF, true},        // noncharacters
      {0x30000, 0x3FFFD, false},       // CJK
      {0xDFFFE, 0xDFFFF, true},        // noncharacters
      {0xE0000, 0xE0FFF, true},        // tags
      {0xE1000, 0xEFFFD, false},       //
      {0xEFFFE, 0xEFFFF, true},        // noncharacters
      {0xF0000, 0xFFFFD, false},       // private use
      {0xFFFFE, 0xFFFFF, true},        // noncharacters
      {0x100000, 0x10FFFD, false},     // private use
      {0x10FFFE, 0x10FFFF, true},      // noncharacters
      {0x110000, 0x110100, true},      // no characters
      {0xFFFFFFF0, 0xFFFFFFFE, true},  //
  }));
  CAPTURE(static_cast<std::uint32_t>(row.first));
  std::size_t wrong = 0;
  for (char32_t c = row.first; c <= row.last; ++c) {
    if (is_deceptive(c) != row.deceptive) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("text: escapes as people are shown them", "[base][text]") {
  struct Row {
    std::string_view text;
    std::string_view shown;
  };
  const auto row = GENERATE(values<Row>({
      {"", ""},
      {"plain text, a\ttab and %s %n", "plain text, a\ttab and %s %n"},
      {"h\xC3\xA9llo \xF0\x9F\x98\x80", "h\xC3\xA9llo \xF0\x9F\x98\x80"},
      {"\xE2\x9D\xA4\xEF\xB8\x8F", "\xE2\x9D\xA4\\ufe0f"},  // a red heart
      {"1\xEF\xB8\x8F\xE2\x83\xA3", "1\\ufe0f\\u20e3"},     // a keycap
      {"e\xCC\x81", "e\xCC\x81"},                           // a combining mark
      {"\xCC\x81", "\\u0301"},                              // with nothing to stand on
      {" \xCC\x81", " \xCC\x81"},
      {"\t\xCC\x81", "\t\\u0301"},
      {"\x1B\xCC\x81", "\\x1b\\u0301"},
      {"\xE2\x80\x8B\xCC\x81\xCC\x81", "\\u200b\\u0301\\u0301"},
      {"\xFF\xCC\x81", "\\xff\\u0301"},
      {"\x1B[2J", "\\x1b[2J"},
      {"a\nb\r", "a\\x0ab\\x0d"},
      {"\0nul\0"sv, "\\x00nul\\x00"},
      {"\x7F", "\\x7f"},
      {"\xC2\x9B", "\\x9b"},
      {"\x9B", "\\x9b"},  // the same as a byte: not UTF-8
      {"\xE2\x80\xAEtxt.exe\xE2\x80\xAC", "\\u202etxt.exe\\u202c"},
      {"\xE2\x80\x8B", "\\u200b"},
      {"\xF3\xA0\x81\x81", "\\U000e0041"},
      {"\xE2\x82", "\\xe2\\x82"},
      {"\xE2\x82 \xFF", "\\xe2\\x82 \\xff"},
      {"\\x1b stays", "\\x1b stays"},
  }));
  CHECK(escaped(row.text) == row.shown);
}

TEST_CASE("text: every character is escaped or passes as it is", "[base][text]") {
  for_every_character([](char32_t c) {
    const std::string text = encoded(c);
    const std::string shown = escaped(text);
    std::size_t deceptive = 0;
    for (auto at = shown.begin(); at != shown.end();) {
      if (is_deceptive(utf8::next(at, shown.end()))) ++deceptive;
    }
    const bool passed = shown == text;
    // A mark alone stands on nothing.
    if (deceptive != 0 || passed == (is_deceptive(c) || is_mark(c))) {
      CAPTURE(static_cast<std::uint32_t>(c), shown);
      FAIL("a deceptive character passed, or a good one did not");
    }
  });
}

TEST_CASE("text: a control is found wherever it stands in a long string", "[base][text]") {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 0x80; ++byte) {
        std::string text(size, 'a');
        text[at] = to_char(byte);
        std::string expected(size, 'a');
        if (is_deceptive(byte)) {
          std::array<char, 5> shown{};
          std::snprintf(shown.data(), shown.size(), "\\x%02x", byte);
          expected.replace(at, 1, shown.data());
        } else {
          expected[at] = to_char(byte);
        }
        if (escaped(text) != expected) {
          CAPTURE(size, at, byte, escaped(text));
          FAIL("the place of a byte in the text changes how it is shown");
        }
        if (nlohmann::json::parse('"' + json(text) + '"') != text) {
          CAPTURE(size, at, byte, json(text));
          FAIL("the place of a byte in the text changes what JSON carries");
        }
      }
    }
  }
}

TEST_CASE("text: what is appended leaves what was there", "[base][text]") {
  std::string out = "before:";
  append_repaired(out,
                  "\xFF"
                  "a");
  append_escaped(out,
                 "\x1B"
                 "b");
  append_json(out, "\"c");
  CHECK(out == "before:" + kReplacement + "a\\x1bb\\\"c");
}

TEST_CASE("text: JSON as it is written", "[base][text]") {
  struct Row {
    std::string_view text;
    std::string_view written;
  };
  const auto row = GENERATE(values<Row>({
      {"", ""},
      {"say \"hi\" \\ / <b>", "say \\\"hi\\\" \\\\ / <b>"},
      {"a\tb\nc\r\n", "a\\tb\\nc\\r\\n"},
      {"\0\x08\x0C\x1B\x7F"sv, "\\u0000\\u0008\\u000c\\u001b\\u007f"},
      {"h\xC3\xA9 \xF0\x9F\x98\x80", "h\xC3\xA9 \xF0\x9F\x98\x80"},
      {"\xC2\x85\xE2\x80\xAE\xE2\x80\xAC", "\\u0085\\u202e\\u202c"},
      {"\xF3\xA0\x81\x81", "\\udb40\\udc41"},
      {"\xE2\x82"
       "A\xC0\xAF",
       "\xEF\xBF\xBD"
       "A\xEF\xBF\xBD\xEF\xBF\xBD"},
  }));
  CHECK(json(row.text) == row.written);
}

TEST_CASE("text: JSON brings every character back and shows no deceptive one", "[base][text]") {
  std::string all;  // a thousand at a time, because the parser is slow
  const auto check_all = [&all] {
    const std::string written = json(all);
    std::size_t deceptive = 0;
    for (auto at = written.begin(); at != written.end();) {
      const char32_t c = utf8::next(at, written.end());
      if (is_deceptive(c) || c == '\t') ++deceptive;
    }
    REQUIRE(deceptive == 0);
    REQUIRE((nlohmann::json::parse('"' + written + '"').get<std::string>() == all));
    all.clear();
  };
  std::size_t count = 0;
  for_every_character([&](char32_t c) {
    all += encoded(c);
    if (++count % 1024 == 0) check_all();
  });
  check_all();
}

TEST_CASE("text: JSON carries ill-formed bytes as their repair", "[base][text]") {
  for (const unsigned a : kFirstBytes) {
    for (unsigned b = 0; b < 256; ++b) {
      for (const unsigned c : kAnyBytes) {
        const std::string bytes{to_char(a), to_char(b), to_char(c), '"'};
        if (nlohmann::json::parse('"' + json(bytes) + '"') != repaired(bytes)) {
          CAPTURE(hex(bytes), json(bytes));
          FAIL("what JSON carries is not what append_repaired makes");
        }
      }
    }
  }
}
