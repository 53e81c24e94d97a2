/// One operation for a script: asks the daemon, prints the result, and reports the outcome
/// by an exit code. Knows nothing of the command line's syntax.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
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
  kTimedOut = 8,
  kUntrusted = 9,  ///< talk: the server has not proved that it is the one that was meant
};

/// How long a command waits for each answer of the daemon, if nobody says otherwise.
inline constexpr std::chrono::seconds kDaemonPatience{10};
/// How long `ask` waits for the client's answer.
inline constexpr std::chrono::minutes kClientPatience{5};

struct OneShot {
  Command command;  ///< one that the table has for scripts
  bool json = false;
  bool color = false;
  Timestamps timestamps = Timestamps::kTime;
  std::string name;  ///< the operator's, for hello
  /// --timeout: how long it waits for the daemon or, for `ask`, for the client.
  std::optional<std::chrono::seconds> timeout = {};

  [[nodiscard]] std::chrono::seconds daemon_patience() const;
};

/// Runs the loop until the operation is done, or for a tail until nobody reads the
/// output any more. Prints data to standard output and problems to standard error.
/// `connect` makes a new connection for a tail, or an `ask` that waits for its client, that lost
/// the daemon, which may come back: they go on after the last event that they got.
[[nodiscard]] ExitCode run_one_shot(io::Loop& loop, const OneShot& one_shot, UniqueFd control,
                                    const std::function<Result<UniqueFd>()>& connect);

}  // namespace chatd::console
