#include "store/schema.hpp"

#include <sqlite3.h>

#include <array>
#include <string>
#include <utility>

#include "base/names.hpp"
#include "base/text.hpp"

namespace chatd::store {

namespace {

/// For the connection. A killed process loses nothing that was committed; after a
/// power failure the last commits may be missing, but the file is whole.
constexpr const char* kSetUp = R"(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 256;
PRAGMA journal_size_limit = 1048576;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
)";

/// What leads from version N to N + 1. Only ever appended to.
constexpr std::array<const char*, kSchemaVersion> kSteps{
    R"(
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,     -- milliseconds since 1970, UTC
  session INTEGER NOT NULL,  -- 0: none, or those in `extra`
  kind INTEGER NOT NULL,     -- 0 other, 1 message, 2 sent, 3 delivered
  state INTEGER NOT NULL,    -- 1: whether it was cut; 2: 0 sent, 1 held, 2 lost, as it began
  outcome INTEGER,           -- 2: 2 lost or 3 delivered, if that came later
  ref INTEGER,               -- 3: the number of the held message; 2: 1 if it was automatic
  operator TEXT,             -- 2
  text TEXT,                 -- 1, 2: what was said
  extra BLOB                 -- 2: the sessions, if several; 0: the event's name and members
);
CREATE INDEX events_by_session ON events (session);
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'events', content_rowid = 'seq');
CREATE TABLE held (          -- messages that still wait for a session
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)
) WITHOUT ROWID;
CREATE TABLE outcomes (      -- of a message to several sessions, where it differs from `state`
  seq INTEGER NOT NULL,
  session INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  PRIMARY KEY (seq, session)
) WITHOUT ROWID;
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
)",
    R"(
CREATE TABLE bans (
  address TEXT PRIMARY KEY,  -- 192.0.2.0/24
  until INTEGER,             -- milliseconds since 1970; NULL: for ever
  since INTEGER NOT NULL,
  operator TEXT NOT NULL
) WITHOUT ROWID;
)",
    // An index of SQLite's own follows at once, at the cost of a changed page for nearly
    // every event; see index.hpp. The sizes of texts, which nobody asks for, were a sixth of
    // the cost of recording. This step takes some 5 µs a message.
    R"(
DROP INDEX events_by_session;
DROP TABLE words;
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'events', content_rowid = 'seq',
  columnsize = 0);
INSERT INTO words (rowid, text) SELECT seq, text FROM events WHERE text IS NOT NULL;
CREATE TABLE by_session (    -- where session 0 stands for messages to several
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)
) WITHOUT ROWID;
INSERT INTO by_session SELECT session, seq FROM events ORDER BY session, seq;
INSERT INTO meta SELECT 'indexed', coalesce(max(seq), 0) FROM events;
)",
    // Of what was recorded before, no names are known: to look for them would read all events.
    R"(
CREATE TABLE names (         -- the events that gave a session its name, or took it away
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)
) WITHOUT ROWID;
CREATE TRIGGER forget_name AFTER DELETE ON events WHEN old.kind = 0 BEGIN
  DELETE FROM names WHERE session = old.session AND seq = old.seq;
END;
)",
    // The words are those of words.hpp, between blanks. They are taken in anew, in steps, while
    // all else goes on; index.hpp joins the pieces in steps, too. So does the old table go: at
    // once it would take seconds, and twice its size in the log beside the file.
    R"(
ALTER TABLE words RENAME TO old_words;
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', columnsize = 0, tokenize = 'ascii');
INSERT INTO words (words, rank) VALUES ('automerge', 0);
INSERT INTO words (words, rank) VALUES ('crisismerge', 64);
INSERT INTO meta VALUES ('worded', 0);
)",
    // When events of older files happened is found out when it is asked for, and not before
    // anybody is served: -1 says that they may be as old as can be.
    R"(
CREATE TABLE spans (         -- see span.hpp
  span INTEGER PRIMARY KEY,
  oldest INTEGER NOT NULL    -- none of its events is older; -1: not known
);
WITH RECURSIVE all_spans (span) AS (
  SELECT min(seq) / 512 FROM events
  UNION ALL SELECT (SELECT min(seq) / 512 FROM events WHERE seq >= (span + 1) * 512) AS next
    FROM all_spans WHERE span IS NOT NULL
)
INSERT INTO spans SELECT span, -1 FROM all_spans WHERE span IS NOT NULL;
CREATE INDEX spans_by_oldest ON spans (oldest);
)",
    // Those who were called so are found by how the name looks (look_of in base/names.hpp). No file
    // of a release has names yet, so this takes no time there.
    R"(
ALTER TABLE names ADD COLUMN look TEXT;
UPDATE names SET look = (
  SELECT CASE WHEN json_valid('{' || substr(CAST(extra AS TEXT), 7) || '}')
    THEN look_of(json_extract('{' || substr(CAST(extra AS TEXT), 7) || '}', '$.name')) END
  FROM events WHERE seq = names.seq);
CREATE INDEX names_by_look ON names (look, seq);
)"};

/// look_of(name) for SQL.
void sql_look_of(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const std::string_view name{bytes == nullptr ? "" : bytes, bytes == nullptr ? 0 : size};
  const std::string look = is_utf8(name) ? look_of(name) : std::string{};
  sqlite3_result_text(context, look.data(), static_cast<int>(look.size()), SQLITE_TRANSIENT);
}

}  // namespace

Result<> prepare_schema(Database& database) {
  auto version = database.number("PRAGMA user_version");
  if (!version) return std::move(version.error());
  if (*version > kSchemaVersion) {
    return Error{"it was written by a newer chatd (its schema is " + std::to_string(*version) +
                 ", this one knows " + std::to_string(kSchemaVersion) + ")"};
  }
  if (auto set_up = database.run(kSetUp); !set_up) return set_up;
  if (*version == kSchemaVersion) return {};
  if (sqlite3_create_function_v2(database.raw(), "look_of", 1,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 sql_look_of, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return database.error();
  }
  auto changed = database.in_transaction([&] {
    for (auto step = static_cast<std::size_t>(*version); step < kSteps.size(); ++step) {
      if (!database.run(kSteps[step])) return false;
    }
    const auto set_version = "PRAGMA user_version = " + std::to_string(kSchemaVersion);
    return static_cast<bool>(database.run(set_version.c_str()));
  });
  if (changed) return {};
  return std::move(changed.error()).while_doing("bring its schema up to date");
}

}  // namespace chatd::store
