/// Knocking at a control socket: whether the daemon there lets this user in, before anything is
/// asked that means something. Where several daemons may be meant, the next one is tried.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/unique_fd.hpp"

namespace chatd::console {

/// A connection to the daemon at `path`, by connect_control(). The code of an error is EACCES if
/// that daemon does not let this user in. Waits for `patience` at most; a daemon that has not
/// answered by then, or refuses for another reason, says so to whoever asks for more.
[[nodiscard]] Result<UniqueFd> knock(const std::string& path, Duration patience);

}  // namespace chatd::console
