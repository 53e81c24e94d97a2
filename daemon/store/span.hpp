/// Events are kept track of in spans of so many numbers, so that the old ones are found wherever
/// they stand, at the cost of one row for many events. Knows no database.
#pragma once

#include <cstdint>

namespace chatd::store {

/// Numbers in a span; schema.cpp knows it, too.
inline constexpr std::int64_t kSpan = 512;

struct Span {
  std::int64_t number;
  std::int64_t oldest_ms;  ///< none of its events is older
};

[[nodiscard]] constexpr std::int64_t span_of(std::uint64_t seq) {
  return static_cast<std::int64_t>(seq) / kSpan;
}

}  // namespace chatd::store
