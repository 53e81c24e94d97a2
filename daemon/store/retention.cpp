#include "store/retention.hpp"

#include <utility>

namespace chatd::store {

Result<Retention> Retention::make(Database& database) {
  Retention retention;
  retention.database_ = &database;
  auto index = Index::make(database);
  if (!index) return std::move(index.error());
  retention.index_ = std::move(*index);
  const std::pair<Statement*, const char*> all[] = {
      {&retention.oldest_, "SELECT seq, time FROM events ORDER BY seq LIMIT ?1"},
      {&retention.forget_words_,
       "INSERT INTO words (words, rowid, text)"
       " SELECT 'delete', seq, text FROM events WHERE seq <= ?1 AND text IS NOT NULL"},
      {&retention.forget_sessions_,
       "DELETE FROM by_session WHERE (session, seq) IN"
       " (SELECT session, seq FROM events WHERE seq <= ?1)"},
      {&retention.forget_events_, "DELETE FROM events WHERE seq <= ?1"},
      {&retention.forget_outcomes_, "DELETE FROM outcomes WHERE seq <= ?1"},
      {&retention.forget_held_, "DELETE FROM held WHERE seq <= ?1"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql);
    if (!prepared) return std::move(prepared.error());
    *statement = std::move(*prepared);
  }
  return retention;
}

Result<bool> Retention::forget(std::int64_t cutoff_ms) {
  std::int64_t count = 0;
  std::int64_t last = 0;
  {
    oldest_.bind(1, kAtOnce);
    const Statement::Use use{oldest_};
    auto step = oldest_.step();
    for (; step == Statement::Step::kRow && oldest_.number(1) < cutoff_ms; step = oldest_.step()) {
      last = oldest_.number(0);
      ++count;
    }
    if (step == Statement::Step::kFailed) return database_->error();
  }
  if (count == 0) return false;
  // What is taken out of the index has to be in it.
  auto done =
      database_->in_transaction([&] { return index_.catch_up_inside() && delete_up_to(last); });
  if (!done) return std::move(done.error());
  if (auto freed = database_->run("PRAGMA incremental_vacuum(200)"); !freed) {
    return std::move(freed.error());
  }
  return count == kAtOnce;
}

bool Retention::delete_up_to(std::int64_t seq) {
  for (Statement* statement :
       {&forget_words_, &forget_sessions_, &forget_events_, &forget_outcomes_, &forget_held_}) {
    if (!statement->bind(1, seq).run()) return false;
  }
  return true;
}

Result<std::int64_t> Retention::oldest_ms() {
  oldest_.bind(1, std::int64_t{1});
  const Statement::Use use{oldest_};
  switch (oldest_.step()) {
    case Statement::Step::kRow:
      return oldest_.number(1);
    case Statement::Step::kDone:
      return std::int64_t{-1};
    case Statement::Step::kFailed:
      break;
  }
  return database_->error();
}

}  // namespace chatd::store
