/// Which name a session had when.
#include "store/names.hpp"

#include <string>

#include "store/retention.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

TEST_CASE("names: a session has the name that it was given last before", "[store][names]") {
  Transcript transcript;
  Names& names = transcript.reader().names();
  transcript.write({message(1, 3, "who?"), other(2, 3, "named,a"), message(3, 3, "it"),
                    other(4, 4, "named,b"), other(5, 3, "named,c"), other(6, 3, "connected,d")});
  CHECK(names.last_before(1, 3).empty());
  CHECK(names.last_before(2, 3).empty());
  CHECK(names.last_before(3, 3) == "named,a");
  CHECK(names.last_before(5, 3) == "named,a");
  CHECK(names.last_before(6, 3) == "named,c");
  CHECK(names.last_before(1000, 3) == "named,c");
  CHECK(names.last_before(1000, 4) == "named,b");
  CHECK(names.last_before(1000, 5).empty());
}

TEST_CASE("names: what is forgotten takes its names along, and nobody else's", "[store][names]") {
  Transcript transcript;
  Names& names = transcript.reader().names();
  transcript.write({other(1, 3, "named,a"), message(2, 3, "x"), other(3, 4, "named,b"),
                    other(4, 3, "named,c"), message(5, 3, "y")});
  auto retention = Transcript::take(Retention::make(transcript.database()));
  CHECK(*retention.forget(4000) == false);
  CHECK(names.last_before(4, 3).empty());
  CHECK(names.last_before(5, 3) == "named,c");
  CHECK(*transcript.database().number("SELECT count(*) FROM names") == 1);
}

TEST_CASE("names: a lookup is two seeks, however much was said", "[store][names]") {
  Transcript transcript;
  auto plan = Transcript::take(transcript.database().prepare(
      "EXPLAIN QUERY PLAN SELECT e.extra FROM names n JOIN events e ON e.seq = n.seq"
      " WHERE n.session = 1 AND n.seq < 9 ORDER BY n.seq DESC LIMIT 1"));
  std::string all;
  while (plan.step() == Statement::Step::kRow) all += std::string{plan.text(3)} + "; ";
  CHECK(all ==
        "SEARCH n USING PRIMARY KEY (session=? AND seq<?); "
        "SEARCH e USING INTEGER PRIMARY KEY (rowid=?); ");
}

}  // namespace
}  // namespace chatd::store::test
