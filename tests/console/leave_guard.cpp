#include "console/leave_guard.hpp"

#include "support/catch.hpp"

namespace chatd::console {

using Answer = LeaveGuard::Answer;

namespace {

constexpr Time kStart{Duration{1000}};

}  // namespace

TEST_CASE("leave guard: a wish has to be repeated, and soon", "[console][leave]") {
  LeaveGuard guard;
  CHECK(guard.wished(false, kStart) == Answer::kAsk);
  guard.shown(kStart);
  CHECK(guard.wished(false, kStart + LeaveGuard::kPatience) == Answer::kLeave);
  CHECK(guard.wished(false, kStart + 3 * LeaveGuard::kPatience) == Answer::kAsk);
}

TEST_CASE("leave guard: nobody repeats a wish before the question could be read",
          "[console][leave]") {
  LeaveGuard guard;
  CHECK(guard.wished(false, kStart) == Answer::kAsk);
  CHECK(guard.wished(false, kStart) == Answer::kTooSoon);
  // It is not on the screen yet, however long that takes.
  CHECK(guard.wished(false, kStart + 2 * LeaveGuard::kReading) == Answer::kTooSoon);
  guard.shown(kStart + 3 * LeaveGuard::kReading);
  guard.shown(kStart + 4 * LeaveGuard::kReading);
  CHECK(guard.wished(true, kStart + 4 * LeaveGuard::kReading - Duration{1}) == Answer::kTooSoon);
  CHECK(guard.wished(false, kStart + 4 * LeaveGuard::kReading) == Answer::kLeave);
}

TEST_CASE("leave guard: a key that is held asks once, and does no more", "[console][leave]") {
  LeaveGuard guard;
  Time now = kStart;
  CHECK(guard.wished(false, now) == Answer::kAsk);
  guard.shown(now);
  now += Duration{660};  // before it repeats, at the most
  for (int i = 0; i < 200; ++i, now += Duration{30}) {
    CHECK(guard.wished(false, now) == Answer::kTooSoon);
  }
  CHECK(guard.wished(false, now + LeaveGuard::kReading) == Answer::kLeave);
}

TEST_CASE("leave guard: any other key withdraws it, but not from who types it again",
          "[console][leave]") {
  constexpr Time kRead = kStart + LeaveGuard::kReading;
  LeaveGuard guard;
  CHECK(guard.wished(false, kStart) == Answer::kAsk);
  guard.shown(kStart);
  guard.other_key();
  CHECK(guard.wished(false, kRead) == Answer::kAsk);
  guard.shown(kRead);
  guard.other_key();
  CHECK(guard.wished(true, kRead + LeaveGuard::kReading) == Answer::kLeave);
  guard.other_line();
  CHECK(guard.wished(true, kRead + LeaveGuard::kReading) == Answer::kAsk);
}

}  // namespace chatd::console
