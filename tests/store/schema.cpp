/// Older files are brought up to date, newer ones are refused.
#include "store/schema.hpp"

#include <bit>
#include <string>
#include <vector>

#include "store/index.hpp"
#include "store/retention.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

/// The tables of version 1 with two messages in them, as that version wrote them.
constexpr const char* kVersion1 = R"(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, session INTEGER NOT NULL,
  kind INTEGER NOT NULL, state INTEGER NOT NULL, outcome INTEGER, ref INTEGER,
  operator TEXT, text TEXT, extra BLOB);
CREATE INDEX events_by_session ON events (session);
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'events', content_rowid = 'seq');
CREATE TABLE held (session INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE TABLE outcomes (seq INTEGER NOT NULL, session INTEGER NOT NULL,
  outcome INTEGER NOT NULL, PRIMARY KEY (seq, session)) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO events (seq, time, session, kind, state, text) VALUES (7, 7000, 3, 1, 0, 'old words');
INSERT INTO words (rowid, text) VALUES (7, 'old words');
INSERT INTO events (seq, time, session, kind, state, operator, text)
  VALUES (8, 8000, 3, 2, 1, 'anna', 'old answer');
INSERT INTO words (rowid, text) VALUES (8, 'old answer');
INSERT INTO held VALUES (3, 8);
INSERT INTO meta VALUES ('attended', 7);
PRAGMA user_version = 1;
)";

/// The tables of version 3, which 0.1.0 writes, with what it had in them.
constexpr const char* kVersion3 = R"(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, session INTEGER NOT NULL,
  kind INTEGER NOT NULL, state INTEGER NOT NULL, outcome INTEGER, ref INTEGER,
  operator TEXT, text TEXT, extra BLOB);
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'events', content_rowid = 'seq',
  columnsize = 0);
CREATE TABLE by_session (session INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE TABLE held (session INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE TABLE outcomes (seq INTEGER NOT NULL, session INTEGER NOT NULL,
  outcome INTEGER NOT NULL, PRIMARY KEY (seq, session)) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE bans (address TEXT PRIMARY KEY, until INTEGER, since INTEGER NOT NULL,
  operator TEXT NOT NULL) WITHOUT ROWID;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO events (seq, time, session, kind, state, text)
  SELECT i, i * 1000, i % 10 + 1, 1, 0, '祝你们新年快乐' || i FROM n;
INSERT INTO words (rowid, text) SELECT seq, text FROM events WHERE seq <= 4000;
INSERT INTO by_session SELECT session, seq FROM events WHERE seq <= 4000;
INSERT INTO meta VALUES ('indexed', 4000);
PRAGMA user_version = 3;
)";

/// What version 6 had of names, and some that nobody has written so.
constexpr const char* kNamesOfVersion6 = R"(
DROP TABLE names;
CREATE TABLE names (session INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)) WITHOUT ROWID;
INSERT INTO events (seq, time, session, kind, state, text, extra) VALUES
  (10, 10000, 3, 0, 0, NULL, CAST('named,"session":3,"name":"Zoë","operator":"ann"' AS BLOB)),
  (11, 11000, 3, 1, 0, 'under the name', NULL),
  (12, 12000, 3, 0, 0, NULL, CAST('named,"session":3,"name":"","operator":"ann"' AS BLOB)),
  (13, 13000, 3, 1, 0, 'nameless', NULL),
  (14, 14000, 4, 0, 0, NULL, CAST('named,"session":4,"name":' AS BLOB)),
  (15, 15000, 5, 0, 0, NULL, CAST('named,"session":5' AS BLOB)),
  (16, 16000, 6, 0, 0, NULL, NULL),
  (17, 17000, 7, 0, 0, NULL, x'6e616d65642cff00');
INSERT INTO names SELECT session, seq FROM events WHERE kind = 0;
INSERT INTO names VALUES (8, 18);
PRAGMA user_version = 6;
)";

TEST_CASE("schema: those who had a name in a file of version 6 are found by it",
          "[store][schema][names]") {
  const Folder folder;
  {
    auto database = Transcript::take(Database::open(folder.file()));
    REQUIRE(prepare_schema(database));
    REQUIRE(database.run(kNamesOfVersion6));
  }
  Transcript transcript{folder.file()};
  CHECK(*transcript.database().number("PRAGMA user_version") == kSchemaVersion);
  using Found = std::vector<std::string>;
  CHECK(transcript.history({0, 0, "Zoe\u0308"}) == Found{"11/3 in under the name"});
  CHECK(transcript.history({3, 0, ""}) == Found{"13/3 in nameless", "11/3 in under the name"});
  const auto count = [&](const std::string& which) {
    return *transcript.database().number(("SELECT count(*) FROM names WHERE " + which).c_str());
  };
  CHECK(count("true") == 7);
  CHECK(count("look = ''") == 2);     // a name that was taken away, and an event without one
  CHECK(count("look IS NULL") == 4);  // what is no JSON, or not there
}

