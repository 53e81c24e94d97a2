/// Closes a descriptor on a thread of its own: for an epoll set of thousands of sockets, which
/// the kernel takes out one by one, while clients are to be served.
#pragma once

#include <thread>

#include "base/unique_fd.hpp"

namespace chatd {

class SlowClose {
 public:
  SlowClose() = default;
  ~SlowClose() { wait(); }
  SlowClose(const SlowClose&) = delete;
  SlowClose& operator=(const SlowClose&) = delete;

  /// Begins to close `descriptor`, if there is one. One at a time.
  void begin(UniqueFd descriptor);
  /// Returns when it is closed.
  void wait();

 private:
  std::thread thread_;
};

}  // namespace chatd
