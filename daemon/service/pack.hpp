/// Any number of descriptors as two: they wait inside a pair of connected sockets, as
/// messages that nobody has read yet. A descriptor store takes the ends of the pair;
/// thousands, one by one, would take it seconds. Knows nothing of what they are.
///
/// Invariant: a descriptor comes out at the place at which it went in, or not at all.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

/// Packs copies of `descriptors`. Returns both ends of each pair that this took: all of
/// them must be kept, for a pair with one end has hung up.
[[nodiscard]] Result<std::vector<UniqueFd>> pack(const std::vector<int>& descriptors);

/// Takes what waits at `end`, if anything does, and puts each descriptor at its place.
void unpack(int end, std::vector<UniqueFd>& descriptors);

}  // namespace chatd::service