TEST_CASE("schema: a file of 0.1.0 is searched while its words are taken in anew",
          "[store][schema][search]") {
  const Folder folder;
  {
    auto database = Transcript::take(Database::open(folder.file()));
    REQUIRE(database.run(kVersion3));
  }
  Transcript transcript{folder.file()};
  auto index = Transcript::take(Index::make(transcript.database()));
  int steps = 0;
  for (bool more = true; more; ++steps) {
    // How many steps there are depends on the machine: so it is asked less and less often.
    if (std::has_single_bit(static_cast<unsigned>(steps) + 1)) {
      CHECK(transcript.search("快乐 快乐17").size() == 1);
      CHECK(transcript.search("快乐17") == std::vector<std::string>{"17/8 in 祝你们新年快乐17"});
      CHECK(transcript.search("快乐4999", {10, 0}).size() == 1);
      CHECK(transcript.search("新年*").size() == 1000);
      CHECK(transcript.history({3, 0}).size() == 500);
    }
    more = Transcript::take(index.step());
  }
  CHECK(steps > 3);
  CHECK(*transcript.database().number(
            "SELECT count(*) FROM sqlite_master WHERE name GLOB 'old_words*'") == 0);
  CHECK(*transcript.database().number("SELECT value FROM meta WHERE name = 'worded'") == 5000);
  CHECK(*transcript.database().number("SELECT value FROM meta WHERE name = 'indexed'") == 5000);
  CHECK(transcript.database().run("INSERT INTO words (words) VALUES ('integrity-check')"));
  CHECK(transcript.search("快乐17") == std::vector<std::string>{"17/8 in 祝你们新年快乐17"});
}

TEST_CASE("schema: a file of version 1 is brought up to date with all that it has",
          "[store][schema]") {
  const Folder folder;
  {
    auto database = Transcript::take(Database::open(folder.file()));
    REQUIRE(database.run(kVersion1));
  }
  Transcript transcript{folder.file()};
  CHECK(*transcript.database().number("PRAGMA user_version") == kSchemaVersion);
  CHECK(transcript.history() ==
        std::vector<std::string>{"8/3 held old answer", "7/3 in old words"});
  CHECK(transcript.search("old words") == std::vector<std::string>{"7/3 in old words"});
  CHECK(*transcript.reader().attended() == 7);
  CHECK(transcript.reader().bans()->empty());
  transcript.write({delivered(9, 3, 8)});
  CHECK(transcript.history().front() == "8/3 delivered old answer");
}

TEST_CASE("schema: a new file has the same tables as one that was brought up to date",
          "[store][schema]") {
  const auto tables = [](Database& database) {
    auto rows = Transcript::take(database.prepare(
        "SELECT m.name || ':' || group_concat(c.name) FROM sqlite_master m"
        " JOIN pragma_table_info(m.name) c WHERE m.type = 'table' GROUP BY m.name"));
    std::vector<std::string> all;
    while (rows.step() == Statement::Step::kRow) all.emplace_back(rows.text(0));
    return all;
  };
  const Folder folder;
  auto old = Transcript::take(Database::open(folder.file()));
  REQUIRE(old.run(kVersion1));
  REQUIRE(prepare_schema(old));
  Transcript fresh;
  CHECK(tables(old) == tables(fresh.database()));
}

TEST_CASE("schema: a file of a newer version is refused and left as it is", "[store][schema]") {
  const Folder folder;
  auto database = Transcript::take(Database::open(folder.file()));
  REQUIRE(database.run("CREATE TABLE later (x); PRAGMA user_version = 99;"));
  auto prepared = prepare_schema(database);
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().message ==
        "it was written by a newer chatd (its schema is 99, this one knows " +
            std::to_string(kSchemaVersion) + ")");
  CHECK(*database.number("SELECT count(*) FROM sqlite_master") == 1);
}

TEST_CASE("schema: what goes wrong on the way up leaves the old version", "[store][schema]") {
  const Folder folder;
  auto database = Transcript::take(Database::open(folder.file()));
  REQUIRE(database.run(kVersion1));
  REQUIRE(database.run("CREATE TABLE bans (in_the_way)"));
  CHECK_FALSE(prepare_schema(database));
  CHECK(*database.number("PRAGMA user_version") == 1);
}

