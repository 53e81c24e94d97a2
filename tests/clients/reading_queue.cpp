/// Who is read next, where not all can be.
#include "clients/reading_queue.hpp"

#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr std::size_t kKiB = 1024;

class Reading {
 public:
  Reading() {
    accounts.set_limits({.bytes_per_second = 1000.0 * kKiB});
    for (uid_t user = 0; user < 4; ++user) {
      users.push_back(accounts.of(io::Peer::of_user(user)));
    }
  }

  /// Reads all that may be read now, `bytes` of each, and returns their slots.
  std::vector<core::Slot> read(std::size_t bytes, bool slowly = false, std::size_t most = 100) {
    std::vector<core::Slot> all;
    while (all.size() < most) {
      const auto slot = queue.next(now, slowly);
      if (!slot) break;
      accounts.read(users[*slot / 10], bytes, now);  // slots 10 to 19 are of user 1, and so on
      all.push_back(*slot);
    }
    return all;
  }
  void add(core::Slot slot) { queue.add(slot, users[slot / 10], now); }

  Accounts accounts;
  std::vector<Accounts::Number> users;
  Time now{Duration{1000}};
  std::vector<core::Slot> put_off;
  ReadingQueue queue{accounts, [this](core::Slot slot, Accounts::Number account) {
                       CHECK(account == users[slot / 10]);
                       put_off.push_back(slot);
                     }};
};

using Slots = std::vector<core::Slot>;

TEST_CASE("reading queue: origins take turns, however many clients each has",
          "[clients][reading_queue]") {
  Reading reading;
  for (const core::Slot slot : {10U, 11U, 12U, 13U, 20U, 30U, 31U}) reading.add(slot);
  CHECK(reading.read(16 * kKiB) == Slots{10, 20, 30, 11, 31, 12, 13});
  CHECK(reading.queue.empty());
  CHECK(reading.put_off.empty());
}

TEST_CASE("reading queue: who has said little comes first", "[clients][reading_queue]") {
  Reading reading;
  for (int i = 0; i < 100; ++i) {
    for (const core::Slot slot : {0U, 1U, 10U}) reading.add(slot);
    (void)reading.read(16 * kKiB);
  }
  for (const core::Slot slot : {0U, 1U, 10U, 20U}) reading.add(slot);
  CHECK(reading.read(16 * kKiB, false, 1) == Slots{20});
}

TEST_CASE("reading queue: over its rate an origin waits until it may be read",
          "[clients][reading_queue]") {
  Reading reading;
  reading.accounts.read(reading.users[1], 9000 * kKiB, reading.now);
  for (const core::Slot slot : {10U, 11U, 20U}) reading.add(slot);
  CHECK(reading.read(kKiB) == Slots{20});
  CHECK(reading.queue.empty());
  CHECK(reading.put_off == Slots{10, 11});
  reading.add(12);
  CHECK(reading.put_off == Slots{10, 11, 12});
  const Time when = reading.queue.next_at();
  REQUIRE(when != kNever);
  CHECK(reading.read(kKiB).empty());
  reading.now = when;
  CHECK(reading.read(kKiB) == Slots{10, 11, 12});
  CHECK(reading.queue.next_at() == kNever);
}

TEST_CASE("reading queue: while somebody does not keep up, who says much is read at a pace",
          "[clients][reading_queue]") {
  Reading reading;
  reading.accounts.read(reading.users[1], 1000 * kKiB, reading.now);
  for (const core::Slot slot : {10U, 11U, 20U}) reading.add(slot);
  CHECK(reading.read(100, true) == Slots{20});
  const Time when = reading.queue.next_at();
  CHECK(when > reading.now);
  SECTION("until it is over") {
    CHECK(reading.read(100) == Slots{10, 11});
  }
  SECTION("and is read all the same") {
    reading.now = when;
    CHECK(reading.read(64 * kKiB, true) == Slots{10});
    CHECK(reading.queue.next_at() > reading.now);
  }
}

TEST_CASE("reading queue: an origin that was forgotten is in nobody's way",
          "[clients][reading_queue]") {
  Reading reading;
  reading.add(10);
  for (uid_t user = 1000; user < 1000 + 2 * Accounts::kMostIdle; ++user) {
    (void)reading.accounts.of(io::Peer::of_user(user));
  }
  const bool is_still_there = reading.accounts.exists(reading.users[1]) &&
                              reading.accounts.origin(reading.users[1]).to_string() == "uid:1";
  REQUIRE_FALSE(is_still_there);
  const auto slot = reading.queue.next(reading.now, false);
  CHECK(slot == core::Slot{10});
  CHECK(reading.queue.empty());
}

}  // namespace
}  // namespace chatd::test
