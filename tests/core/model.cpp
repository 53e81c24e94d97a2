// The walk of support/model.hpp, chosen by seeds. In tests/fuzz/core.cpp the fuzzer
// chooses.
#include "support/model.hpp"

#include <cstdint>
#include <random>

#include "support/catch.hpp"
#include "support/valgrind.hpp"

using chatd::test::model::Walk;

TEST_CASE("model: whatever happens, in whatever order, the sums are right and nobody is confused",
          "[core][model]") {
  std::uint64_t lost = 0;
  std::uint64_t delivered = 0;
  std::uint64_t in = 0;
  std::uint64_t sessions = 0;
  std::uint64_t overflows = 0;
  std::uint64_t given_up = 0;
  std::uint64_t pauses = 0;
  const unsigned share = chatd::test::under_valgrind() ? 4 : 1;
  for (std::uint_fast32_t seed = 1; seed <= 40 / share; ++seed) {
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
    sessions += static_cast<std::uint64_t>(walk.sessions());
    overflows += static_cast<std::uint64_t>(walk.overflows());
    given_up += static_cast<std::uint64_t>(walk.given_up());
    pauses += static_cast<std::uint64_t>(walk.pauses());
  }
  // The walk reached everything.
  CHECK(delivered > 10'000 / share);
  CHECK(lost > 1000 / share);
  CHECK(in > 10'000 / share);
  CHECK(sessions > 1000 / share);
  CHECK(overflows > 10 / share);
  CHECK(given_up > 20 / share);
  CHECK(pauses > 100 / share);
}
