/// The log lines about refusals: one line an interval, with a count, however many are
/// refused. Knows neither the log nor a clock.
///
/// Invariant: the counts of all lines, and silent(), add up to count().
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace chatd {

class RefusalLog {
 public:
  /// How long refusals are counted before the next line.
  static constexpr Duration kInterval{10'000};

  /// `what` is refused: "connection", "operator"; its plural has an s.
  explicit RefusalLog(std::string what) : what_{std::move(what)} {}

  /// Counts one. Returns the line to be logged, if it is time for one.
  std::optional<std::string> refused(const std::string& reason, Time now);
  /// The line about refusals that no line has counted yet, once the interval is over; to be
  /// asked at deadline().
  std::optional<std::string> overdue(Time now);
  [[nodiscard]] Time deadline() const { return silent_ > 0 ? next_line_ : kNever; }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// An earlier process has counted that many, and logged them.
  void go_on_from(std::uint64_t count) { count_ += count; }
  /// Refusals since the last line.
  [[nodiscard]] std::uint64_t silent() const { return silent_; }

 private:
  std::string line(Time now);

  std::string what_;
  std::uint64_t count_ = 0;
  std::uint64_t silent_ = 0;
  std::string last_reason_;
  Time next_line_ = Time::min();
};

}  // namespace chatd
