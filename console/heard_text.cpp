#include "console/heard_text.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace chatd::console {
namespace {

std::string row_of(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return std::string{line};
}

}  // namespace

std::vector<std::string> HeardText::push(std::string_view bytes) {
  partial_.append(bytes);
  std::vector<std::string> rows;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = partial_.find('\n', std::max(begin, searched_));
    if (end == std::string::npos) break;
    std::string row = row_of(std::string_view{partial_}.substr(begin, end - begin));
    // The line end of a row that is on the screen already.
    const bool rest = std::exchange(shown_before_, false) && row.empty();
    if (!rest) rows.push_back(std::move(row));
    begin = searched_ = end + 1;
  }
  partial_.erase(0, begin);
  while (partial_.size() > kLongestRow) {
    const std::string_view whole{partial_.data(), kLongestRow};
    const std::size_t cut = kLongestRow - incomplete_tail(whole);
    rows.push_back(partial_.substr(0, cut));
    partial_.erase(0, cut);
    shown_before_ = true;
  }
  searched_ = partial_.size();
  return rows;
}

std::string HeardText::shown(std::string_view row) {
  return "< " + escaped(row);
}

bool HeardText::unfinished() const {
  if (shown_before_ && partial_ == "\r") return false;
  return partial_.size() > incomplete_tail(partial_);
}

std::vector<std::string> HeardText::quiet() {
  if (!unfinished()) return {};
  std::string tail = partial_.substr(partial_.size() - incomplete_tail(partial_));
  partial_.resize(partial_.size() - tail.size());
  std::vector<std::string> rows{row_of(partial_)};
  partial_ = std::move(tail);
  searched_ = partial_.size();
  shown_before_ = true;
  return rows;
}

std::vector<std::string> HeardText::end() {
  const std::string last = row_of(std::exchange(partial_, {}));
  searched_ = 0;
  shown_before_ = false;
  if (last.empty()) return {};
  return {last};
}

}  // namespace chatd::console
