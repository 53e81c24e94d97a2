/// Guards the end of a service against a slip: leaving the console that ends it has to be wished
/// twice, and the second time by somebody who can have read the question. Pure: told the time.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace chatd::console {

class LeaveGuard {
 public:
  /// How long a wish waits for the second.
  static constexpr Duration kPatience{10000};
  /// How long the question has to be on the screen before the second wish counts.
  static constexpr Duration kReading{500};

  enum class Answer {
    kAsk,      ///< it has not been wished before: ask
    kTooSoon,  ///< the question has not been there for long enough; it still stands
    kLeave,
  };

  /// By a key, or by a line that says so. It was wished before if that was by the key just before
  /// this one, or before that line.
  [[nodiscard]] Answer wished(bool by_line, Time now) {
    if (asked_ && now - *asked_ <= kPatience && (by_line || !other_key_)) {
      return shown_ && now - *shown_ >= kReading ? Answer::kLeave : Answer::kTooSoon;
    }
    asked_ = now;
    shown_.reset();
    other_key_ = false;
    return Answer::kAsk;
  }
  /// All that was printed is on the screen.
  void shown(Time now) {
    if (asked_ && !shown_) shown_ = now;
  }
  /// Any key but those that wish to leave.
  void other_key() { other_key_ = true; }
  /// Something else was typed, as a line.
  void other_line() { asked_.reset(); }

 private:
  std::optional<Time> asked_;
  std::optional<Time> shown_;  // the question
  bool other_key_ = false;
};

}  // namespace chatd::console
