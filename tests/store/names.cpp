/// Which name a session had when.
#include "store/names.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "store/retention.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

/// How SQLite answers that question.
std::string plan_of(Transcript& transcript, const char* question) {
  const std::string explain = std::string{"EXPLAIN QUERY PLAN "} + question;
  auto plan = Transcript::take(transcript.database().prepare(explain.c_str()));
  std::string all;
  while (plan.step() == Statement::Step::kRow) all += std::string{plan.text(3)} + "; ";
  return all;
}

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
  CHECK(plan_of(transcript, Names::kLast) ==
        "SEARCH n USING PRIMARY KEY (session=? AND seq<?); "
        "SEARCH e USING INTEGER PRIMARY KEY (rowid=?); ");
}

/// Sessions 1, 3 and 5 were called lab, one after the other; 2 and 4 were not.
void add_labs(Transcript& transcript) {
  transcript.write({message(1, 1, "before"), named(2, 1, "lab"), message(3, 1, "one"),
                    message(4, 2, "another"), sent(5, 1, "answer one"), named(6, 1, "door"),
                    message(7, 1, "one of the door"), message(8, 2, "between"), named(9, 3, "lab"),
                    message(10, 3, "two"), sent_to(11, {2, 3}, "both"), named(12, 4, "hall"),
                    message(13, 4, "one of the hall"), disconnected(14, 3), named(15, 5, "lab"),
                    message(16, 5, "one of three"), named(17, 5, ""),
                    message(18, 5, "one, nameless")});
}

Question called(std::string name, std::uint64_t session = 0, std::uint64_t before = 0) {
  return {session, before, std::move(name)};
}

TEST_CASE("names: history by a name has what was said under it, by and to whoever had it",
          "[store][names]") {
  for (const bool indexed : {false, true}) {
    Transcript transcript;
    add_labs(transcript);
    if (indexed) REQUIRE(transcript.index().catch_up());
    using Found = std::vector<std::string>;
    CHECK(transcript.history(called("lab")) == Found{"16/5 in one of three", "11/3 sent both",
                                                     "10/3 in two", "5/1 sent answer one",
                                                     "3/1 in one"});
    CHECK(transcript.history(called("lab"), 2) == Found{"16/5 in one of three", "11/3 sent both"});
    CHECK(transcript.history(called("lab", 0, 11)) ==
          Found{"10/3 in two", "5/1 sent answer one", "3/1 in one"});
    CHECK(transcript.history(called("lab", 3)) == Found{"11/3 sent both", "10/3 in two"});
    CHECK(transcript.history(called("door")) == Found{"7/1 in one of the door"});
    CHECK(transcript.history(called("hall", 3)).empty());
    CHECK(transcript.history(called("Lab")).empty());
  }
}

TEST_CASE("names: a search by a name finds what was said under it alone", "[store][names]") {
  for (const bool indexed : {false, true}) {
    Transcript transcript;
    add_labs(transcript);
    if (indexed) REQUIRE(transcript.index().catch_up());
    using Found = std::vector<std::string>;
    CHECK(transcript.search("one", called("lab")) ==
          Found{"16/5 in one of three", "5/1 sent answer one", "3/1 in one"});
    CHECK(transcript.search("one", called("lab", 1)) == Found{"5/1 sent answer one", "3/1 in one"});
    CHECK(transcript.search("one", called("lab", 0, 16)) ==
          Found{"5/1 sent answer one", "3/1 in one"});
    CHECK(transcript.search("both", called("lab")) == Found{"11/3 sent both"});
    CHECK(transcript.search("one", called("hall")) == Found{"13/4 in one of the hall"});
    CHECK(transcript.search("between", called("lab")).empty());
  }
}

TEST_CASE("names: a name is found however its letters are written", "[store][names]") {
  Transcript transcript;
  transcript.write({named(1, 1, look_of("Zo\u00EB")), message(2, 1, "hi")});
  CHECK(transcript.history(called("Zoe\u0308")).size() == 1);
  CHECK(transcript.search("hi", called("Zo\u00EB")).size() == 1);
  CHECK(transcript.history(called("Zoe")).empty());
}

TEST_CASE("names: who calls itself so hides nothing of one who was given the name",
          "[store][names]") {
  for (const bool indexed : {false, true}) {
    Transcript transcript;
    transcript.write({named(1, 1, "lab"), message(2, 1, "one"), named(3, 2, " lab"),
                      message(4, 1, "two"), message(5, 2, "forged"), named(6, 3, " hall"),
                      message(7, 3, "three")});
    if (indexed) REQUIRE(transcript.index().catch_up());
    using Found = std::vector<std::string>;
    CHECK(transcript.history(called("lab")) == Found{"4/1 in two", "2/1 in one"});
    CHECK(transcript.search("two", called("lab")) == Found{"4/1 in two"});
    CHECK(transcript.search("forged", called("lab")).empty());
    // Nobody was ever given this one.
    CHECK(transcript.history(called("hall")) == Found{"7/3 in three"});
    CHECK(transcript.search("three", called("hall")) == Found{"7/3 in three"});
  }
}

TEST_CASE("names: a search leaves out what was said while nobody had the name", "[store][names]") {
  Transcript transcript;
  std::vector<Record> all{named(1, 1, "lab"), message(2, 1, "word"), disconnected(3, 1)};
  std::uint64_t seq = 4;
  all.push_back(named(seq++, 1, ""));
  for (; seq < 3000; ++seq) all.push_back(message(seq, 2, "word"));
  all.push_back(named(seq++, 3, "lab"));
  for (int i = 0; i < 1000; ++i) all.push_back(message(seq++, 2, "word"));
  all.push_back(message(seq, 3, "word"));
  transcript.write(all);
  const std::vector<std::string> expected{std::to_string(seq) + "/3 in word", "2/1 in word"};
  CHECK(transcript.search("word", called("lab")) == expected);
  REQUIRE(transcript.index().catch_up());
  CHECK(transcript.search("word", called("lab")) == expected);
}

TEST_CASE("names: who had a name is found by two seeks", "[store][names]") {
  Transcript transcript;
  CHECK(plan_of(transcript, Names::kLastCalled) ==
        "SEARCH n USING COVERING INDEX names_by_look (look=? AND seq<?); "
        "CORRELATED SCALAR SUBQUERY 1; "
        "SEARCH later USING PRIMARY KEY (session=? AND seq>?); ");
}

}  // namespace
}  // namespace chatd::store::test
