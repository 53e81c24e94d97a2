/// When sessions were over, of those that were last. Bounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "core/outbox.hpp"

namespace chatd::core {

class Departed {
 public:
  /// Of so many it is remembered.
  static constexpr std::size_t kMost = 1000;

  void add(SessionId session, Time when) {
    if (all_.size() < kMost) {
      all_.emplace_back(session, when);
      return;
    }
    all_[oldest_] = {session, when};
    oldest_ = (oldest_ + 1) % kMost;
  }
  [[nodiscard]] std::optional<Time> when(SessionId session) const {
    const auto found = std::find_if(all_.begin(), all_.end(),
                                    [session](const auto& each) { return each.first == session; });
    return found == all_.end() ? std::nullopt : std::optional{found->second};
  }

 private:
  std::vector<std::pair<SessionId, Time>> all_;
  std::size_t oldest_ = 0;
};

}  // namespace chatd::core
