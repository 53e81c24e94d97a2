/// How long whoever waits for a daemon that has gone pauses before looking again. Pure.
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace chatd::console {

class Pauses {
 public:
  static constexpr Duration kFirst{100};
  static constexpr Duration kLongest{2000};

  /// Each is twice as long as the one before.
  [[nodiscard]] Duration next() {
    const Duration pause = next_;
    next_ = std::min(2 * next_, kLongest);
    return pause;
  }
  [[nodiscard]] bool at_first() const { return next_ == kFirst; }
  void begin_again() { next_ = kFirst; }

 private:
  Duration next_ = kFirst;
};

}  // namespace chatd::console
