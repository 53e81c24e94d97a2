#include "store/retention.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/index.hpp"
#include "store/span.hpp"

namespace chatd::store {

namespace {

constexpr auto kWhenever = std::numeric_limits<std::int64_t>::max();

/// The first column of the first row; `otherwise` if there is none, or NULL.
Result<std::int64_t> number_of(Database& database, Statement& statement, std::int64_t otherwise) {
  const Statement::Use use{statement};
  switch (statement.step()) {
    case Statement::Step::kRow:
      return statement.is_null(0) ? otherwise : statement.number(0);
    case Statement::Step::kDone:
      return otherwise;
    case Statement::Step::kFailed:
      break;
  }
  return database.error();
}

}  // namespace

Result<Retention> Retention::make(Database& database) {
  Retention retention;
  retention.database_ = &database;
  if (auto added = add_words_of(database); !added) return std::move(added.error());
#define CHATD_PORTION "seq BETWEEN ?1 AND ?2 AND time < ?3"
  const std::pair<Statement*, const char*> all[] = {
      {&retention.old_span_, "SELECT span FROM spans WHERE oldest < ?1 ORDER BY oldest LIMIT 1"},
      {&retention.of_portion_,
       "SELECT seq, coalesce(length(CAST(text AS BLOB)), 0) + coalesce(length(extra), 0),"
       " kind = 2 AND state = 1 FROM events WHERE " CHATD_PORTION " ORDER BY seq LIMIT ?4"},
      {&retention.first_, "SELECT min(seq) FROM events"},
      {&retention.last_to_go_,
       "SELECT max((SELECT value FROM meta WHERE name = 'indexed'),"
       " (SELECT coalesce(max(seq), 0) - 1 FROM events))"},
      // Only what is in the index can be taken out of it.
      {&retention.forget_words_,
       "INSERT INTO words (words, rowid, text)"
       " SELECT 'delete', seq, words_of(text) FROM events WHERE " CHATD_PORTION
       " AND text IS NOT NULL AND seq <= (SELECT value FROM meta WHERE name = 'worded')"},
      {&retention.forget_sessions_,
       "DELETE FROM by_session WHERE (session, seq) IN"
       " (SELECT session, seq FROM events WHERE " CHATD_PORTION ")"},
      {&retention.forget_events_, "DELETE FROM events WHERE " CHATD_PORTION},
      {&retention.forget_outcomes_,
       "DELETE FROM outcomes WHERE seq BETWEEN ?1 AND ?2"
       " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = outcomes.seq)"},
      {&retention.forget_held_,
       "DELETE FROM held WHERE seq BETWEEN ?1 AND ?2"
       " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = held.seq)"},
      {&retention.oldest_of_span_, "SELECT min(time) FROM events WHERE seq BETWEEN ?1 AND ?2"},
      {&retention.set_span_, "UPDATE spans SET oldest = ?2 WHERE span = ?1"},
      {&retention.forget_span_, "DELETE FROM spans WHERE span = ?1"},
      {&retention.forget_spans_, "DELETE FROM spans WHERE span < ?1"},
      {&retention.oldest_, "SELECT min(oldest) FROM spans"},
      {&retention.pages_, "PRAGMA page_count"},
      {&retention.free_pages_, "PRAGMA freelist_count"}};
#undef CHATD_PORTION
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql);
    if (!prepared) return std::move(prepared.error());
    *statement = std::move(*prepared);
  }
  auto page_size = database.number("PRAGMA page_size");
  if (!page_size) return std::move(page_size.error());
  retention.page_size_ = *page_size;
  return retention;
}

