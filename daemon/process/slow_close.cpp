#include "process/slow_close.hpp"

#include <cassert>
#include <system_error>
#include <utility>

#include "base/signals_blocked.hpp"

namespace chatd {

void SlowClose::begin(UniqueFd descriptor) {
  assert(!thread_.joinable());
  if (!descriptor) return;
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread{[closed = std::move(descriptor)] {}};
  } catch (const std::system_error&) {
    // There can be no thread. The descriptor is closed already, with the function for it.
  }
}

void SlowClose::wait() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace chatd
