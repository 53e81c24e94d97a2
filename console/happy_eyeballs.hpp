/// Connecting to whichever address of a server answers first: Happy Eyeballs version 2
/// (RFC 8305, sections 4 and 5, with the values of section 8). Knows no names: the
/// addresses are given.
/// Invariant: when reach() returns, no socket is left open but the one that it returns.
#pragma once

#include <variant>
#include <vector>

#include "base/time.hpp"
#include "base/unique_fd.hpp"
#include "io/endpoint.hpp"
#include "io/loop.hpp"

namespace chatd::console {

/// RFC 8305, section 8: the recommended Connection Attempt Delay.
inline constexpr Duration kAttemptDelay{250};

/// RFC 8305, section 4, with a First Address Family Count of 1: families take turns,
/// beginning with that of the first address. Within a family the order stays.
[[nodiscard]] std::vector<io::Endpoint> interleaved(const std::vector<io::Endpoint>& addresses);

struct Reached {
  UniqueFd socket;  ///< connected, non-blocking
  io::Endpoint address;
};

struct Unreached {
  io::Endpoint address;
  int error = 0;  ///< errno
};

/// One for each address, in the order in which they failed.
using AllUnreached = std::vector<Unreached>;

/// Tries the addresses in their order. The next one begins `delay` after the one before
/// it, or at once if that has failed; the first that is connected wins. Runs the loop for
/// as long as the kernel tries the last of them: a signal ends it.
[[nodiscard]] std::variant<Reached, AllUnreached> reach(io::Loop& loop,
                                                        const std::vector<io::Endpoint>& addresses,
                                                        Duration delay = kAttemptDelay);

}  // namespace chatd::console
