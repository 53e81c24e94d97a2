/// Who was refused, in the log of the daemon: RefusalLog on the loop's clock.
#pragma once

#include <cstdint>
#include <string>

#include "io/loop.hpp"
#include "io/timer.hpp"
#include "log/refusal_log.hpp"

namespace chatd {

class Refusals {
 public:
  /// `what` as for RefusalLog.
  Refusals(io::Loop& loop, std::string what);

  /// Counts one, and logs it now or together with others.
  void add(const std::string& reason);
  [[nodiscard]] std::uint64_t count() const { return log_.count(); }
  /// As RefusalLog::go_on_from().
  void go_on_from(std::uint64_t count) { log_.go_on_from(count); }

 private:
  void say_overdue();

  io::Loop& loop_;
  RefusalLog log_;
  io::Timer timer_;
};

}  // namespace chatd
