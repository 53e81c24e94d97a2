/// Dates for people and programs. The only reader of the wall clock, which may be
/// set back or forward at any time: nothing is ever scheduled by it.
#pragma once

#include <array>
#include <chrono>
#include <string>

namespace chatd {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

[[nodiscard]] WallTime wall_now();

/// `time` as RFC 3339 in UTC with milliseconds: 2026-11-23T06:50:00.123Z.
[[nodiscard]] std::array<char, 24> rfc3339(WallTime time);
/// Appends that.
void append_rfc3339(std::string& out, WallTime time);

}  // namespace chatd
