/// Alt-1 to Alt-9: which client each of the keys means. Pure.
/// Invariant: a client that has a key keeps it for as long as it is connected.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "console/focus.hpp"
#include "console/roster.hpp"

namespace chatd::console {

class Shortcuts {
 public:
  static constexpr int kKeys = 9;

  /// To be called when somebody has come or gone: free keys go to whoever is there
  /// longest without one.
  void update(const Roster& roster) {
    for (SessionId& each : sessions_) {
      if (!roster.contains(each)) each = 0;
    }
    auto next = roster.all().begin();
    for (SessionId& each : sessions_) {
      if (each != 0) continue;
      while (next != roster.all().end() && key_of(next->first) != 0) ++next;
      if (next == roster.all().end()) return;
      each = next->first;
    }
  }

  /// `key` is 1 to 9.
  [[nodiscard]] Target at(int key) const {
    const SessionId session = sessions_[static_cast<std::size_t>(key - 1)];
    return session == 0 ? Target{} : Target{session};
  }
  /// 0 if it has none.
  [[nodiscard]] int key_of(SessionId session) const {
    const auto found = std::find(sessions_.begin(), sessions_.end(), session);
    return found == sessions_.end() ? 0 : static_cast<int>(found - sessions_.begin()) + 1;
  }

 private:
  std::array<SessionId, kKeys> sessions_{};  // 0: free
};

}  // namespace chatd::console
