/// The time by which old events are forgotten: that of the wall clock, which may be wrong, once it
/// can be believed. Reads no clock.
///
/// The rule: while the clock shows what the time that was believed before has become, within an
/// hour, it is believed. Where it shows something else, because it was set or the machine was off,
/// the earlier of the two counts, until it has shown the other time for a day in all in which the
/// daemon ran. That day begins anew where the clock is set once more, or was away for more than a
/// week. So a clock that jumps forward makes nothing old for a day, and a machine that was off
/// for a month forgets after a day what has become old.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace chatd::store {

class TrustedClock {
 public:
  /// What one process leaves to the next. Milliseconds; times are since 1970, UTC.
  struct State {
    std::int64_t believed = -1;  ///< the last time that was believed; -1: none
    std::int64_t shown = -1;     ///< what the clock showed last
    std::int64_t doubted = -1;   ///< for how long it has shown something else; -1: it does not

    friend bool operator==(const State&, const State&) = default;
  };

  explicit TrustedClock(const State& state) : state_{state} {}

  /// The time that counts. `wall` is what the clock shows; `elapsed` counts milliseconds from any
  /// moment, cannot be set, and goes on while the machine sleeps.
  std::int64_t now(std::int64_t wall, std::int64_t elapsed);
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] bool is_in_doubt() const { return state_.doubted >= 0; }

  static constexpr std::int64_t kTolerated =
      std::chrono::milliseconds{std::chrono::hours{1}}.count();
  static constexpr std::int64_t kDoubtedFor =
      std::chrono::milliseconds{std::chrono::hours{24}}.count();
  static constexpr std::int64_t kAway =
      std::chrono::milliseconds{std::chrono::hours{24 * 7}}.count();

 private:
  State state_;
  std::optional<std::int64_t> elapsed_;  // at the last call
};

}  // namespace chatd::store
