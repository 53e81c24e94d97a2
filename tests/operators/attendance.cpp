/// What operators are called, without a connection.
#include "operators/attendance.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

TEST_CASE("attendance: names are unique, and a free one is given again",
          "[operators][attendance]") {
  Bench bench;
  Attendance attendance{bench.loop, bench.clients.sessions(), bench.journal, nullptr};
  for (OperatorId id = 0; id < 3; ++id) attendance.add(id, "ann", false);
  CHECK(attendance.name_of(0) == "ann");
  CHECK(attendance.name_of(1) == "ann-2");
  CHECK(attendance.name_of(2) == "ann-3");
  attendance.remove(1, "");
  attendance.add(1, "ann", true);
  CHECK(attendance.name_of(1) == "ann-2");
}

TEST_CASE("attendance: a connection that has done nothing gives its name to one that asks for it",
          "[operators][attendance]") {
  Bench bench;
  Attendance attendance{bench.loop, bench.clients.sessions(), bench.journal, nullptr};
  attendance.add(0, "ann", false);
  attendance.add(1, "bob", false);
  CHECK(attendance.greet(1, "ann") == "ann");
  CHECK(attendance.name_of(0) == "ann-2");
  attendance.has_acted(1);
  CHECK(attendance.greet(0, "ann") == "ann-2");
}

TEST_CASE("attendance: nobody is called by a name that is waited for, unless it asks for that",
          "[operators][attendance]") {
  Bench bench;
  const auto client = bench.speaking_client();
  Attendance attendance{bench.loop, bench.clients.sessions(), bench.journal, nullptr};
  attendance.add(0, "ann", false);
  REQUIRE(bench.clients.sessions().claim(1, {"ann", false}, false) == core::Outcome::kDone);
  attendance.await_return();
  attendance.remove(0, "");
  CHECK(bench.clients.sessions().claimed_by(1) == "ann");

  attendance.add(0, "ann", false);
  CHECK(attendance.name_of(0) == "ann-2");
  attendance.add(1, "ann", true);  // this process comes back as it was
  CHECK(attendance.name_of(1) == "ann");
  attendance.remove(1, "");
  CHECK(attendance.greet(0, "ann") == "ann");
}

TEST_CASE("attendance: an operator's claims go with it", "[operators][attendance]") {
  Bench bench;
  const auto client = bench.speaking_client();
  Attendance attendance{bench.loop, bench.clients.sessions(), bench.journal, nullptr};
  attendance.add(0, "ann", false);
  REQUIRE(bench.clients.sessions().claim(1, {"ann", false}, false) == core::Outcome::kDone);
  attendance.remove(0, "");
  CHECK(bench.clients.sessions().claimed_by(1).empty());
}

}  // namespace
}  // namespace chatd::test
