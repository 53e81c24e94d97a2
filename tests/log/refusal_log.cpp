#include "log/refusal_log.hpp"
#include "support/catch.hpp"

#include <string>

namespace chatd::test {
namespace {

Time at(int ms) {
  return Time{Duration{ms}};
}

TEST_CASE("refusal log: refusals are one line an interval, with a count", "[log][refusal_log]") {
  RefusalLog refusals{"connection"};
  const int interval = static_cast<int>(RefusalLog::kInterval.count());
  CHECK(refusals.deadline() == kNever);
  CHECK_FALSE(refusals.overdue(at(0)));

  CHECK(refusals.refused("it is full", at(5)) ==
        std::string{"refused 1 connection, the last one because it is full"});
  CHECK(refusals.deadline() == kNever);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(refusals.refused("it is full", at(6 + i)));
  CHECK_FALSE(refusals.refused("it is too many", at(2000)));
  CHECK(refusals.deadline() == at(5 + interval));
  CHECK_FALSE(refusals.overdue(at(4 + interval)));
  CHECK(refusals.overdue(at(5 + interval)) ==
        std::string{"refused 1001 connections, the last one because it is too many"});
  CHECK(refusals.deadline() == kNever);
  CHECK_FALSE(refusals.overdue(at(5 + 5 * interval)));

  // That line began an interval, too; after a quiet one the next is said at once.
  CHECK_FALSE(refusals.refused("x", at(6 + interval)));
  CHECK(refusals.refused("x", at(5 + 2 * interval)) ==
        std::string{"refused 2 connections, the last one because x"});
  CHECK(refusals.count() == 1004);
}

}  // namespace
}  // namespace chatd::test
