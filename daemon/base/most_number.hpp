/// How high the numbers of sessions and events may be. Nobody reaches it by counting, so
/// what is read from elsewhere and is higher is wrong.
#pragma once

#include <cstdint>

namespace chatd {

/// Up to here every reader of JSON has a number exactly.
inline constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 53U;

}  // namespace chatd
