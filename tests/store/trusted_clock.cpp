/// When a clock is believed: see the rule in trusted_clock.hpp.
#include "store/trusted_clock.hpp"

#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kBegin = 1'700'000'000'000;

/// A machine whose clock can be set.
struct Machine {
  std::int64_t wall = kBegin;
  std::int64_t elapsed = 0;
  TrustedClock clock{TrustedClock::State{}};

  std::int64_t now() { return clock.now(wall, elapsed); }
  /// Runs for `length` and asks now and then. Returns what it was told last.
  std::int64_t run(std::int64_t length) {
    for (std::int64_t step = 0; step < length; step += 10 * kMinute) {
      wall += 10 * kMinute;
      elapsed += 10 * kMinute;
      (void)now();
    }
    return now();
  }
  /// Another process of the daemon, after the machine was off, or so it seems.
  void restart(std::int64_t away) {
    clock = TrustedClock{clock.state()};
    wall += away;
    elapsed = 5 * kMinute;
  }
};

TEST_CASE("trusted clock: one that goes on is believed", "[store][clock]") {
  Machine machine;
  CHECK(machine.now() == kBegin);
  CHECK(machine.run(3 * kDay) == kBegin + 3 * kDay);
  machine.wall += 59 * kMinute;
  CHECK(machine.now() == machine.wall);
  machine.wall -= 59 * kMinute;
  CHECK(machine.now() == machine.wall);
  // It sleeps.
  machine.wall += 30 * kDay;
  machine.elapsed += 30 * kDay;
  CHECK(machine.now() == machine.wall);
  machine.restart(kHour / 2);
  CHECK(machine.now() == machine.wall);
  CHECK_FALSE(machine.clock.is_in_doubt());
}

TEST_CASE("trusted clock: one that jumps forward is believed after a day", "[store][clock]") {
  Machine machine;
  (void)machine.now();
  machine.wall += 365 * kDay;
  CHECK(machine.now() == kBegin);
  CHECK(machine.run(23 * kHour) == kBegin + 23 * kHour);
  CHECK(machine.clock.is_in_doubt());
  CHECK(machine.run(kHour) == machine.wall);
  CHECK_FALSE(machine.clock.is_in_doubt());
  CHECK(machine.run(kHour) == machine.wall);
}

TEST_CASE("trusted clock: one that is set right again is believed at once", "[store][clock]") {
  Machine machine;
  (void)machine.now();
  machine.wall += 365 * kDay;
  CHECK(machine.run(12 * kHour) == kBegin + 12 * kHour);
  machine.wall -= 365 * kDay;
  CHECK(machine.now() == machine.wall);
  CHECK_FALSE(machine.clock.is_in_doubt());
}

TEST_CASE("trusted clock: each time that it is set the day begins anew", "[store][clock]") {
  Machine machine;
  (void)machine.now();
  for (int round = 0; round < 5; ++round) {
    machine.wall += 20 * kDay;
    CHECK(machine.run(20 * kHour) == kBegin + (round + 1) * 20 * kHour);
  }
  CHECK(machine.run(5 * kHour) == machine.wall);
}

TEST_CASE("trusted clock: after a month off it is believed after a day", "[store][clock]") {
  Machine machine;
  (void)machine.run(kDay);
  machine.restart(30 * kDay);
  CHECK(machine.now() == kBegin + kDay);
  CHECK(machine.run(23 * kHour) == kBegin + kDay + 23 * kHour);
  CHECK(machine.run(kHour) == machine.wall);
}

TEST_CASE("trusted clock: a machine that is off each night is believed in the end",
          "[store][clock]") {
  Machine machine;
  (void)machine.now();
  for (int day = 0; day < 2; ++day) {
    machine.restart(16 * kHour);
    CHECK(machine.run(8 * kHour) < machine.wall);
  }
  machine.restart(16 * kHour);
  CHECK(machine.run(9 * kHour) == machine.wall);
}

TEST_CASE("trusted clock: what is far ahead of the time before is doubted, though it was off",
          "[store][clock]") {
  Machine machine;
  (void)machine.now();
  machine.restart(2 * kHour);
  (void)machine.run(23 * kHour);
  machine.restart(3650 * kDay);  // an empty battery
  CHECK(machine.run(23 * kHour) < kBegin + 47 * kHour);
  CHECK(machine.run(2 * kHour) == machine.wall);
}

TEST_CASE("trusted clock: one that goes back makes nothing old, and is believed after a day",
          "[store][clock]") {
  Machine machine;
  (void)machine.now();
  machine.wall -= 100 * kDay;
  CHECK(machine.now() == machine.wall);
  CHECK(machine.clock.is_in_doubt());
  CHECK(machine.run(kDay) == machine.wall);
  CHECK_FALSE(machine.clock.is_in_doubt());
  // It was wrong before: what was believed then is forgotten.
  machine.wall += 100 * kDay;
  CHECK(machine.now() == machine.wall - 100 * kDay);
}

TEST_CASE("trusted clock: where only an event tells, one from the future does no harm",
          "[store][clock]") {
  TrustedClock::State known;
  known.believed = kBegin + 3650 * kDay;
  TrustedClock clock{known};
  CHECK(clock.now(kBegin, 0) == kBegin);
  known.believed = kBegin - 30 * kDay;
  TrustedClock other{known};
  CHECK(other.now(kBegin, 0) == kBegin - 30 * kDay);
}

}  // namespace
}  // namespace chatd::store::test
