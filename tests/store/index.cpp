/// The index follows behind what is recorded, and nobody who asks can tell.
#include "store/index.hpp"

#include <string>
#include <vector>

#include "store/retention.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

std::uint64_t indexed(Database& database) {
  const auto indexed = *database.number("SELECT value FROM meta WHERE name = 'indexed'");
  CHECK(*database.number("SELECT value FROM meta WHERE name = 'worded'") == indexed);
  return static_cast<std::uint64_t>(indexed);
}

void catch_up(Transcript& transcript) {
  auto index = Transcript::take(Index::make(transcript.database()));
  REQUIRE(index.catch_up());
}

/// A day's events, of every kind, in two sessions.
const std::vector<Record>& day() {
  static const std::vector<std::uint64_t> kBoth{1, 2};
  static const std::vector<Record> kAll{other(1, 1, R"(connected,"session":1)"),
                                        message(2, 1, "good morning"),
                                        other(3, 2, R"(connected,"session":2)"),
                                        sent(4, 1, "good morning to you"),
                                        sent_to(5, kBoth, "to both"),
                                        message(6, 2, "morning"),
                                        sent(7, 2, "wait", State::kHeld),
                                        sent(8, 2, "longer", State::kHeld),
                                        delivered(9, 2, 7),
                                        sent(10, 1, "one more"),
                                        sent_to(11, kBoth, "to both again"),
                                        disconnected(12, 1, 2),
                                        message(13, 2, "still here in the morning"),
                                        disconnected(14, 2, 1)};
  return kAll;
}

std::vector<std::vector<std::string>> answers(Transcript& transcript) {
  std::vector<std::vector<std::string>> all{transcript.history()};
  for (std::uint64_t session = 0; session <= 3; ++session) {
    for (std::uint64_t before = 1; before <= 15; ++before) {
      all.push_back(transcript.history({session, before}));
    }
  }
  return all;
}

std::vector<std::vector<std::string>> finds(Transcript& transcript) {
  std::vector<std::vector<std::string>> all;
  for (const char* text : {"morning", "to both", "good", "none"}) {
    for (std::uint64_t session = 0; session <= 3; ++session) {
      all.push_back(transcript.search(text, {session, 0}));
    }
  }
  return all;
}

TEST_CASE("index: wherever it ends, the answers are the same", "[store][index]") {
  Transcript whole;
  whole.write(day());
  const auto found = finds(whole);
  CHECK(found.front().size() == 4);
  CHECK(indexed(whole.database()) == 0);
  catch_up(whole);
  CHECK(indexed(whole.database()) == 14);
  CHECK(finds(whole) == found);
  const auto known = answers(whole);
  CHECK(whole.history({1, 0}).size() == 5);
  for (std::size_t end = 0; end <= day().size(); ++end) {
    INFO("it ends after " << end);
    Transcript transcript;
    const auto middle = day().begin() + static_cast<std::ptrdiff_t>(end);
    transcript.write({day().begin(), middle});
    catch_up(transcript);
    CHECK(indexed(transcript.database()) == end);
    transcript.write({middle, day().end()});
    CHECK(indexed(transcript.database()) == end);
    CHECK(*transcript.reader().last_session() == 2);
    CHECK(answers(transcript) == known);
    CHECK(finds(transcript) == found);
    CHECK(indexed(transcript.database()) == end);  // nobody who asks needs more
  }
}

TEST_CASE("index: what is forgotten before it was taken in leaves nothing behind",
          "[store][index][retention]") {
  Transcript transcript;
  transcript.write(day());
  auto retention = Transcript::take(Retention::make(transcript.database()));
  CHECK(*retention.forget(6000) == false);
  CHECK(indexed(transcript.database()) == 0);
  // The last one stays: its number would come again.
  while (*retention.forget(14'001)) {
  }
  CHECK(*retention.oldest_ms() == 14'000);
  CHECK(*transcript.reader().last_seq() == 14);
}

TEST_CASE("index: what is forgotten is taken out of it", "[store][index][retention]") {
  Transcript transcript;
  transcript.write(day());
  catch_up(transcript);
  auto retention = Transcript::take(Retention::make(transcript.database()));
  CHECK(*retention.forget(6000) == false);
  CHECK(transcript.search("morning") ==
        std::vector<std::string>{"13/2 in still here in the morning", "6/2 in morning"});
  CHECK(*transcript.database().number("SELECT count(*) FROM by_session") == 9);
  CHECK(transcript.database().run("INSERT INTO words (words) VALUES ('integrity-check')"));
  CHECK(*retention.forget(INT64_MAX) == false);
  CHECK(*transcript.database().number("SELECT count(*) FROM by_session") == 0);
  // The numbers go on, or what comes next would be taken for something that is in it.
  CHECK(*transcript.reader().last_seq() == 14);
}

TEST_CASE("index: it is as it was where catching up fails", "[store][index]") {
  const Folder folder;
  Transcript transcript{folder.file()};
  transcript.write(day());
  REQUIRE(transcript.database().run("PRAGMA busy_timeout = 0"));
  auto other_connection = Transcript::take(Database::open(folder.file()));
  REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
  auto index = Transcript::take(Index::make(transcript.database()));
  CHECK_FALSE(index.catch_up());
  CHECK(transcript.search("morning").size() == 4);
  CHECK(transcript.history({2, 0}).size() == 6);
  REQUIRE(other_connection.run("COMMIT"));
  CHECK(indexed(transcript.database()) == 0);
  REQUIRE(index.catch_up());
  CHECK(indexed(transcript.database()) == 14);
  CHECK(transcript.search("morning").size() == 4);
}

TEST_CASE("index: a step takes in a part, however much there is", "[store][index]") {
  Transcript transcript;
  std::vector<std::string> texts;
  constexpr std::uint64_t kCount = 6 * Index::kBehind;
  for (std::uint64_t seq = 1; seq <= kCount; ++seq) {
    texts.push_back("word" + std::to_string(seq) + " of many");
  }
  std::vector<Record> records;
  for (std::uint64_t seq = 1; seq <= kCount; ++seq) {
    records.push_back(message(seq, seq % 7, texts[seq - 1]));
  }
  transcript.write(records);
  auto index = Transcript::take(Index::make(transcript.database()));
  const auto worded = [&] {
    return static_cast<std::uint64_t>(
        *transcript.database().number("SELECT value FROM meta WHERE name = 'worded'"));
  };
  int steps = 0;
  int added = 0;
  std::uint64_t before = 0;
  while (Transcript::take(index.step())) {
    const auto now = worded();
    CHECK(now <= before + Index::kBehind);
    CHECK(transcript.search("many").size() == 1000);
    ++steps;
    if (now > before) ++added;
    before = now;
  }
  CHECK(steps >= 5);
  CHECK(indexed(transcript.database()) == kCount);
  CHECK_FALSE(Transcript::take(index.step()));
  // The pieces that the steps have left are few: four of a kind are joined to one of the next. How
  // many steps it takes depends on how fast they are.
  const auto pieces = *transcript.database().number("SELECT count(DISTINCT segid) FROM words_idx");
  int kinds = 1;
  for (int most = 4; most <= added + 1; most *= 4) ++kinds;
  INFO(added << " steps have added something");
  CHECK(pieces <= 3 * kinds);
  CHECK(transcript.search("word1") == std::vector<std::string>{"1/1 in word1 of many"});
}

}  // namespace
}  // namespace chatd::store::test
