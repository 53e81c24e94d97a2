#include "console/paste.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace chatd::console {
namespace {

constexpr std::string_view kOpen = "\x1b[200~";
constexpr std::string_view kClose = "\x1b[201~";
constexpr std::size_t kCompactBytes = 4096;

}  // namespace

void PasteGate::push(std::string_view bytes) {
  bytes_.append(bytes);
  const bool inside = open_ == 0 && matched_ + 1 == kOpen.size();
  if (inside && bytes_.size() - next_ > kMaxPaste) {
    bytes_.clear();
    next_ = 0;
    searched_ = 0;
    bytes_.append("~").append(kClose);  // the editor is inside the opening mark
  }
}

// How many bytes may be taken at least: 0 if the next one must wait.
std::size_t PasteGate::available() const {
  if (open_ > 0) return open_;
  const std::string_view rest = std::string_view{bytes_}.substr(next_);
  if (rest.empty()) return 0;
  if (matched_ + 1 == kOpen.size() && rest.front() == kOpen.back()) {
    const std::size_t from = std::max(next_, searched_);
    const std::size_t end = bytes_.find(kClose, from);
    if (end != std::string::npos) return end + kClose.size() - next_;
    searched_ = bytes_.size() - std::min(bytes_.size() - next_, kClose.size() - 1);
    return 0;
  }
  return rest.size() <= 3 && incomplete_tail(rest) == rest.size() ? 0 : 1;
}

bool PasteGate::ready() const {
  return available() > 0;
}

int PasteGate::take() {
  if (open_ == 0) open_ = available();
  if (open_ == 0) return -1;
  --open_;
  const char key = bytes_[next_++];
  // A paste that is whole passes without being looked at.
  if (open_ == 0) {
    if (key == kOpen[matched_] && matched_ + 1 < kOpen.size()) {
      ++matched_;
    } else {
      matched_ = key == kOpen.front() ? 1 : 0;
    }
  } else {
    matched_ = 0;
  }
  if (next_ == bytes_.size()) {
    bytes_.clear();
    next_ = 0;
    searched_ = 0;
  } else if (next_ >= kCompactBytes) {
    bytes_.erase(0, next_);
    searched_ -= std::min(searched_, next_);
    next_ = 0;
  }
  return static_cast<unsigned char>(key);
}

}  // namespace chatd::console
