/// When an operator is called by a bell, and what the terminal's title tells, as the configuration
/// wishes. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "console/fold.hpp"

namespace chatd::console {

class Attention {
 public:
  /// `bell` is "none", "first" (which is also what an unknown word means) or "all".
  void configure(std::string_view bell, const std::vector<std::string>& words) {
    bell_ = bell == "none" ? Bell::kNone : bell == "all" ? Bell::kAll : Bell::kFirst;
    words_.clear();
    for (const std::string& word : words) words_.push_back(folded(word));
  }
  /// Whether a text has one of the words to look out for.
  [[nodiscard]] bool calls(std::string_view text) const {
    if (words_.empty()) return false;
    const std::u32string heard = folded(text);
    return std::any_of(words_.begin(), words_.end(),
                       [&](const std::u32string& word) { return has_word(heard, word); });
  }
  /// Whether the bell rings for a message: `calls` of its text, whether it is unread, and whether
  /// somebody waited before it who comes no later.
  [[nodiscard]] bool rings(bool calls, bool unread, bool waited) const {
    if (bell_ == Bell::kNone) return false;
    return calls || (unread && (bell_ == Bell::kAll || !waited));
  }
  /// The title while so many clients wait; empty: the terminal's own.
  [[nodiscard]] std::string title(std::size_t waiting) const {
    if (bell_ == Bell::kNone || waiting == 0) return {};
    return "(" + std::to_string(waiting) + ") chatd";
  }

 private:
  enum class Bell { kNone, kFirst, kAll };
  Bell bell_ = Bell::kFirst;
  std::vector<std::u32string> words_;
};

}  // namespace chatd::console
