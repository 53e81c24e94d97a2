#include "service/wait_for.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace chatd::service {

bool wait_for(int descriptor, short events, Duration patience) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + patience;
  pollfd wait{descriptor, events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(end - Clock::now());
    const int count = ::poll(&wait, 1, static_cast<int>(std::max(left, Duration{0}).count()));
    if (count >= 0 || errno != EINTR) return count == 1;
  }
}

}  // namespace chatd::service
