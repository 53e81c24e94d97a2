/// One operation for a script: asks the daemon, prints the result, and reports the outcome
/// by an exit code. Knows nothing of the command line's syntax.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "console/command.hpp"
#include "console/console.hpp"
#include "io/loop.hpp"

namespace chatd::console {

/// The exit codes of chatctl.
enum class ExitCode : std::uint8_t {
  kDone = 0,
  kRefused = 1,
  kUsage = 2,
  kNoDaemon = 3,
  kNoSession = 4,
  kNotAllowed = 5,
  kBroken = 6,  ///< talk: the connection
  kPartly = 7,  ///< send, kick, ban: it was done for some, and refused for others
};

struct OneShot {
  Command command;  ///< one that the table has for scripts
  bool json = false;
  bool color = false;
  Timestamps timestamps = Timestamps::kTime;
  std::string name;  ///< the operator's, for hello
};

/// Runs the loop until the operation is done, or for a tail until nobody reads the
/// output any more. Prints data to standard output and problems to standard error.
/// `connect` makes a new connection for a tail that lost its daemon, which may come back;
/// the tail goes on after the last event that it printed.
[[nodiscard]] ExitCode run_one_shot(io::Loop& loop, const OneShot& one_shot, UniqueFd control,
                                    const std::function<Result<UniqueFd>()>& connect);

}  // namespace chatd::console
