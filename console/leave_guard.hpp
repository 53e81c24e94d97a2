/// Guards the end of a service against a slip: leaving the console that ends it has to be wished
/// twice, and the second time by somebody who can have read the question. Pure: told the time.
#pragma once

#include "base/time.hpp"

namespace chatd::console {

class LeaveGuard {
 public:
  /// How long a wish waits for the second.
  static constexpr Duration kPatience{10000};
  /// How long the question has to be on the screen, without such a key, before the second wish
  /// counts. A key that is held begins to repeat after less, and never pauses for so long.
  static constexpr Duration kReading{1000};

  enum class Answer {
    kAsk,      ///< it has not been wished before: ask
    kTooSoon,  ///< nobody can have read the question yet; it still stands
    kLeave,
  };

  /// By a key, or by a line that says so. It was wished before if that was by the key just before
  /// this one, or before that line.
  [[nodiscard]] Answer wished(bool by_line, Time now) {
    if (asked_ != kNever && now - asked_ <= kPatience && (by_line || !other_key_)) {
      if (shown_ == kNever) return Answer::kTooSoon;
      if (now - shown_ >= kReading) return Answer::kLeave;
      if (!by_line) shown_ = now;
      return Answer::kTooSoon;
    }
    asked_ = now;
    shown_ = kNever;
    other_key_ = false;
    return Answer::kAsk;
  }
  /// All that was printed is on the screen.
  void shown(Time now) {
    if (asked_ != kNever && shown_ == kNever) shown_ = now;
  }
  /// Any key but those that wish to leave.
  void other_key() { other_key_ = true; }
  /// Something else was typed, as a line.
  void other_line() { asked_ = kNever; }

 private:
  Time asked_ = kNever;
  Time shown_ = kNever;  // the question, or the last key that came too soon after it
  bool other_key_ = false;
};

}  // namespace chatd::console
