#include "store/retention.hpp"

#include <utility>

#include "store/index.hpp"

namespace chatd::store {

Result<Retention> Retention::make(Database& database) {
  Retention retention;
  retention.database_ = &database;
  if (auto added = add_words_of(database); !added) return std::move(added.error());
  const std::pair<Statement*, const char*> all[] = {
      {&retention.oldest_, "SELECT seq, time FROM events ORDER BY seq LIMIT ?1"},
      {&retention.forget_words_,
       "INSERT INTO words (words, rowid, text)"
       " SELECT 'delete', seq, words_of(text) FROM events WHERE text IS NOT NULL"
       " AND seq <= min(?1, (SELECT value FROM meta WHERE name = 'worded'))"},
      {&retention.forget_sessions_,
       "DELETE FROM by_session WHERE (session, seq) IN"
       " (SELECT session, seq FROM events WHERE seq <= ?1)"},
      {&retention.forget_events_, "DELETE FROM events WHERE seq <= ?1"},
      {&retention.forget_outcomes_, "DELETE FROM outcomes WHERE seq <= ?1"},
      {&retention.forget_held_, "DELETE FROM held WHERE seq <= ?1"},
      // What is gone needs no index, and numbers go on where all events are forgotten.
      {&retention.move_index_,
       "UPDATE meta SET value = ?1 WHERE name IN ('indexed', 'worded') AND value < ?1"}};
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
  auto done = database_->in_transaction([&] { return delete_up_to(last); });
  if (!done) return std::move(done.error());
  if (auto freed = database_->run("PRAGMA incremental_vacuum(200)"); !freed) {
    return std::move(freed.error());
  }
  return count == kAtOnce;
}

bool Retention::delete_up_to(std::int64_t seq) {
  for (Statement* statement : {&forget_words_, &forget_sessions_, &forget_events_,
                               &forget_outcomes_, &forget_held_, &move_index_}) {
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
