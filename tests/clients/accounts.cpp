/// Accounts: what is charged to which origin, and what each may have.
#include "clients/accounts.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "io/endpoint.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr std::size_t kKiB = 1024;

io::Peer peer_at(const std::string& address) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, 4711}.to_socket_address(storage);
  REQUIRE(length);
  return {storage, *length};
}

std::string hex(int number) {
  std::array<char, 8> text{};
  (void)std::snprintf(text.data(), text.size(), "%x", static_cast<unsigned>(number));
  return text.data();
}

std::vector<std::string> around(const io::Peer& peer) {
  std::vector<std::string> all;
  for (std::optional<Origin> origin{Origin{peer}}; origin; origin = origin->wider()) {
    all.push_back(origin->to_string() + " x" + std::to_string(origin->share()));
  }
  return all;
}

TEST_CASE("origin: an address, a /64 within a /56 and a /48, a user", "[clients][accounts]") {
  using All = std::vector<std::string>;
  CHECK(around(peer_at("192.0.2.1")) == All{"192.0.2.1 x1"});
  CHECK(around(peer_at("::ffff:192.0.2.1")) == All{"192.0.2.1 x1"});
  CHECK(around(peer_at("2001:db8:1:2345::9")) ==
        All{"2001:db8:1:2345::/64 x1", "2001:db8:1:2300::/56 x4", "2001:db8:1::/48 x16"});
  CHECK(around(io::Peer::of_user(1000)) == All{"uid:1000 x1"});
  CHECK(around(io::Peer{}) == All{"unix: x1"});
  CHECK(Origin{peer_at("0.0.0.0")} != Origin{peer_at("::")});
  CHECK(Origin{io::Peer::of_user(0)} != Origin{peer_at("0.0.0.0")});
}

TEST_CASE("accounts: where somebody is away, visitors find as many places again",
          "[clients][accounts]") {
  using Coming = Accounts::Coming;
  Accounts accounts;
  accounts.set_limits({.sessions = 2});
  const auto number = accounts.of(peer_at("192.0.2.1"));
  accounts.enter(number);
  CHECK(accounts.full(number, Coming::kVisitor) == Accounts::kNone);
  accounts.enter(number);
  CHECK(accounts.full(number, Coming::kVisitor) == number);
  CHECK(accounts.full(number, Coming::kInside) == Accounts::kNone);
  accounts.leave(number);
  accounts.enter_away(number);
  CHECK(accounts.sessions() == 2);
  CHECK(accounts.away() == 1);
  CHECK(accounts.full(number) == number);
  for (int visitors = 0; visitors < 2; ++visitors) {
    CHECK(accounts.full(number, Coming::kVisitor) == Accounts::kNone);
    accounts.enter(number);
    // It has come in, but is not who is away.
    CHECK(accounts.full(number, Coming::kInside) == number);
  }
  CHECK(accounts.full(number, Coming::kVisitor) == number);
  accounts.leave_away(number);
  CHECK(accounts.away() == 0);
  CHECK(accounts.full(number, Coming::kInside) == number);
  accounts.leave(number);
  CHECK(accounts.full(number, Coming::kInside) == Accounts::kNone);
  CHECK(accounts.full(number, Coming::kVisitor) == number);
  accounts.leave(number);
  accounts.leave(number);
  CHECK(accounts.sessions() == 0);
}

TEST_CASE("accounts: each origin has as many sessions as its share", "[clients][accounts]") {
  Accounts accounts;
  accounts.set_limits({.sessions = 2});
  const auto number_of = [&](int network) {
    return accounts.of(peer_at("2001:db8:0:" + hex(network) + "::1"));
  };
  std::vector<Accounts::Number> entered;
  const auto fill = [&](int network) {
    const auto number = number_of(network);
    int count = 0;
    while (accounts.full(number) == Accounts::kNone) {
      accounts.enter(number);
      entered.push_back(number);
      ++count;
    }
    return count;
  };
  CHECK(fill(0x10) == 2);
  CHECK(accounts.origin(accounts.full(number_of(0x10))).to_string() == "2001:db8:0:10::/64");
  // Four of one /56, and then nobody of it.
  CHECK(fill(0x11) == 2);
  CHECK(fill(0x12) == 2);
  CHECK(fill(0x13) == 2);
  CHECK(fill(0x14) == 0);
  CHECK(accounts.origin(accounts.full(number_of(0x14))).to_string() == "2001:db8::/56");
  // Sixteen of one /48.
  int all = 8;
  for (int network = 0x1000; network < 0x1A00; network += 0x80) all += fill(network);
  CHECK(all == 32);
  CHECK(accounts.sessions() == 32);
  CHECK(accounts.full(accounts.of(peer_at("2001:db8:1::1"))) == Accounts::kNone);
  for (const auto number : entered) accounts.leave(number);
  CHECK(accounts.sessions() == 0);
  CHECK(fill(0x14) == 2);
}

