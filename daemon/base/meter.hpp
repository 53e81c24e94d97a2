/// A token bucket, kept as what was taken and is not refilled yet, so that one that was never
/// used is zero: a rate is kept by whoever takes no more while it is over a burst.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/time.hpp"

namespace chatd {

class Meter {
 public:
  /// Something was taken.
  void take(double amount, double per_second, Time now) {
    level_ = level(per_second, now) + amount;
    at_ = std::max(at_, now);
  }
  /// So much of what was taken counts no longer, if that is not refilled yet.
  void give_back(double amount) { level_ = std::max(0.0, level_ - amount); }
  /// What was taken and is not refilled yet.
  [[nodiscard]] double level(double per_second, Time now) const {
    if (now <= at_) return level_;
    const double seconds = std::chrono::duration<double>(now - at_).count();
    return std::max(0.0, level_ - seconds * per_second);
  }
  /// When the level is down to `target`, rounded up; not before `now`.
  [[nodiscard]] Time down_to(double target, double per_second, Time now) const {
    const double above = level(per_second, now) - target;
    if (above <= 0) return now;
    if (per_second <= 0) return kNever;
    return now + Duration{static_cast<Duration::rep>(above / per_second * 1000) + 1};
  }

 private:
  double level_ = 0;
  Time at_{};
};

}  // namespace chatd
