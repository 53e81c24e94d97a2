/// How many sessions fit, as a table; and what this process has open.
#include "process/descriptors.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("descriptors: what fits leaves room for operators and a reserve",
          "[process][descriptors]") {
  struct Row {
    std::size_t limit;
    std::size_t open;
    std::size_t operators;
    std::size_t fits;
  };
  const std::vector<Row> rows{
      {20'000, 20, 32, 19'940},  // 20 open, 8 in reserve, 32 operators
      {1024, 20, 32, 964},
      {64, 20, 32, 27},  // operators get a quarter of the 36 that are left
      {64, 20, 4, 32},
      {64, 20, 0, 36},
      {156, 20, 32, 96},  // the last one at which all operators fit in a quarter
      {29, 20, 32, 1},
      {28, 20, 32, 1},  // nothing is left: one is tried all the same
      {10, 20, 32, 1},
      {0, 0, 0, 1},
  };
  for (const auto& row : rows) {
    INFO("limit " << row.limit << ", open " << row.open << ", operators " << row.operators);
    CHECK(sessions_that_fit(row.limit, row.open, row.operators) == row.fits);
    const auto operators = operators_that_fit(row.limit, row.open, row.operators);
    CHECK(operators <= row.operators);
    if (row.limit > 29) CHECK(row.open + 8 + operators + row.fits == row.limit);
  }
}

TEST_CASE("descriptors: more of them never let fewer sessions fit", "[process][descriptors]") {
  for (const std::size_t operators : {0U, 1U, 4U, 32U, 1000U}) {
    std::size_t before = 0;
    for (std::size_t limit = 0; limit < 3000; ++limit) {
      const auto fits = sessions_that_fit(limit, 20, operators);
      REQUIRE(fits >= before);
      if (limit > 28) REQUIRE(fits <= limit - 28);
      before = fits;
    }
  }
}

TEST_CASE("descriptors: those that are open are counted exactly", "[process][descriptors]") {
  const auto before = open_descriptors();
  {
    const UniqueFd one{dup(STDERR_FILENO)};
    const UniqueFd two{dup(STDERR_FILENO)};
    CHECK(open_descriptors() == before + 2);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("descriptors: the soft limit is raised to the hard one", "[process][descriptors]") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = 256;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  const auto in_force = raise_descriptor_limit();
  rlimit after{};
  CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(after.rlim_cur == before.rlim_max);
  CHECK(in_force == std::min<rlim_t>(before.rlim_max, 1U << 30U));
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace chatd::test
