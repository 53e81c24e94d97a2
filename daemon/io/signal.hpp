/// Signals delivered as callbacks on the loop. Does not keep the loop alive.
#pragma once

#include <functional>

#include "io/handle.hpp"
#include "io/loop.hpp"

namespace chatd::io {

class Signal {
 public:
  /// Calls back each time signal `number` arrives; several that arrive at once
  /// may be one call. May be destroyed inside its own callback.
  Signal(Loop& loop, int number, std::function<void()> callback);
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() = default;

 private:
  /// Outlives the Signal until libuv has let go of it, and so does the callback.
  struct Node : uv_signal_t {
    std::function<void()> callback;
  };

  Handle<Node> node_;
};

/// A write to a peer that has gone must be an error code, not the end of the
/// process: to be called once, before anything is written.
void ignore_sigpipe();

}  // namespace chatd::io
