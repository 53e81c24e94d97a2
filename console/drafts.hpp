/// Lines that were begun for one client and put away when the operator turned to another. Pure.
/// Invariant: a draft comes back only for the client it was begun for, and names whom it named.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "console/focus.hpp"

namespace chatd::console {

struct Draft {
  std::string text;  ///< empty: there is none
  Named named = {};
};

class Drafts {
 public:
  /// Of the client that it was begun for, or of no client. An empty text is no draft.
  void put(Target target, Draft draft) {
    if (draft.text.empty()) {
      drafts_.erase(target);
    } else {
      drafts_.insert_or_assign(target, std::move(draft));
    }
  }
  /// It is in the line from now on, and here no more.
  [[nodiscard]] Draft take(Target target) {
    const auto found = drafts_.find(target);
    if (found == drafts_.end()) return {};
    Draft draft = std::move(found->second);
    drafts_.erase(found);
    return draft;
  }
  [[nodiscard]] std::string_view of(Target target) const {
    const auto found = drafts_.find(target);
    return found == drafts_.end() ? std::string_view{} : std::string_view{found->second.text};
  }
  /// The clients that have one.
  [[nodiscard]] std::vector<SessionId> sessions() const {
    std::vector<SessionId> all;
    for (const auto& [target, draft] : drafts_) {
      if (target) all.push_back(*target);
    }
    return all;
  }
  /// Calls `each` with every one of them, which may change whom it names.
  template <class Each>
  void for_each(Each each) {
    for (auto& [target, draft] : drafts_) each(draft);
  }

 private:
  std::map<Target, Draft> drafts_;
};

}  // namespace chatd::console
