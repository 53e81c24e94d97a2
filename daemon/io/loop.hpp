/// The event loop. One for each process, owned by main; everything in io is made
/// on it and must be gone before it: the destructor drains the close callbacks
/// and ends the process, naming the handles, if one was left open.
///
/// A turn is what happens between two waits. At its end, just before the loop
/// waits again, every TurnEnd is called once in the order of registration: that
/// is where pending writes leave.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "io/handle.hpp"

namespace chatd::io {

class TurnEnd;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(), or until nothing is left to wait for. The last turn is
  /// ended like every other one before this returns.
  void run();
  /// Lets run() return at the end of this turn; to be called on the loop's thread.
  void stop();

  /// The time at which this turn began.
  [[nodiscard]] Time now() const;
  /// The same, read from the clock: for after a computation that took long.
  Time update_now();

  /// Calls `callback` at the end of each turn, for as long as the loop lives.
  /// What lives shorter owns a TurnEnd instead.
  void at_turn_end(std::function<void()> callback);
  /// For who has found work to do at the end of a turn: if its own TurnEnd is
  /// already past, the loop does not wait and another turn follows at once.
  void turn_again() { again_ = true; }

  /// Says that the turn has begun, if nobody has yet. To be called first in what
  /// libuv calls when a descriptor is ready: that is after the wait but before
  /// libuv tells the loop so, and would be missing from longest_turn_ms().
  void note_turn() {
    if (turn_began_ns_ == 0) turn_began_ns_ = uv_hrtime();
  }
  /// The longest turn so far, in milliseconds: the time that the loop could not
  /// serve anybody. Waiting does not count.
  [[nodiscard]] double longest_turn_ms() const {
    return static_cast<double>(longest_turn_ns_) / 1e6;
  }

  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  friend class TurnEnd;

  void note_turn_by_loop_time();
  void end_turn();

  uv_loop_t loop_{};
  Handle<uv_prepare_t> prepare_;
  Handle<uv_check_t> check_;
  Handle<uv_idle_t> idle_;          // active when the loop must not wait
  std::vector<TurnEnd*> turn_end_;  // null where one has gone
  std::vector<std::unique_ptr<TurnEnd>> lifelong_;
  std::uint64_t turn_began_ns_ = 0;  // 0 while waiting
  std::uint64_t longest_turn_ns_ = 0;
  bool again_ = false;
  bool running_ = false;
  bool stopping_ = false;
};

/// Calls back at the end of each turn, for as long as it lives.
class TurnEnd {
 public:
  TurnEnd(Loop& loop, std::function<void()> callback);
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

 private:
  friend class Loop;

  Loop& loop_;
  std::function<void()> callback_;
};

}  // namespace chatd::io
