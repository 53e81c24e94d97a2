#include "store/index.hpp"

#include <utility>

namespace chatd::store {

#define CHATD_INDEXED "(SELECT value FROM meta WHERE name = 'indexed')"

Result<Index> Index::make(Database& database) {
  Index index;
  index.database_ = &database;
  const std::pair<Statement*, const char*> all[] = {
      {&index.upto_,
       "SELECT max(seq), count(*) FROM (SELECT seq FROM events WHERE seq > " CHATD_INDEXED
       " ORDER BY seq LIMIT ?1)"},
      {&index.add_words_,
       "INSERT INTO words (rowid, text) SELECT seq, text FROM events"
       " WHERE seq > " CHATD_INDEXED " AND seq <= ?1 AND text IS NOT NULL"},
      // In the order of the table, so that each of its pages is changed once.
      {&index.add_sessions_,
       "INSERT INTO by_session (session, seq) SELECT session, seq FROM events"
       " WHERE seq > " CHATD_INDEXED " AND seq <= ?1 ORDER BY session, seq"},
      {&index.set_indexed_, "UPDATE meta SET value = ?1 WHERE name = 'indexed'"}};
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

bool Index::add_missing(std::int64_t upto) {
  return add_words_.bind(1, upto).run() && add_sessions_.bind(1, upto).run() &&
         set_indexed_.bind(1, upto).run();
}

Result<bool> Index::step() {
  std::int64_t upto = 0;
  std::int64_t count = 0;
  {
    const Statement::Use use{upto_.bind(1, kAtOnce)};
    if (upto_.step() != Statement::Step::kRow) return database_->error();
    upto = upto_.number(0);
    count = upto_.number(1);
  }
  if (count == 0) return false;
  auto added = database_->in_transaction([&] { return add_missing(upto); });
  if (!added) return std::move(added.error());
  return count == kAtOnce;
}

Result<> Index::catch_up() {
  for (;;) {
    auto more = step();
    if (!more) return std::move(more.error());
    if (!*more) return {};
  }
}

}  // namespace chatd::store
