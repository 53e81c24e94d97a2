// Text, tried exhaustively: every string of one to three bytes, and every code point,
// against a short form of Unicode's definition: a well-formed string encodes a scalar value,
// and an ill-formed part is as long as it could still have become one; and against a list of what
// is hidden, by the properties of Unicode.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/characters.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"
#include "support/valgrind.hpp"

namespace chatd {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr bool kSlow = true;  // by far
#else
constexpr bool kSlow = false;
#endif

bool is_reduced() {
  return kSlow || chatd::test::under_valgrind();
}

std::string encoded(char32_t c) {
  std::string bytes;
  const auto put = [&bytes](char32_t byte) { bytes += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6U));
    put(0x80 | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12U));
    put(0x80 | ((c >> 6U) & 0x3FU));
    put(0x80 | (c & 0x3FU));
  } else {
    put(0xF0 | (c >> 18U));
    put(0x80 | ((c >> 12U) & 0x3FU));
    put(0x80 | ((c >> 6U) & 0x3FU));
    put(0x80 | (c & 0x3FU));
  }
  return bytes;
}

bool is_scalar(char32_t c) {
  return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

/// What begins with the given one to three bytes, found by encoding everything.
class Fronts {
 public:
  enum : std::uint8_t { kNothing = 0, kBeginning = 1, kWhole = 2 };

  Fronts() : of_three_(1U << 24U), of_two_(1U << 16U), of_one_(1U << 8U) {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
      if (!is_scalar(c)) continue;
      const std::string bytes = encoded(c);
      for (std::size_t size = 1; size <= std::min<std::size_t>(bytes.size(), 3); ++size) {
        slot(bytes.data(), size) = size == bytes.size() ? kWhole : kBeginning;
      }
    }
  }

  [[nodiscard]] std::uint8_t at(const char* bytes, std::size_t size) const {
    return const_cast<Fronts*>(this)->slot(bytes, size);
  }
  /// How long the character or the ill-formed part is that `text` begins with.
  [[nodiscard]] std::size_t front(std::string_view text, bool& whole) const {
    std::size_t size = 1;
    for (std::size_t longer = 1; longer <= text.size(); ++longer) {
      const auto what = at(text.data(), longer);
      if (what == kNothing) break;
      size = longer;
      whole = what == kWhole;
      if (whole) return size;
    }
    whole = false;
    return size;
  }

 private:
  std::uint8_t& slot(const char* bytes, std::size_t size) {
    const auto byte = [bytes](std::size_t i) {
      return std::size_t{static_cast<unsigned char>(bytes[i])};
    };
    if (size == 1) return of_one_[byte(0)];
    if (size == 2) return of_two_[byte(0) << 8U | byte(1)];
    return of_three_[byte(0) << 16U | byte(1) << 8U | byte(2)];
  }

  std::vector<std::uint8_t> of_three_;
  std::vector<std::uint8_t> of_two_;
  std::vector<std::uint8_t> of_one_;
};

/// How a code point is shown; a mark in the place of `marks` others, or without a base.
std::string shown(char32_t c, std::size_t marks = 0) {
  char escape[16];
  if (!is_deceptive(c) && !(is_mark(c) && marks >= kMostMarks)) return encoded(c);
  const char* format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
  std::snprintf(escape, sizeof escape, format, static_cast<unsigned>(c));
  return escape;
}

/// Everything that can be asked about one string of up to three bytes.
class Trial {
 public:
  Trial() {
    for (std::size_t c = 0; c < 256; ++c) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c));
      escapes_[c] = escape;
    }
    for (char32_t c = 0; c < 0x10000; ++c) {
      if (is_scalar(c)) shown_.push_back(shown(c));
      if (!is_scalar(c)) shown_.emplace_back();
    }
  }

  /// False if an answer is wrong.
  bool right(std::string_view text) {
    repaired_ = expected_repaired(text);
    out_.clear();
    append_repaired(out_, text);
    if (out_ != repaired_ || is_utf8(text) != well_ || incomplete_tail(text) != tail_) return false;
    out_.clear();
    append_escaped(out_, text);
    return out_ == shown_now_;
  }

 private:
  const std::string& expected_repaired(std::string_view text) {
    expected_.clear();
    shown_now_.clear();
    well_ = true;
    tail_ = 0;
    std::size_t marks = kMostMarks;  // since the last character that a mark can stand on
    for (std::size_t i = 0; i < text.size();) {
      bool whole = false;
      const auto size = fronts_.front(text.substr(i), whole);
      const auto part = text.substr(i, size);
      if (whole) {
        const char32_t c = code_point(part);
        expected_ += part;
        if (is_mark(c)) {
          shown_now_ += shown(c, marks++);
        } else {
          shown_now_ += shown_[c];
          marks = c == U'\t' || is_deceptive(c) ? kMostMarks : 0;
        }
      } else {
        well_ = false;
        marks = kMostMarks;
        expected_ += "\xEF\xBF\xBD";
        for (const char byte : part) shown_now_ += escapes_[static_cast<unsigned char>(byte)];
        // It may still become a character if more comes.
        const bool begins = fronts_.at(part.data(), size) == Fronts::kBeginning;
        if (begins && i + size == text.size()) tail_ = size;
      }
      i += size;
    }
    return expected_;
  }

  static char32_t code_point(std::string_view part) {
    const auto byte = [part](std::size_t i) {
      return char32_t{static_cast<unsigned char>(part[i])};
    };
    if (part.size() == 1) return byte(0);
    if (part.size() == 2) return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
  }

  Fronts fronts_;
  std::string escapes_[256];
  std::vector<std::string> shown_;  ///< by code point, of the first plane
  std::string expected_;
  std::string repaired_;
  std::string shown_now_;
  std::string out_;
  bool well_ = true;
  std::size_t tail_ = 0;
};

