#include "store/index.hpp"

#include <sqlite3.h>

#include <cassert>
#include <utility>

#include "store/words.hpp"

namespace chatd::store {

namespace {

/// Adding takes this long; writing what was added takes about as long again.
constexpr std::chrono::milliseconds kAdding{3};
/// Pages of the index of words that are joined at once: some hundred microseconds.
constexpr std::int64_t kJoinedPages = 16;
/// The same of an index of an older version that go at once.
constexpr std::int64_t kForgottenPages = 100;

/// words_of(text) for SQL.
void sql_words_of(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const std::string words = bytes == nullptr ? std::string{} : words_of({bytes, size});
  sqlite3_result_text(context, words.data(), static_cast<int>(words.size()), SQLITE_TRANSIENT);
}

}  // namespace

Result<> add_words_of(Database& database) {
  if (sqlite3_create_function_v2(database.raw(), "words_of", 1,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 sql_words_of, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return database.error();
  }
  return {};
}

#define CHATD_INDEXED "(SELECT value FROM meta WHERE name = 'indexed')"
#define CHATD_WORDED "(SELECT value FROM meta WHERE name = 'worded')"

Result<Index> Index::make(Database& database) {
  Index index;
  index.database_ = &database;
  const std::pair<Statement*, const char*> all[] = {
      {&index.is_behind_, "SELECT max(seq) > min(" CHATD_INDEXED ", " CHATD_WORDED ") FROM events"},
      // In the order of the table, so that each of its pages is changed once.
      {&index.add_sessions_,
       "INSERT INTO by_session (session, seq) SELECT session, seq FROM"
       " (SELECT session, seq FROM events WHERE seq > " CHATD_INDEXED " ORDER BY seq LIMIT ?1)"
       " ORDER BY session, seq"},
      {&index.set_indexed_,
       "UPDATE meta SET value = coalesce((SELECT max(seq) FROM (SELECT seq FROM events"
       " WHERE seq > value ORDER BY seq LIMIT ?1)), value) WHERE name = 'indexed'"},
      {&index.without_words_,
       "SELECT seq, text FROM events WHERE seq > " CHATD_WORDED " ORDER BY seq LIMIT ?1"},
      {&index.add_words_, "INSERT INTO words (rowid, text) VALUES (?1, ?2)"},
      {&index.set_worded_, "UPDATE meta SET value = ?1 WHERE name = 'worded'"},
      {&index.join_, "INSERT INTO words (words, rank) VALUES ('merge', ?1)"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql);
    if (!prepared) return std::move(prepared.error());
    *statement = std::move(*prepared);
  }
  auto old = database.number("SELECT count(*) FROM sqlite_master WHERE name = 'old_words_data'");
  if (!old) return std::move(old.error());
  if (*old > 0) {
    // Without its first two records FTS5 would not know the table, not even to drop it.
    auto prepared = database.prepare(
        "DELETE FROM old_words_data WHERE id IN"
        " (SELECT id FROM old_words_data WHERE id > 10 ORDER BY id DESC LIMIT ?1)");
    if (!prepared) return std::move(prepared.error());
    index.forget_old_ = std::move(*prepared);
  }
  return index;
}

std::string Index::of_session(std::string_view session, std::string_view columns,
                              std::string_view which, std::string_view order) {
  const auto half = [&](std::string_view number, std::string_view from) {
    std::string condition;
    for (const char c : which) {
      if (c == '#') {
        condition += number;
      } else {
        condition += c;
      }
    }
    return "SELECT " + std::string{number} + ", " + std::string{columns} + " FROM " +
           std::string{from} + " = " + std::string{session} + " AND " + condition;
  };
  // With each half's own number the halves are merged as they come, and nothing is sorted.
  return half("e.seq", "events e WHERE e.seq > " CHATD_INDEXED " AND e.session") + " UNION ALL " +
         half("b.seq", "by_session b JOIN events e ON e.seq = b.seq WHERE b.session") +
         " ORDER BY 1 " + std::string{order};
}

#undef CHATD_WORDED
#undef CHATD_INDEXED

/// A part of the index of an older version goes, so that the new one finds room. True if there is
/// more of it.
Result<bool> Index::forget_old() {
  if (!forget_old_->bind(1, kForgottenPages).run()) return database_->error();
  if (database_->changes() > 0) return true;
  forget_old_.reset();
  if (auto dropped = database_->run("DROP TABLE old_words"); !dropped) {
    return std::move(dropped.error());
  }
  return is_behind();
}

Result<bool> Index::is_behind() {
  const Statement::Use use{is_behind_};
  if (is_behind_.step() != Statement::Step::kRow) return database_->error();
  return is_behind_.number(0) != 0;  // NULL, which is 0, where there are no events
}

bool Index::add_sessions() {
  const auto most = static_cast<std::int64_t>(kBehind);
  return add_sessions_.bind(1, most).run() && set_indexed_.bind(1, most).run();
}

bool Index::add_words(Clock::time_point until) {
  const Statement::Use use{without_words_};
  without_words_.bind(1, static_cast<std::int64_t>(kBehind));
  std::string words;
  std::int64_t last = 0;
  auto step = without_words_.step();
  while (step == Statement::Step::kRow) {
    last = without_words_.number(0);
    if (!without_words_.is_null(1)) {
      words.clear();
      append_words(words, without_words_.text(1));
      if (!add_words_.bind(1, last).bind(2, words).run()) return false;
    }
    if (Clock::now() >= until) break;
    step = without_words_.step();
  }
  if (step == Statement::Step::kFailed) return false;
  return last == 0 || set_worded_.bind(1, last).run();
}

/// Each step that adds writes a piece of its own, and a search looks into all of them: pieces
/// are joined to fewer and larger ones. SQLite would do that by itself, and now and then take
/// 60 ms for it. True if there is more to do.
Result<bool> Index::join(Clock::time_point until) {
  do {
    const auto before = sqlite3_total_changes64(database_->raw());
    if (!join_.bind(1, kJoinedPages).run()) return database_->error();
    // So FTS5 says that nothing is left.
    if (sqlite3_total_changes64(database_->raw()) - before < 2) return false;
  } while (Clock::now() < until);
  return true;
}

Result<bool> Index::step() {
  assert(!database_->is_in_transaction());
  if (forget_old_) return forget_old();
  const auto begin = Clock::now();
  // Joining keeps pace: nothing is added before all is joined.
  if (!is_to_join_) {
    auto behind = is_behind();
    if (!behind) return behind;
    if (*behind) {
      auto added =
          database_->in_transaction([&] { return add_sessions() && add_words(begin + kAdding); });
      if (!added) return std::move(added.error());
    }
    // What was taken out has left pieces, too.
    is_to_join_ = true;
    if (Clock::now() >= begin + kStep) return true;
  }
  auto more = join(begin + kStep);
  if (!more) return more;
  is_to_join_ = *more;
  return is_to_join_ ? Result<bool>{true} : is_behind();
}

Result<> Index::catch_up() {
  while (true) {
    auto more = step();
    if (!more) return std::move(more.error());
    if (!*more) return {};
  }
}

}  // namespace chatd::store
