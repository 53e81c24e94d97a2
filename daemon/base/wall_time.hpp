/// Dates for people and programs. The wall clock may be set back or forward at any
/// time: nothing that happens to a session is scheduled by it.
#pragma once

#include <array>
#include <chrono>
#include <string>

#include "base/time.hpp"

namespace chatd {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

[[nodiscard]] WallTime wall_now();

/// The dates of moments on the steady clock. A moment has the same date whenever
/// it is asked for, until the wall clock has been set by more than a second.
class Dates {
 public:
  /// It is `wall` at `now`. To be called before of(), and again at any time.
  void set(Time now, WallTime wall);
  [[nodiscard]] WallTime of(Time time) const { return WallTime{time.time_since_epoch()} + offset_; }

 private:
  Duration offset_{0};
};

/// `time` as RFC 3339 in UTC with milliseconds: 2026-11-23T06:50:00.123Z.
[[nodiscard]] std::array<char, 24> rfc3339(WallTime time);
/// Appends that.
void append_rfc3339(std::string& out, WallTime time);

}  // namespace chatd