/// What must not be shown, stated once more: by property and purpose, where characters.cpp has
/// ranges in order.
bool must_be_hidden(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  const bool control = c <= 0x1F || within(0x7F, 0x9F);
  const bool direction =
      c == 0x061C || within(0x200E, 0x200F) || within(0x202A, 0x202E) || within(0x2066, 0x2069);
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool joiner = c == 0x034F || within(0x200B, 0x200D) || c == 0x2060 || c == 0xFEFF;
  const bool selector =
      within(0x180B, 0x180D) || c == 0x180F || within(0xFE00, 0xFE0F) || within(0xE0100, 0xE01EF);
  const bool filler = c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0 || c == 0x16FE4;
  const bool ignorable = c == 0xAD || within(0x17B4, 0x17B5) || c == 0x180E ||
                         within(0x2061, 0x2065) || within(0x206A, 0x206F) ||
                         within(0xFFF0, 0xFFF8) || within(0x1BCA0, 0x1BCA3) ||
                         within(0x1D173, 0x1D17A) || within(0xE0000, 0xE0FFF);
  const bool nothing_to_see =
      c == 0x2800 || c == 0x1D159 || c == 0xFFFC || within(0x13430, 0x1343F);
  const bool annotation = within(0xFFF9, 0xFFFB);
  const bool noncharacter = within(0xFDD0, 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
  return (control && c != '\t') || direction || separator || joiner || selector || filler ||
         ignorable || nothing_to_see || annotation || noncharacter || !is_scalar(c);
}

}  // namespace

TEST_CASE("text: hidden is what Unicode's properties say, and no other code point",
          "[core][text][exhaustive]") {
  std::size_t wrong = 0;
  for (char32_t c = 0; c <= 0x110001; ++c) {
    if (is_deceptive(c) != must_be_hidden(c)) ++wrong;
    if (is_mark(c) && must_be_hidden(c)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("text: every string of one to three bytes is repaired, judged and shown as it must be",
          "[core][text][exhaustive]") {
  Trial trial;
  // Where not all bytes are tried: second and third bytes of every kind.
  const bool all = !is_reduced();
  std::vector<unsigned> bytes;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool is_edge = (byte & 0x0FU) == 0 || (byte & 0x0FU) == 0x0FU || byte >= 0xF0;
    if (all || is_edge || byte == '\\' || byte == '\t' || byte == 0xC2) bytes.push_back(byte);
  }
  std::uint64_t wrong = 0;
  std::string first_wrong;
  const auto ask = [&](std::string_view text) {
    if (trial.right(text)) return;
    if (wrong++ == 0) first_wrong = text;
  };
  char text[3];
  ask({});
  for (unsigned one = 0; one < 256; ++one) {
    text[0] = static_cast<char>(one);
    ask({text, 1});
    for (const unsigned two : bytes) {
      text[1] = static_cast<char>(two);
      ask({text, 2});
      for (const unsigned three : bytes) {
        text[2] = static_cast<char>(three);
        ask({text, 3});
      }
    }
  }
  INFO("the first of them is " << escaped(first_wrong));
  CHECK(wrong == 0);
}

TEST_CASE("text: every code point is kept, judged and shown as it must be, wherever it stands",
          "[core][text][exhaustive]") {
  std::uint64_t wrong = 0;
  char32_t first_wrong = 0;
  std::string out;
  const char32_t step = is_reduced() ? 17 : 1;  // in the empty planes
  for (char32_t c = 0; c <= 0x10FFFF; c += c > 0x30000 ? step : 1) {
    if (!is_scalar(c)) {
      if (!is_deceptive(c)) ++wrong;
      continue;
    }
    const std::string bytes = encoded(c);
    // Alone, and at the end of a word and after it, where the fast ways begin and end.
    for (const std::string_view before : {"", "seven b", "eight by"}) {
      const std::string text = std::string{before} + bytes + "z";
      const std::string as_shown = shown(c, before.empty() ? kMostMarks : 0);
      out.clear();
      append_repaired(out, text);
      bool right = out == text && is_utf8(text);
      out.clear();
      append_escaped(out, text);
      right = right && out == std::string{before} + as_shown + "z";
      right = right && prefix_of(text, before.size() + bytes.size() - 1) == before;
      // Without its last byte it is a beginning, and no more.
      const std::string_view cut = std::string_view{text}.substr(0, text.size() - 2);
      right = right && incomplete_tail(cut) == bytes.size() - 1;
      if (right) continue;
      if (wrong++ == 0) first_wrong = c;
    }
  }
  INFO("the first of them is U+" << std::hex << static_cast<unsigned>(first_wrong));
  CHECK(wrong == 0);
}

}  // namespace chatd
