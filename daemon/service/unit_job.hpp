/// Why the service manager ends this process: it is asked over the system bus, which is
/// the only one who knows. libsystemd is used here.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace chatd::service {

enum class Job : std::uint8_t {
  kRestart,  ///< the unit is started again at once
  kOther,    ///< it is not
  kUnknown,  ///< the bus cannot be reached, or does not answer in time
};

/// What is being done with this process's unit. Waits at most `patience`; a manager
/// that is well answers within milliseconds.
[[nodiscard]] Job ask_for_job(Duration patience);

}  // namespace chatd::service
