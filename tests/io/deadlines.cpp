#include "io/deadlines.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::Duration;
using chatd::kNever;
using chatd::Time;
using chatd::io::Deadlines;
using chatd::io::Loop;
using chatd::test::run_pending;
using chatd::test::run_until;

namespace {

struct Bench {
  Loop loop;
  std::vector<std::uint32_t> over;
  std::vector<Time> times = std::vector<Time>(4, kNever);
  Deadlines deadlines{loop, [this](std::uint32_t id) {
                        over.push_back(id);
                        set(id, kNever);
                      }};

  void set(std::uint32_t id, Time when) { deadlines.set(id, times[id], when); }
};

}  // namespace

TEST_CASE("deadlines: ids are told of in the order of their deadlines", "[io][deadlines]") {
  Bench bench;
  const Time now = bench.loop.now();
  bench.set(0, now + Duration{3});
  bench.set(1, now + Duration{1});
  bench.set(2, now + Duration{2});
  CHECK(bench.times[0] == now + Duration{3});
  REQUIRE(run_until(bench.loop, [&] { return bench.over.size() == 3; }));
  CHECK(bench.over == std::vector<std::uint32_t>{1, 2, 0});
  CHECK(bench.times[1] == kNever);
}

TEST_CASE("deadlines: one that is moved or taken away is not told of", "[io][deadlines]") {
  Bench bench;
  const Time now = bench.loop.now();
  bench.set(0, now);
  bench.set(1, now);
  bench.set(2, now);
  bench.set(0, kNever);
  bench.set(1, now + Duration{3'600'000});
  REQUIRE(run_until(bench.loop, [&] { return !bench.over.empty(); }));
  run_pending(bench.loop);
  CHECK(bench.over == std::vector<std::uint32_t>{2});
}

TEST_CASE("deadlines: the loop runs on while there is one", "[io][deadlines]") {
  Bench bench;
  bench.set(0, bench.loop.now() + Duration{5});
  bench.loop.run();
  CHECK(bench.over == std::vector<std::uint32_t>{0});
}
