/// Durations and sizes as people write them: a number and a unit, "50ms", "8KiB".
/// Pure functions. Invariant: parsing what was formatted gives the same value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace chatd {

/// Units: ms, s, m, h, d. A fraction of up to nine digits is taken if it gives a whole
/// number of milliseconds ("1.5s"). Never negative. Errors say what would be right.
Result<Duration> parse_duration(std::string_view text);

/// Units: B, KiB, MiB, GiB. A fraction of up to nine digits is taken if it gives a whole
/// number of bytes ("0.5KiB"). Errors say what would be right.
Result<std::size_t> parse_size(std::string_view text);

/// With the largest unit that is exact: "90s", "1m", "0s".
[[nodiscard]] std::string format_duration(Duration value);

/// With the largest unit that is exact: "1536B", "2KiB", "0B".
[[nodiscard]] std::string format_size(std::size_t value);

}  // namespace chatd
