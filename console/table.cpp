#include "console/table.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>

#include "base/rows.hpp"

namespace chatd::console {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::string_view kEllipsis = "\u2026";

// Widths are those of Unicode whatever the locale of the user is: what is shown is
// always UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : before_{locale() == nullptr ? nullptr : ::uselocale(locale())} {}
  ~Utf8Locale() {
    if (before_ != nullptr) ::uselocale(before_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  // Made once, as this is asked for at each event, and never freed.
  static locale_t locale() {
    static const locale_t kLocale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kLocale;
  }
  locale_t before_;
};

// Takes one character off well-formed UTF-8.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  char32_t c = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length && i < text.size(); ++i) {
    c = (c << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  text.remove_prefix(std::min(length, text.size()));
  return c;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::size_t character_width(char32_t c) {
  if (c < 0x80) return 1;
  const int width = ::wcwidth(static_cast<wchar_t>(c));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

// How much wider than it is aligned for a row may be drawn: so much has to stay free, or the screen
// breaks the row (base/rows.hpp).
std::size_t doubt_about(const std::vector<std::vector<std::string>>& rows) {
  const bool wide_letters = has_wide_letters();
  std::size_t most = 0;
  for (const auto& row : rows) {
    std::size_t doubt = 0;
    for (const std::string& cell : row) {
      const std::size_t usual = display_width(cell);
      doubt += std::max(most_columns(cell, wide_letters), usual) - usual;
      if (wide_letters) ++doubt;  // the ellipsis of a cell that is cut
    }
    most = std::max(most, doubt);
  }
  return most;
}

std::size_t total_of(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) total += width + kGap;
  return total == 0 ? 0 : total - kGap;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  if (is_ascii(text)) return text.size();
  const Utf8Locale locale;
  std::size_t width = 0;
  while (!text.empty()) width += character_width(take_character(text));
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string{text};
  if (columns == 0) return {};
  const Utf8Locale locale;
  std::string_view rest = text;
  std::size_t width = 0;
  std::size_t bytes = 0;
  while (!rest.empty()) {
    width += character_width(take_character(rest));
    if (width + 1 > columns) break;
    bytes = text.size() - rest.size();
  }
  return std::string{text.substr(0, bytes)}.append(kEllipsis);
}

std::vector<std::string> format_table(std::vector<Column> columns,
                                      const std::vector<std::vector<std::string>>& rows,
                                      std::size_t width) {
  if (width > 0) width -= std::min(doubt_about(rows), width / 2);
  std::vector<std::size_t> natural;
  std::vector<std::size_t> cell;  // which cell of a row each column shows
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t widest = display_width(columns[i].title);
    for (const auto& row : rows) widest = std::max(widest, display_width(row[i]));
    natural.push_back(widest);
    cell.push_back(i);
  }
  std::vector<std::size_t> widths = natural;
  // Makes columns narrower, from the left, until the table fits. Returns whether it does.
  const auto fits = [&](std::size_t Column::*least) {
    const std::size_t total = total_of(widths);
    std::size_t excess = total - std::min(total, width);
    for (std::size_t i = 0; i < columns.size() && excess > 0; ++i) {
      if (columns[i].*least == 0 || widths[i] <= columns[i].*least) continue;
      const std::size_t narrower = std::min(excess, widths[i] - columns[i].*least);
      widths[i] -= narrower;
      excess -= narrower;
    }
    return excess == 0;
  };
  while (width > 0 && !fits(&Column::narrow)) {
    const auto worst = std::max_element(
        columns.begin(), columns.end(),
        [](const Column& one, const Column& other) { return one.rank < other.rank; });
    if (worst->least > 0 && fits(&Column::least)) break;
    if (worst->rank == 0) break;
    const auto index = worst - columns.begin();
    columns.erase(worst);
    natural.erase(natural.begin() + index);
    cell.erase(cell.begin() + index);
    widths = natural;
  }

  std::vector<std::string> lines;
  const auto add = [&](const auto& text_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string text = cut_to_width(text_of(i), widths[i]);
      const std::size_t missing = widths[i] - std::min(widths[i], display_width(text));
      if (i > 0) line.append(kGap, ' ');
      if (columns[i].right) line.append(missing, ' ');
      line.append(text);
      if (!columns[i].right) line.append(missing, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  };
  add([&](std::size_t i) -> const std::string& { return columns[i].title; });
  for (const auto& row : rows) {
    add([&](std::size_t i) -> const std::string& { return row[cell[i]]; });
  }
  return lines;
}

}  // namespace chatd::console
