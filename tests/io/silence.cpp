#include "io/silence.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::Duration;
using chatd::io::Debt;
using chatd::io::Loop;
using chatd::io::SilenceWatch;
using chatd::io::Unanswered;
using chatd::test::run_until;

namespace {

/// Longer than any round of these tests takes.
constexpr Duration kLong{3'600'000};

constexpr Unanswered kNothingOwed{false, false, kLong};
constexpr Unanswered kSilent{true, true, kLong};
constexpr Unanswered kSilentWithoutRoom{true, false, kLong};
constexpr Unanswered kJustHeardOf{true, true, Duration{0}};

/// Peers whose answers the test makes up.
class Peers : public SilenceWatch::Peers {
 public:
  struct Peer {
    Debt debt;
    std::optional<Unanswered> answer;
    bool there = true;
    int asked = 0;
    bool vanished = false;
  };

  [[nodiscard]] std::uint32_t end_of_ids() const override {
    return static_cast<std::uint32_t>(all.size());
  }
  [[nodiscard]] Debt* debt_of(std::uint32_t id) override {
    return all[id].there ? &all[id].debt : nullptr;
  }
  [[nodiscard]] std::optional<Unanswered> ask(std::uint32_t id) override {
    ++all[id].asked;
    if (when_asked) when_asked(all[id]);
    return all[id].answer;
  }
  void on_vanished(std::uint32_t id) override {
    all[id].vanished = true;
    all[id].there = false;
  }

  std::vector<Peer> all;
  std::function<void(Peer&)> when_asked;
};

struct Bench {
  /// A peer to which something was sent.
  Peers::Peer& owing(std::optional<Unanswered> answer) {
    peers.all.push_back({{}, answer});
    watch.expect_answer(peers.all.back().debt);
    return peers.all.back();
  }
  /// Runs until there is nothing to look at any more.
  void run() {
    REQUIRE(run_until(loop, [&] {
      return std::none_of(peers.all.begin(), peers.all.end(),
                          [](const Peers::Peer& peer) { return peer.there && peer.debt.owes; });
    }));
  }

  Bench() { peers.all.reserve(2000); }

  Loop loop;
  Peers peers;
  SilenceWatch watch{loop, peers, Duration{1}};
};

}  // namespace

TEST_CASE("silence: a peer that owes an answer and is silent in six rounds has vanished",
          "[io][silence]") {
  Bench bench;
  const auto& peer = bench.owing(kSilent);
  bench.run();
  CHECK(peer.vanished);
  CHECK(peer.asked == 6);
}

TEST_CASE("silence: a peer without room is given twenty rounds", "[io][silence]") {
  Bench bench;
  const auto& peer = bench.owing(kSilentWithoutRoom);
  bench.run();
  CHECK(peer.vanished);
  CHECK(peer.asked == 20);
}

TEST_CASE("silence: a peer that says something begins anew", "[io][silence]") {
  Bench bench;
  const auto& peer = bench.owing(kSilent);
  bench.peers.when_asked = [](Peers::Peer& asked) {
    asked.answer = asked.asked == 6 ? kJustHeardOf : kSilent;
  };
  bench.run();
  CHECK(peer.vanished);
  CHECK(peer.asked == 12);
}

TEST_CASE("silence: a peer that owes nothing any more is not asked again", "[io][silence]") {
  Bench bench;
  SECTION("because it has answered") {
    const auto& peer = bench.owing(kNothingOwed);
    bench.owing(kSilent);
    bench.run();
    CHECK(peer.asked == 1);
    CHECK_FALSE(peer.vanished);
  }
  SECTION("because it is not TCP") {
    const auto& peer = bench.owing(std::nullopt);
    bench.owing(kSilent);
    bench.run();
    CHECK(peer.asked == 1);
    CHECK_FALSE(peer.vanished);
  }
  SECTION("because its stream is closing") {
    auto& peer = bench.owing(kSilent);
    peer.there = false;
    bench.owing(kSilent);
    bench.run();
    CHECK(peer.asked == 0);
    CHECK_FALSE(peer.vanished);
  }
}

TEST_CASE("silence: silences before an answer do not count for what is sent after it",
          "[io][silence]") {
  Bench bench;
  auto& peer = bench.owing(kSilent);
  bench.peers.when_asked = [](Peers::Peer& asked) {
    asked.answer = asked.asked == 4 ? kNothingOwed : kSilent;
  };
  bench.run();
  CHECK(peer.asked == 4);
  bench.watch.expect_answer(peer.debt);
  bench.run();
  CHECK(peer.vanished);
  CHECK(peer.asked == 10);
}

TEST_CASE("silence: a round over more peers than are asked in one turn asks each of them once",
          "[io][silence]") {
  Bench bench;
  for (int i = 0; i < 1100; ++i) bench.owing(kNothingOwed);
  bench.run();
  for (const auto& peer : bench.peers.all) {
    if (peer.asked != 1) FAIL("asked " << peer.asked << " times");
  }
}
