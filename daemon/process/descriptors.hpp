/// How many descriptors this process may have, and how many of them clients may
/// take. Invariant: what clients may take leaves room for the operators and for
/// the daemon itself.
#pragma once

#include <cstddef>

namespace chatd {

/// Raises the soft descriptor limit to the hard one; returns what is in force.
std::size_t raise_descriptor_limit();

/// Descriptors that are open now.
std::size_t open_descriptors();

/// How many of `operators` connections of operators have room beside the sessions, as
/// sessions_that_fit() counts them.
std::size_t operators_that_fit(std::size_t limit, std::size_t open, std::size_t operators);

/// The sessions that fit under `limit` descriptors when `open` are open now and
/// up to `operators` connections of operators may come, besides a small reserve. At least 1.
/// Operators are counted as a quarter of what is left at most.
std::size_t sessions_that_fit(std::size_t limit, std::size_t open, std::size_t operators);

}  // namespace chatd
