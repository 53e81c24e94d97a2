#include "store/index.hpp"

#include <cassert>
#include <utility>

namespace chatd::store {

#define CHATD_INDEXED "(SELECT value FROM meta WHERE name = 'indexed')"

Result<Index> Index::make(Database& database) {
  Index index;
  index.database_ = &database;
  const std::pair<Statement*, const char*> all[] = {
      {&index.is_behind_, "SELECT max(seq) > " CHATD_INDEXED " FROM events"},
      {&index.add_words_,
       "INSERT INTO words (rowid, text) SELECT seq, text FROM events"
       " WHERE seq > " CHATD_INDEXED " AND text IS NOT NULL"},
      // In the order of the table, so that each of its pages is changed once.
      {&index.add_sessions_,
       "INSERT INTO by_session (session, seq) SELECT session, seq FROM events"
       " WHERE seq > " CHATD_INDEXED " ORDER BY session, seq"},
      {&index.set_indexed_,
       "UPDATE meta SET value = (SELECT max(seq) FROM events) WHERE name = 'indexed'"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql);
    if (!prepared) return std::move(prepared.error());
    *statement = std::move(*prepared);
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

#undef CHATD_INDEXED

/// Nothing if it could not be told.
std::optional<bool> Index::is_behind() {
  const Statement::Use use{is_behind_};
  if (is_behind_.step() != Statement::Step::kRow) return std::nullopt;
  return is_behind_.number(0) != 0;  // NULL, which is 0, where there are no events
}

bool Index::add_missing() {
  return add_words_.run() && add_sessions_.run() && set_indexed_.run();
}

Result<> Index::catch_up() {
  const auto behind = is_behind();
  if (!behind) return database_->error();
  if (!*behind) return {};
  return database_->in_transaction([this] { return add_missing(); });
}

bool Index::catch_up_inside() {
  assert(database_->is_in_transaction());
  const auto behind = is_behind();
  return behind && (!*behind || add_missing());
}

}  // namespace chatd::store
