// The walk of support/model.hpp, where seeds lead it. tests/fuzz/core.cpp is the same
// walk, led by the fuzzer.
#include "support/model.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <random>

using chatd::test::model::Walk;

TEST_CASE("model: whatever happens, in whatever order, the sums are right and nobody is confused",
          "[core][model]") {
  std::uint64_t lost = 0;
  std::uint64_t delivered = 0;
  std::uint64_t in = 0;
  int sessions = 0;
  int overflows = 0;
  int pauses = 0;
  for (std::uint_fast32_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random{seed};
    Walk walk{[&random] { return static_cast<std::uint32_t>(random()); }};
    for (int i = 0; i < 5000; ++i) {
      INFO("step " << i);
      walk.step();
    }
    walk.finish();
    lost += walk.numbers().lost;
    delivered += walk.numbers().delivered;
    in += walk.numbers().in;
    sessions += walk.sessions();
    overflows += walk.overflows();
    pauses += walk.pauses();
  }
  // It went everywhere.
  CHECK(delivered > 10'000);
  CHECK(lost > 1000);
  CHECK(in > 10'000);
  CHECK(sessions > 1000);
  CHECK(overflows > 20);
  CHECK(pauses > 100);
}
