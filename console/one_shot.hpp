/// One operation for a script: asks the daemon once, prints what came of it, and
/// says how it went by an exit code. Holds nothing of the command line's syntax.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "console/console.hpp"
#include "console/event.hpp"
#include "io/loop.hpp"

namespace chatd::console {

/// What chatctl ends with.
enum class ExitCode : std::uint8_t {
  kDone = 0,
  kRefused = 1,
  kUsage = 2,
  kNoDaemon = 3,
  kNoSession = 4,
  kNotAllowed = 5,
};

struct OneShot {
  enum class Operation : std::uint8_t {
    kList,
    kSend,
    kBye,
    kKick,
    kName,
    kStats,
    kReload,
    kStop,
    kTail,
  };

  Operation operation = Operation::kList;
  std::optional<SessionId> session;    ///< send: without it, to all
  std::string text;                    ///< send: the text; kick: the reason; name: the name
  std::optional<std::uint64_t> since;  ///< tail: first what happened after this event

  bool json = false;
  bool color = false;
  Timestamps timestamps = Timestamps::kTime;
  std::string name;  ///< the operator's, for hello
};

/// Runs the loop until the operation is done, or for a tail until the daemon or the
/// output's reader has gone. Prints data to standard output and problems to standard
/// error. `connect` is called at the beginning, and for a tail again after the
/// daemon has let go of it because the output stood still.
[[nodiscard]] ExitCode run_one_shot(io::Loop& loop, const OneShot& wish, UniqueFd control,
                                    const std::function<Result<UniqueFd>()>& connect);

}  // namespace chatd::console
