#include "store/trusted_clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace chatd::store {

std::int64_t TrustedClock::now(std::int64_t wall, std::int64_t elapsed) {
  const bool first = !elapsed_;
  const auto passed = first ? 0 : std::max<std::int64_t>(elapsed - *elapsed_, 0);
  elapsed_ = elapsed;
  const auto since = wall - std::exchange(state_.shown, wall) - passed;
  const bool goes_on = first ? since >= 0 && since <= kAway : std::abs(since) <= kTolerated;
  if (state_.believed < 0) state_.believed = wall;
  state_.believed += passed;
  if (std::abs(wall - state_.believed) <= kTolerated) {
    state_.doubted = -1;
    state_.believed = wall;
    return wall;
  }
  state_.doubted = is_in_doubt() && goes_on ? state_.doubted + passed : 0;
  if (state_.doubted < kDoubtedFor) return std::min(state_.believed, wall);
  state_.doubted = -1;
  state_.believed = wall;
  return wall;
}

}  // namespace chatd::store
