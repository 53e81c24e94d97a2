/// Guards the end of a service against a slip: leaving the console that ends it has to be wished
/// twice. Pure: told the time.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace chatd::console {

class LeaveGuard {
 public:
  /// How long a wish waits for the second.
  static constexpr Duration kPatience{10000};

  /// By a key, or by a line that says so. True if it was wished before: by the key just before
  /// this one, or before that line.
  [[nodiscard]] bool wished(bool by_line, Time now) {
    if (since_ && now - *since_ <= kPatience && (by_line || !other_key_)) return true;
    since_ = now;
    other_key_ = false;
    return false;
  }
  /// Any key but those that wish to leave.
  void other_key() { other_key_ = true; }
  /// Something else was typed, as a line.
  void other_line() { since_.reset(); }

 private:
  std::optional<Time> since_;
  bool other_key_ = false;
};

}  // namespace chatd::console
