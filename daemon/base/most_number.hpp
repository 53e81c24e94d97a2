/// The highest number of a session or an event. Counting never reaches it, so a higher number
/// that is read from elsewhere is wrong.
#pragma once

#include <cstdint>

namespace chatd {

/// Up to here every reader of JSON represents an integer exactly.
inline constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 53U;

}  // namespace chatd
