/// Who is writing to whom, as far as that was told lately: it is told of one operator and session
/// no more often than the others need it. Knows neither a connection nor an event.
#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"
#include "core/outbox.hpp"

namespace chatd {

class Writers {
 public:
  /// For so long it is told once.
  static constexpr Duration kOnceIn{3000};
  /// Of so many it is told in that time; of who else writes, nothing.
  static constexpr std::size_t kMost = 256;

  /// Whether to tell now that the operator of that name writes to `session`; if so, it counts
  /// as told. `now` never goes back.
  [[nodiscard]] bool may_tell(std::string_view name, core::SessionId session, Time now);

 private:
  using Key = std::pair<std::string, core::SessionId>;

  std::set<Key> told_;
  std::deque<std::pair<Time, Key>> order_;  ///< when each of them was told, the oldest first
};

}  // namespace chatd
