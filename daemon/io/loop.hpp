/// The event loop. One for each process; everything in io is made on it and must
/// be gone before it: the destructor drains the close callbacks and ends the
/// process, naming the handles, if one was left open.
///
/// A turn is what happens between two waits. At its end, just before the loop
/// waits again, every TurnEnd is called once in the order of registration: that
/// is where pending writes leave.
///
/// It waits in its Poller, which watches all sockets and pipes. libuv, with its timers,
/// signals, calls from other threads and processes, is one more descriptor there and
/// runs when it has something to do.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "io/handle.hpp"
#include "io/poller.hpp"

namespace chatd::io {

class TurnEnd;

/// The parts that a base class of Loop needs.
struct LoopParts {
  Poller poller;
};

class Loop : private LoopParts, private Watcher {
 public:
  /// The time that those may take who do in one turn what could wait for the next. Longer turns
  /// serve no more: a turn by itself costs microseconds.
  static constexpr Duration kBudget{4};

  Loop();
  ~Loop() override;
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
  /// A part that lives shorter owns a TurnEnd instead.
  void at_turn_end(std::function<void()> callback);
  /// For a part that has found work for the end of a turn when its own TurnEnd is already
  /// past: the loop does not wait, and another turn follows at once.
  void turn_again() { again_ = true; }

  /// Whether this turn has lasted longer than kBudget: what can wait is left to the next turn, so
  /// that whoever has come meanwhile is served. Asks the clock.
  [[nodiscard]] bool turn_is_long() const;

  /// The number of this turn, which counts up by one. A part that notes it at its TurnEnd
  /// knows later whether that is past, and turn_again() is called for.
  [[nodiscard]] std::uint64_t turn() const { return turn_; }
  /// The longest turn so far, in milliseconds: the time that the loop could not
  /// serve anybody. Waiting does not count.
  [[nodiscard]] double longest_turn_ms() const {
    return static_cast<double>(longest_turn_ns_) / 1e6;
  }

  [[nodiscard]] Poller& poller() { return LoopParts::poller; }
  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  friend class TurnEnd;

  void on_ready(Tag tag, Events events) override;
  bool is_alive();
  void wait();
  void end_turn();

  uv_loop_t loop_{};
  Handle<uv_prepare_t> keeper_;  // does nothing; keeps libuv alive while something is watched
  Events watching_libuv_ = kNothing;
  bool libuv_is_due_ = true;
  std::vector<TurnEnd*> turn_end_;  // null where one has gone
  std::vector<std::unique_ptr<TurnEnd>> lifelong_;
  std::uint64_t turn_ = 1;
  std::uint64_t turn_began_ns_ = 0;
  std::uint64_t longest_turn_ns_ = 0;
  bool again_ = false;
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
