/// One timer on the loop. Starting it again moves it. It does not keep the loop
/// alive by itself, unless it is told to. It may be destroyed inside its own callback.
#pragma once

#include <functional>

#include "base/time.hpp"
#include "io/handle.hpp"
#include "io/loop.hpp"

namespace chatd::io {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() = default;

  /// Calls back once, `delay` after the beginning of this turn.
  void start(Duration delay);
  /// Calls back once at `when`, at once if that has passed; kNever stops it.
  /// Costs nothing if it already stands there.
  void start_at(Time when);
  void stop();
  /// From now on the loop runs for as long as the timer is started.
  void keep_loop_running();

 private:
  /// Outlives the Timer until libuv has let go of it, and so does the callback.
  struct Node : uv_timer_t {
    std::function<void()> callback;
    Time when = kNever;
    bool firing = false;
  };
  static void on_timer(uv_timer_t* handle);

  Loop& loop_;
  Handle<Node> node_;
};

}  // namespace chatd::io
