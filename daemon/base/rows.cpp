#include "base/rows.hpp"

#include <algorithm>
#include <cstdint>

#include "base/characters.hpp"
#include "base/environment.hpp"

namespace chatd {
namespace {

constexpr std::size_t kLeastColumns = 4;  // an indent and a wide character, and one to spare
constexpr std::size_t kTabStop = 8;
constexpr std::string_view kPlain = "\x1b[0m";

struct Character {
  char32_t code_point;
  std::size_t size;  // bytes
};

/// The character at the front of well-formed text; of anything else, one byte after the other.
Character front_of(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size == 1 || size > text.size()) return {first, 1};
  char32_t c = first & (0x7FU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    c = (c << 6U) | (static_cast<unsigned char>(text[at]) & 0x3FU);
  }
  return {c, size};
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Whether a row may end before and behind it: ideographs, kana, Hangul, emoji.
bool stands_alone(char32_t c) {
  return c >= 0x2E80 && !is_mark(c) && most_columns(c, false) == 2;
}

std::size_t size_of_color(std::string_view line) {
  return std::min(line.find('m'), line.size() - 1) + 1;
}

/// Puts one line into rows.
class Rows {
 public:
  Rows(std::string& out, const RowShape& shape, std::string_view end)
      : out_{out},
        shape_{shape},
        hang_{std::clamp<std::size_t>(shape.hang, 1, shape.columns / 2)},
        end_{end} {}

  void put(std::string_view line) {
    while (!line.empty()) {
      if (word_begins_) make_room_for(width_of_word(line));
      line.remove_prefix(put_front(line));
    }
    out_ += end_;
  }

 private:
  /// The columns of the word at the front of the line, 0 if there is none; more than there are in a
  /// row is told as just that. A script without blanks has a word in each character.
  [[nodiscard]] std::size_t width_of_word(std::string_view line) const {
    std::size_t width = 0;
    while (!line.empty() && width <= shape_.columns) {
      if (line.front() == '\x1b') {
        line.remove_prefix(size_of_color(line));
        continue;
      }
      const Character next = front_of(line);
      if (next.code_point <= ' ') break;
      if (stands_alone(next.code_point)) return width > 0 ? width : 2;
      width += most_columns(next.code_point, shape_.wide_letters);
      line.remove_prefix(next.size);
    }
    return width;
  }

  /// Where a word does not fit into what is left of a row, and does into the next one.
  void make_room_for(std::size_t word) {
    if (row_is_over_ || column_ <= hang_ || word == 0) return;
    if (column_ + word > shape_.columns && hang_ + word <= shape_.columns) begin_row();
  }

  /// Returns how many bytes it was.
  std::size_t put_front(std::string_view line) {
    if (line.front() == '\x1b') return put_color(line);
    // The blank between a row's last word and the next is what the end of the row stands for.
    const bool between = line.front() == ' ' && column_ == shape_.columns && !row_is_over_;
    word_begins_ = line.front() <= ' ' && line.front() >= 0;
    if (between) {
      row_is_over_ = true;
      return 1;
    }
    if (line.front() == '\n') {
      begin_row();
      return 1;
    }
    if (row_is_over_) begin_row();
    if (line.front() == '\t') {
      put_tab();
      return 1;
    }
    // A character stays together with its marks, if a row has room for them.
    Character next = front_of(line);
    word_begins_ = word_begins_ || stands_alone(next.code_point);
    std::size_t size = next.size;
    std::size_t width = most_columns(next.code_point, shape_.wide_letters);
    while (size < line.size()) {
      next = front_of(line.substr(size));
      if (!is_mark(next.code_point)) break;
      const std::size_t wider = width + most_columns(next.code_point, shape_.wide_letters);
      if (hang_ + wider > shape_.columns) break;
      width = wider;
      size += next.size;
    }
    if (column_ + width > shape_.columns) begin_row();
    out_ += line.substr(0, size);
    column_ += width;
    return size;
  }

  std::size_t put_color(std::string_view line) {
    const std::size_t size = size_of_color(line);
    color_ = line.substr(0, size);
    if (color_ == kPlain) color_ = {};
    out_ += line.substr(0, size);
    return size;
  }

  void put_tab() {
    if (column_ == shape_.columns) begin_row();
    const std::size_t stop = std::min((column_ / kTabStop + 1) * kTabStop, shape_.columns);
    out_.append(stop - column_, ' ');
    column_ = stop;
  }

  void begin_row() {
    if (!color_.empty()) out_ += kPlain;
    out_ += end_;
    out_.append(hang_, ' ');
    out_ += color_;
    column_ = hang_;
    row_is_over_ = false;
  }

  std::string& out_;
  const RowShape& shape_;
  std::size_t hang_;
  std::string_view end_;
  std::string_view color_;  // what was opened last and is not closed
  std::size_t column_ = 0;
  bool word_begins_ = true;   // with the next character
  bool row_is_over_ = false;  // if anything follows
};

}  // namespace

std::size_t most_columns(char32_t c, bool wide_letters) {
  if (c < 0x7F) return 1;
  if (is_mark(c)) return 1;
  struct Narrow {
    char32_t first;
    char32_t last;
  };
  // Blocks of alphabets; what is in none of them counts as wide, symbols and all emoji included.
  // That costs nothing but a row that ends early.
  constexpr Narrow kNarrow[]{
      {0x0530, 0x10FF},  // Armenian to Georgian, with the scripts of India and its neighbours
      {0x1200, 0x1DFF},  // Ethiopic to phonetic extensions
      {0x1E00, 0x1FFF},  // more of Latin and Greek, in no East Asian set
      {0x2C00, 0x2DFF},  // Glagolitic to Cyrillic
      {0xA4D0, 0xA95F},  // Lisu to Rejang
      {0xA980, 0xABFF},  // Javanese to Meetei
      {0xFB00, 0xFDCF},  // Latin, Hebrew and Arabic forms
      {0xFE70, 0xFEFE},  // Arabic forms
  };
  const bool letter = c < 0x0530 || (c >= 0x2000 && c < 0x2070);  // dashes, quotes, the ellipsis
  if (letter) return wide_letters ? 2 : 1;
  for (const Narrow& each : kNarrow) {
    if (c >= each.first && c <= each.last) return 1;
  }
  return 2;
}

std::size_t most_columns(std::string_view text, bool wide_letters) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character next = front_of(text);
    columns += most_columns(next.code_point, wide_letters);
    text.remove_prefix(next.size);
  }
  return columns;
}

bool has_wide_letters() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = environment(name);
    if (locale.empty()) continue;  // the first that is set decides, as in the C library
    return locale.starts_with("zh") || locale.starts_with("ja") || locale.starts_with("ko");
  }
  return false;
}

void append_rows(std::string& out, std::string_view line, const RowShape& shape,
                 std::string_view end) {
  const bool fits = line.size() <= shape.columns && is_printable_ascii(line);
  if (shape.columns < kLeastColumns || fits) {
    out.append(line).append(end);
  } else {
    Rows{out, shape, end}.put(line);
  }
}

}  // namespace chatd
