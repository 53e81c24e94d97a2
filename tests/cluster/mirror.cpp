#include "cluster/mirror.hpp"

#include <cstddef>
#include <random>
#include <vector>

#include "support/catch.hpp"

using chatd::Duration;
using chatd::kNever;
using chatd::Time;
using chatd::cluster::Interval;
using chatd::cluster::Mirror;
using chatd::cluster::Number;
using Verdict = Mirror::Verdict;

namespace {

constexpr Duration kAlmost = Mirror::kPatience - Duration{1};

TEST_CASE("mirror: blocks that follow each other are taken", "[cluster][mirror]") {
  Mirror mirror{0};
  CHECK(mirror.take({0, 3}) == Verdict::kTake);
  CHECK(mirror.take({3, 4}) == Verdict::kTake);
  CHECK(mirror.cursor() == 4);
  CHECK_FALSE(mirror.is_behind());
  CHECK_FALSE(mirror.asks(Time{}));
  CHECK(mirror.deadline() == kNever);
}

TEST_CASE("mirror: what is there already is known, and of what overlaps the rest is taken",
          "[cluster][mirror]") {
  Mirror mirror{10};
  CHECK(mirror.take({5, 10}) == Verdict::kKnown);
  CHECK(mirror.take({0, 7}) == Verdict::kKnown);
  CHECK(mirror.cursor() == 10);
  CHECK(mirror.take({8, 12}) == Verdict::kTake);
  CHECK(mirror.cursor() == 12);
}

TEST_CASE("mirror: what comes behind a gap is not taken, and what is missing is asked for",
          "[cluster][mirror]") {
  Mirror mirror{3};
  Time now{Duration{5000}};
  CHECK(mirror.take({4, 6}) == Verdict::kAhead);
  CHECK(mirror.cursor() == 3);
  CHECK(mirror.known() == 6);
  CHECK(mirror.deadline() <= now);
  SECTION("once, until the answer had its time") {
    CHECK(mirror.asks(now));
    CHECK_FALSE(mirror.asks(now));
    CHECK(mirror.deadline() == now + Mirror::kPatience);
    CHECK_FALSE(mirror.asks(now + kAlmost));
    CHECK(mirror.asks(now + Mirror::kPatience));
  }
  SECTION("at once again, where the answer was not all of it") {
    CHECK(mirror.asks(now));
    CHECK(mirror.take({3, 5}) == Verdict::kTake);
    CHECK(mirror.asks(now));
    CHECK(mirror.take({5, 9}) == Verdict::kTake);
    CHECK_FALSE(mirror.asks(now + Mirror::kPatience));
  }
  SECTION("not of a node that is not there, until it is heard again") {
    mirror.lost();
    CHECK(mirror.deadline() == kNever);
    CHECK_FALSE(mirror.asks(now + Duration{3'600'000}));
    mirror.heard(6);
    CHECK(mirror.asks(now));
  }
}

TEST_CASE("mirror: a node says how far it is", "[cluster][mirror]") {
  Mirror mirror{3};
  mirror.heard(3);
  CHECK_FALSE(mirror.is_behind());
  mirror.heard(8);
  CHECK(mirror.is_behind());
  mirror.heard(5);  // late
  CHECK(mirror.known() == 8);
  CHECK(mirror.take({3, 8}) == Verdict::kTake);
  CHECK_FALSE(mirror.is_behind());
}

/// A node that numbers events, and a network that loses blocks, brings them twice, later, and cut
/// differently.
class World {
 public:
  explicit World(std::uint_fast32_t seed) : random_{seed} {}

  void step() {
    switch (random_() % 8) {
      case 0:
      case 1:
        publish();
        break;
      case 2:
      case 3:
      case 4:
        deliver();
        break;
      case 5:
        mirror_.heard(last_);
        break;
      case 6:
        now_ += Duration{random_() % 500};
        answer();
        break;
      default:
        if (random_() % 20 == 0) crash();
        if (random_() % 20 == 0) mirror_.lost();
        break;
    }
  }

  /// From now on nothing is lost.
  void settle() {
    on_the_way_.clear();
    mirror_.heard(last_);
    for (int round = 0; mirror_.is_behind(); ++round) {
      REQUIRE(round < 1000);
      now_ += Mirror::kPatience;
      if (mirror_.asks(now_)) bring(part(mirror_.cursor()));
    }
    REQUIRE(taken_ == log_);
  }

  [[nodiscard]] std::size_t events() const { return log_.size(); }
  [[nodiscard]] std::size_t gaps() const { return gaps_; }
  [[nodiscard]] std::size_t known() const { return known_; }

 private:
  void publish() {
    const Number before = last_;
    for (auto count = random_() % 5 + 1; count > 0; --count) {
      last_ += random_() % 3 + 1;  // what is between is another's, or was not recorded
      log_.push_back(last_);
    }
    if (random_() % 4 == 0) ++last_;
    if (random_() % 3 != 0) on_the_way_.push_back({before, last_});
    if (random_() % 4 == 0) on_the_way_.push_back({before, last_});
  }

  void deliver() {
    if (on_the_way_.empty()) return;
    const auto place =
        on_the_way_.begin() + random_() % std::min<std::size_t>(on_the_way_.size(), 3);
    const Interval block = *place;
    on_the_way_.erase(place);
    bring(block);
  }

  void answer() {
    if (!mirror_.asks(now_)) return;
    if (random_() % 3 != 0) on_the_way_.push_back(part(mirror_.cursor()));
  }

  /// What the node answers, who says how much at once.
  Interval part(Number after) { return {after, std::min(last_, after + random_() % 60 + 1)}; }

  void bring(Interval block) {
    const Number cursor = mirror_.cursor();
    switch (mirror_.take(block)) {
      case Verdict::kTake:
        for (const Number number : log_) {
          if (number > cursor && number <= block.upto) taken_.push_back(number);
        }
        REQUIRE(block.after <= cursor);
        break;
      case Verdict::kKnown:
        ++known_;
        break;
      case Verdict::kAhead:
        ++gaps_;
        break;
    }
  }

  /// What was taken of late was not recorded, and the cursor with it.
  void crash() {
    const Number cursor = mirror_.cursor() - std::min<Number>(mirror_.cursor(), random_() % 10);
    while (!taken_.empty() && taken_.back() > cursor) taken_.pop_back();
    mirror_ = Mirror{cursor};
  }

  std::mt19937 random_;
  Time now_{};
  Number last_ = 0;
  std::vector<Number> log_;
  std::vector<Number> taken_;
  std::vector<Interval> on_the_way_;
  Mirror mirror_{0};
  std::size_t gaps_ = 0;
  std::size_t known_ = 0;
};

TEST_CASE("mirror: whatever becomes of blocks, each event is taken once and in order",
          "[cluster][mirror]") {
  std::size_t events = 0;
  std::size_t gaps = 0;
  std::size_t known = 0;
  for (std::uint_fast32_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    World world{seed};
    for (int i = 0; i < 1000; ++i) world.step();
    world.settle();
    events += world.events();
    gaps += world.gaps();
    known += world.known();
  }
  // The walk reached everything.
  CHECK(events > 10'000);
  CHECK(gaps > 1000);
  CHECK(known > 300);
}

}  // namespace