TEST_CASE("retention: what is older goes, with its words, and the file shrinks",
          "[store][retention]") {
  const Folder folder;
  Transcript transcript{folder.file()};
  const std::string padding(500, 'x');
  std::vector<std::string> texts;
  std::vector<Record> records;
  for (std::uint64_t seq = 1; seq <= 3000; ++seq) {
    texts.push_back("word" + std::to_string(seq) + ' ' + padding);
  }
  for (std::uint64_t seq = 1; seq <= 3000; ++seq)
    records.push_back(message(seq, 1, texts[seq - 1]));
  transcript.write(records);
  const auto pages = *transcript.database().number("PRAGMA page_count");
  auto retention = Transcript::take(Retention::make(transcript.database()));
  CHECK(*retention.oldest_ms() == 1000);
  CHECK(*retention.forget(1000) == false);  // not older than that
  CHECK(transcript.history().size() == 1000);
  int steps = 0;
  while (*retention.forget(2'900'000)) ++steps;
  CHECK(steps >= 2899 / Retention::kAtOnce);
  CHECK(*retention.oldest_ms() == 2'900'000);
  CHECK(transcript.history().size() == 101);
  CHECK(transcript.search("word2899").empty());
  CHECK(transcript.search("word2900").size() == 1);
  for (int i = 0; i < 20; ++i) (void)retention.forget(0);
  CHECK(*transcript.database().number("PRAGMA page_count") < pages / 3);
  CHECK(transcript.database().run("INSERT INTO words (words) VALUES ('integrity-check')"));
  // What is known of a message goes with it.
  const auto count = [&](const char* table) {
    return *transcript.database().number(("SELECT count(*) FROM " + std::string{table}).c_str());
  };
  transcript.write({sent(3001, 1, "to one", State::kHeld),
                    sent_to(3002, {1, 2}, "to two", State::kHeld), delivered(3003, 2, 3002)});
  CHECK(count("held") == 2);
  CHECK(count("outcomes") == 1);
  REQUIRE(transcript.index().catch_up());
  CHECK(*retention.forget(INT64_MAX) == false);
  CHECK(count("held") == 0);
  CHECK(count("outcomes") == 0);
  CHECK(*retention.oldest_ms() == -1);
  CHECK(transcript.history().empty());
}

TEST_CASE("retention: what is old goes wherever it stands, also in a file of an older version",
          "[store][retention]") {
  const Folder folder;
  {
    auto database = Transcript::take(Database::open(folder.file()));
    REQUIRE(database.run(kVersion1));
    // Far apart, so that there are spans without events.
    REQUIRE(
        database.run("INSERT INTO events (seq, time, session, kind, state, text) VALUES"
                     " (2000, 99000, 3, 1, 0, 'young'), (900000, 9000, 3, 1, 0, 'old'),"
                     " (900001, 99000, 3, 1, 0, 'young too')"));
  }
  Transcript transcript{folder.file()};
  CHECK(*transcript.database().number("SELECT count(*) FROM spans") == 3);
  auto retention = Transcript::take(Retention::make(transcript.database()));
  int steps = 0;
  while (*retention.forget(50'000)) ++steps;
  CHECK(steps <= 3);
  CHECK(transcript.history() ==
        std::vector<std::string>{"900001/3 in young too", "2000/3 in young"});
  CHECK(*retention.oldest_ms() == 99'000);
  CHECK(*retention.forget(50'000) == false);
  // A late event that is older than the others of its span.
  Record late = message(2001, 3, "late");
  late.time_ms = 1000;
  transcript.write({late});
  CHECK(*retention.oldest_ms() == 1000);
  CHECK(*retention.forget(50'000) == false);
  CHECK(transcript.history().size() == 2);
  CHECK(*retention.oldest_ms() == 99'000);
}

TEST_CASE("retention: the first events go, whenever they were, and nothing of them is left",
          "[store][retention]") {
  Transcript transcript;
  std::vector<Record> records;
  const std::string text(1000, 'x');
  for (std::uint64_t seq = 1; seq <= 2000; ++seq) records.push_back(message(seq, 1, text));
  records[0].time_ms = 4'000'000'000'000;
  transcript.write(records);
  REQUIRE(transcript.index().catch_up());
  auto retention = Transcript::take(Retention::make(transcript.database()));
  const auto used = *retention.used_bytes();
  REQUIRE(*retention.forget_first());
  const auto left = static_cast<std::int64_t>(transcript.history({}, 5000).size());
  // Bounded in bytes, too.
  CHECK(left >= 2000 - Retention::kBytesAtOnce / 1000 - 2);
  CHECK(left < 2000);
  while (*retention.forget_first()) {
  }
  CHECK(transcript.history().empty());
  CHECK(*transcript.database().number("SELECT count(*) FROM spans") == 0);
  CHECK(*transcript.database().number("SELECT count(*) FROM by_session") == 0);
  CHECK(*retention.used_bytes() < used / 2);
  CHECK(*retention.oldest_ms() == -1);
}

}  // namespace
}  // namespace chatd::store::test
