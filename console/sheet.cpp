#include "console/sheet.hpp"

#include <algorithm>

namespace chatd::console {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastHelp = 24;  // columns; where there are fewer, below the usage

// `text` cut between words into lines of at most `width` columns. ASCII alone.
std::vector<std::string_view> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string_view> lines;
  while (text.size() > width) {
    std::size_t end = text.rfind(' ', width);
    if (end == std::string_view::npos || end == 0) end = text.find(' ');
    if (end == std::string_view::npos) break;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  lines.push_back(text);
  return lines;
}

}  // namespace

void Sheet::add(std::string usage, std::string help) {
  widest_ = std::max(widest_, usage.size());
  rows_.emplace_back(std::move(usage), std::move(help));
}

std::vector<std::string> Sheet::lines(std::size_t width) const {
  std::size_t column = kIndent + widest_ + kGap;
  const bool below = width > 0 && column + kLeastHelp > width;
  if (below) column = 2 * kIndent;
  const std::size_t room =
      width == 0 ? static_cast<std::size_t>(-1) : width - std::min(width, column);
  std::vector<std::string> lines;
  for (const auto& [usage, help] : rows_) {
    std::string line = std::string(kIndent, ' ') + usage;
    if (below) lines.push_back(std::exchange(line, {}));
    for (const std::string_view part : wrapped(help, room)) {
      line.append(column - std::min(column, line.size()), ' ');
      lines.push_back(line.append(part));
      line.clear();
    }
  }
  return lines;
}

}  // namespace chatd::console