TEST_CASE("accounts: connects have a rate and a burst, and who is refused is not charged",
          "[clients][accounts]") {
  Accounts accounts;
  accounts.set_limits({.connects_per_second = 20});
  const auto number = accounts.of(peer_at("192.0.2.1"));
  Time now{Duration{1000}};
  const auto try_all = [&](int count) {
    int fits = 0;
    for (int i = 0; i < count; ++i) fits += accounts.connect(number, now) ? 1 : 0;
    return fits;
  };
  CHECK(try_all(1000) == 100);
  CHECK(try_all(1000) == 0);
  now += Duration{1000};
  CHECK(try_all(1000) == 20);
  now += Duration{60'000};
  CHECK(try_all(1000) == 100);
  CHECK(accounts.totals(number).connects == 4000);
  // Requests that were answered are a tenth of that, but what is refilled is given back to nobody.
  now += Duration{60'000};
  const auto ask_all = [&](int count) {
    int fits = 0;
    for (int i = 0; i < count; ++i) {
      if (!accounts.connect(number, now)) continue;
      ++fits;
      accounts.answered(number);
    }
    return fits;
  };
  const int asked = ask_all(5000);
  CHECK(asked >= 989);  // (100 - 1) / 0.1, and what is rounded
  CHECK(asked <= 992);
  now += Duration{60'000};
  accounts.answered(number);
  CHECK(try_all(1000) == 100);
  // A network of many has more, and no more than its share of all.
  int all = 0;
  for (int network = 0; network < 200; ++network) {
    const auto one = accounts.of(peer_at("2001:db8:0:" + std::to_string(network) + "::1"));
    for (int i = 0; i < 100; ++i) all += accounts.connect(one, now) ? 1 : 0;
  }
  CHECK(all <= 1600);
  CHECK(all >= 400);
}

TEST_CASE("accounts: bytes over the rate are read later", "[clients][accounts]") {
  Accounts accounts;
  accounts.set_limits({.bytes_per_second = 1000.0 * kKiB});
  const auto number = accounts.of(peer_at("192.0.2.1"));
  const auto other = accounts.of(peer_at("192.0.2.2"));
  const Time now{Duration{1000}};
  accounts.read(number, 8000 * kKiB, now);
  CHECK(accounts.may_read_at(number, now) == now);
  accounts.read(number, 64 * kKiB, now);
  const Time when = accounts.may_read_at(number, now);
  CHECK(when > now + Duration{64});
  CHECK(when < now + Duration{200});
  CHECK(accounts.may_read_at(number, when) == when);
  CHECK(accounts.may_read_at(other, now) == now);
  CHECK(accounts.totals(number).bytes == 8064 * kKiB);
}

TEST_CASE("accounts: who says little comes before who says much, and is never slowed down",
          "[clients][accounts]") {
  Accounts accounts;
  const auto much = accounts.of(peer_at("192.0.2.1"));
  const auto little = accounts.of(peer_at("192.0.2.2"));
  Time now{Duration{1000}};
  for (int i = 0; i < 10; ++i) {
    accounts.read(much, 64 * kKiB, now);
    accounts.read(little, 100, now);
    now += Duration{10};
  }
  CHECK(accounts.order(little, now) < accounts.order(much, now));
  CHECK(accounts.may_read_slowly_at(little, now) == now);
  CHECK(accounts.may_read_at(much, now) == now);
  const Time slowly = accounts.may_read_slowly_at(much, now);
  CHECK(slowly > now);
  // What it said longer ago than a few seconds is forgotten.
  accounts.read(much, 1024 * 1024 * kKiB, now);
  CHECK(accounts.may_read_slowly_at(much, now) <= now + Duration{4000});
  CHECK(accounts.order(much, now + Duration{5000}) == now + Duration{5000});
}

TEST_CASE("accounts: those without sessions are forgotten, the oldest first",
          "[clients][accounts]") {
  Accounts accounts;
  const auto staying = accounts.of(peer_at("192.0.2.1"));
  accounts.enter(staying);
  const auto first = accounts.of(io::Peer::of_user(1));
  for (uid_t user = 2; user <= Accounts::kMostIdle; ++user) {
    (void)accounts.of(io::Peer::of_user(user));
  }
  CHECK(accounts.size() == Accounts::kMostIdle + 1);
  CHECK(accounts.of(io::Peer::of_user(1)) == first);  // used again, so another is the oldest
  (void)accounts.of(io::Peer::of_user(100'000));
  CHECK(accounts.size() == Accounts::kMostIdle + 1);
  CHECK(accounts.of(io::Peer::of_user(1)) == first);
  CHECK(accounts.origin(staying).to_string() == "192.0.2.1");
  // Whole families of networks go as well.
  for (int network = 0; network < 30'000; ++network) {
    (void)accounts.of(peer_at("2001:db8:" + std::to_string(network % 8000) + ":" +
                              std::to_string(network % 7) + "::1"));
  }
  CHECK(accounts.size() <= 3 * Accounts::kMostIdle + 1);
  CHECK(accounts.sessions(staying) == 1);
}

}  // namespace
}  // namespace chatd::test
