/// Lines that were begun for one client and put away when the operator turned to another. Pure.
/// Invariant: a draft comes back only for the client it was begun for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "console/focus.hpp"

namespace chatd::console {

class Drafts {
 public:
  /// Of the client that it was begun for, or of no client. An empty text is no draft.
  void put(Target target, std::string_view text) {
    if (text.empty()) {
      drafts_.erase(target);
    } else {
      drafts_.insert_or_assign(target, std::string{text});
    }
  }
  /// Empty if there is none. It is in the line from now on, and here no more.
  [[nodiscard]] std::string take(Target target) {
    const auto found = drafts_.find(target);
    if (found == drafts_.end()) return {};
    std::string text = std::move(found->second);
    drafts_.erase(found);
    return text;
  }
  [[nodiscard]] std::string_view of(Target target) const {
    const auto found = drafts_.find(target);
    return found == drafts_.end() ? std::string_view{} : std::string_view{found->second};
  }
  /// The clients that have one.
  [[nodiscard]] std::vector<SessionId> sessions() const {
    std::vector<SessionId> all;
    for (const auto& [target, text] : drafts_) {
      if (target) all.push_back(*target);
    }
    return all;
  }

 private:
  std::map<Target, std::string> drafts_;
};

}  // namespace chatd::console