Result<bool> Retention::forget(std::int64_t cutoff_ms) {
  old_span_.bind(1, cutoff_ms);
  auto span = number_of(*database_, old_span_, -1);
  if (!span) return std::move(span.error());
  if (*span < 0) return false;
  auto portion = gather(*span * kSpan, *span * kSpan + kSpan - 1, cutoff_ms);
  if (!portion) return std::move(portion.error());
  if (auto done = forget(*portion); !done) return std::move(done.error());
  old_span_.bind(1, cutoff_ms);
  auto next = number_of(*database_, old_span_, -1);
  if (!next) return std::move(next.error());
  // What has to stay for now is no reason to try again at once.
  return *next >= 0 && (*next != *span || portion->count > 0 || !portion->whole);
}

Result<bool> Retention::forget_first() {
  auto first = number_of(*database_, first_, -1);
  if (!first) return std::move(first.error());
  if (*first < 0) return false;
  auto portion = gather(*first, kWhenever, kWhenever);
  if (!portion) return std::move(portion.error());
  if (portion->count == 0) return false;
  if (auto done = forget(*portion); !done) return std::move(done.error());
  return true;
}

/// The events from `first` to `last` that are older than `cutoff_ms`, as many as may go at once.
Result<Retention::Portion> Retention::gather(std::int64_t first, std::int64_t last,
                                             std::int64_t cutoff_ms) {
  auto last_to_go = number_of(*database_, last_to_go_, 0);
  if (!last_to_go) return std::move(last_to_go.error());
  Portion portion;
  portion.first = portion.last = first;
  portion.cutoff_ms = cutoff_ms;
  of_portion_.bind(1, first)
      .bind(2, std::min(last, *last_to_go))
      .bind(3, cutoff_ms)
      .bind(4, kAtOnce + 1);
  std::int64_t bytes = 0;
  const Statement::Use use{of_portion_};
  auto step = of_portion_.step();
  for (; step == Statement::Step::kRow; step = of_portion_.step()) {
    if (portion.count == kAtOnce || bytes > kBytesAtOnce) {
      portion.whole = false;
      return portion;
    }
    portion.last = of_portion_.number(0);
    bytes += of_portion_.number(1);
    portion.held = portion.held || of_portion_.number(2) != 0;
    ++portion.count;
  }
  if (step == Statement::Step::kFailed) return database_->error();
  return portion;
}

Result<> Retention::forget(const Portion& portion) {
  auto done = database_->in_transaction([&] {
    return remove(portion) && look_again(span_of(static_cast<std::uint64_t>(portion.last)));
  });
  if (!done) return done;
  return database_->run("PRAGMA incremental_vacuum(200)");
}

bool Retention::remove(const Portion& portion) {
  if (portion.count == 0) return true;
  for (Statement* statement : {&forget_words_, &forget_sessions_, &forget_events_}) {
    statement->bind(1, portion.first).bind(2, portion.last).bind(3, portion.cutoff_ms);
    if (!statement->run()) return false;
  }
  if (!forget_outcomes_.bind(1, portion.first).bind(2, portion.last).run()) return false;
  return !portion.held || forget_held_.bind(1, portion.first).bind(2, portion.last).run();
}

/// Learns how old the oldest event of `span` is now, and that there is none in those before the
/// first event.
bool Retention::look_again(std::int64_t span) {
  auto first = number_of(*database_, first_, kWhenever);
  if (!first) return false;
  if (!forget_spans_.bind(1, *first / kSpan).run()) return false;
  oldest_of_span_.bind(1, span * kSpan).bind(2, span * kSpan + kSpan - 1);
  auto oldest = number_of(*database_, oldest_of_span_, kWhenever);
  if (!oldest) return false;
  if (*oldest == kWhenever) return forget_span_.bind(1, span).run();
  return set_span_.bind(1, span).bind(2, *oldest).run();
}

Result<std::int64_t> Retention::oldest_ms() {
  return number_of(*database_, oldest_, -1);
}

Result<std::uint64_t> Retention::used_bytes() {
  auto pages = number_of(*database_, pages_, 0);
  if (!pages) return std::move(pages.error());
  auto free = number_of(*database_, free_pages_, 0);
  if (!free) return std::move(free.error());
  return static_cast<std::uint64_t>((*pages - *free) * page_size_);
}

}  // namespace chatd::store
