/// Time as the whole program speaks of it: a point on a clock that never goes
/// back, in milliseconds. There is deliberately no now() here: io::Loop alone reads
/// this clock, and everything else is told, so that tests hold the clock.
#pragma once

#include <chrono>

namespace chatd {

using Duration = std::chrono::milliseconds;

struct Clock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Clock, Duration>;
  static constexpr bool is_steady = true;
};

using Time = Clock::time_point;

/// "No deadline".
inline constexpr Time kNever = Time::max();

}  // namespace chatd
