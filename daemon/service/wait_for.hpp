/// Waiting for a descriptor, for the few times when nothing else is to be done.
#pragma once

#include "base/time.hpp"

namespace chatd::service {

/// Waits until `events` of poll(), or a hang-up, are there of that descriptor. False: they are not
/// after that time. A signal that comes meanwhile is handled, and ends nothing.
[[nodiscard]] bool wait_for(int descriptor, short events, Duration patience);

}  // namespace chatd::service
