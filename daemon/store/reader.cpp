#include "store/reader.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "store/id_list.hpp"
#include "store/index.hpp"

namespace chatd::store {

namespace {

/// has_id(extra, session) for SQL.
void sql_has_id(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const auto wanted = static_cast<std::uint64_t>(sqlite3_value_int64(values[1]));
  sqlite3_result_int(context, bytes != nullptr && has_id({bytes, size}, wanted) ? 1 : 0);
}

/// Found in a row where nobody had the name that is asked for: it pays then to begin anew.
constexpr std::size_t kSkipped = 256;

std::int64_t before_of(const Question& question) {
  return question.before == 0 ? std::numeric_limits<std::int64_t>::max()
                              : static_cast<std::int64_t>(question.before);
}

}  // namespace

Result<Reader> Reader::make(Database& database) {
  Reader reader;
  reader.database_ = &database;
  auto names = Names::make(database);
  if (!names) return std::move(names.error());
  reader.names_ = std::move(*names);
  if (sqlite3_create_function_v2(database.raw(), "has_id", 2,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 sql_has_id, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return database.error();
  }
#define CHATD_COLUMNS \
  "e.time, e.session, e.kind, e.state, e.outcome, e.ref, e.operator, e.text, e.extra"
  const std::pair<Statement*, std::string> all[] = {
      {&reader.all_, "SELECT e.seq, " CHATD_COLUMNS
                     " FROM events e WHERE e.seq < ?1 AND e.text IS NOT NULL ORDER BY e.seq DESC"},
      {&reader.of_session_,
       Index::of_session("?2", CHATD_COLUMNS, "# < ?1 AND e.text IS NOT NULL", "DESC")},
      {&reader.to_several_,
       Index::of_session("0", CHATD_COLUMNS,
                         "# < ?1 AND # >= ?3 AND # <= ?4 AND e.kind = 2 AND has_id(e.extra, ?2)",
                         "DESC")},
      {&reader.unindexed_,
       "SELECT e.seq, " CHATD_COLUMNS " FROM events e WHERE e.seq < ?1"
       " AND e.seq > (SELECT value FROM meta WHERE name = 'worded') AND e.text IS NOT NULL"
       " AND (?2 = 0 OR (e.seq >= ?3 AND e.seq <= ?4"
       " AND (e.session = ?2 OR (e.session = 0 AND has_id(e.extra, ?2))))) ORDER BY e.seq DESC"},
      {&reader.found_,
       "SELECT e.seq, " CHATD_COLUMNS " FROM words JOIN events e ON e.seq = words.rowid"
       " WHERE words MATCH ?5 AND words.rowid < ?1 ORDER BY words.rowid DESC"},
      {&reader.found_of_session_,
       "SELECT e.seq, " CHATD_COLUMNS " FROM words JOIN events e ON e.seq = words.rowid"
       " WHERE words MATCH ?5 AND words.rowid < ?1 AND words.rowid >= ?3 AND words.rowid <= ?4"
       " AND (e.session = ?2 OR (e.session = 0 AND has_id(e.extra, ?2)))"
       " ORDER BY words.rowid DESC"},
      {&reader.first_of_, Index::of_session("?1", "0", "TRUE", "ASC LIMIT 1")},
      {&reader.last_of_,
       Index::of_session("?1", "substr(e.extra, 1, 13) = CAST('disconnected,' AS BLOB)", "TRUE",
                         "DESC LIMIT 1")},
      {&reader.replay_, "SELECT e.seq, " CHATD_COLUMNS
                        " FROM events e WHERE e.seq > ?1 AND e.seq <= ?2 ORDER BY e.seq"},
      {&reader.outcomes_,
       "SELECT count(*), max(outcome = 2), min(outcome = 2), max(outcome) FROM outcomes"
       " WHERE seq = ?1 AND (?2 = 0 OR session = ?2)"},
      {&reader.unread_,
       "SELECT count(*), count(CASE kind WHEN 1 THEN 1 END), max(seq) FROM"
       " (SELECT seq, kind FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)"}};
#undef CHATD_COLUMNS
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql.c_str());
    if (!prepared) return std::move(prepared.error());
    *statement = std::move(*prepared);
  }
  return reader;
}

/// The row as it was written.
Record Reader::record_of(const Statement& row) {
  Record record;
  record.seq = static_cast<std::uint64_t>(row.number(0));
  record.time_ms = row.number(1);
  record.session = static_cast<std::uint64_t>(row.number(2));
  record.kind = static_cast<Kind>(row.number(3));
  const auto extra = row.text(9);
  sessions_.clear();
  switch (record.kind) {
    case Kind::kMessage:
      record.cut = row.number(4) != 0;
      record.text = row.text(8);
      break;
    case Kind::kSent:
      record.state = static_cast<State>(row.number(4));
      record.ref = static_cast<std::uint64_t>(row.number(6));
      record.operator_name = row.text(7);
      record.text = row.text(8);
      each_id(extra, [this](std::uint64_t id) {
        sessions_.push_back(id);
        return true;
      });
      record.sessions = sessions_;
      break;
    case Kind::kDelivered:
      record.ref = static_cast<std::uint64_t>(row.number(6));
      break;
    case Kind::kOther:
    case Kind::kDisconnected:
    case Kind::kAttended:
      record.text = extra;
      break;
  }
  return record;
}

/// The state of a message to several as it is now: for one of them, or, without
/// `session`, held while it is for any of them, and lost if it was for any of them.
void Reader::update_state(Record& record, std::uint64_t session) {
  outcomes_.bind(1, static_cast<std::int64_t>(record.seq))
      .bind(2, static_cast<std::int64_t>(session));
  const Statement::Use use{outcomes_};
  if (outcomes_.step() != Statement::Step::kRow) return;
  const auto known = static_cast<std::size_t>(outcomes_.number(0));
  if (known == 0) return;
  if (session != 0) {
    record.state = static_cast<State>(outcomes_.number(3));
  } else if (record.state == State::kHeld) {
    if (known < record.sessions.size()) return;
    record.state = outcomes_.number(1) != 0 ? State::kLost : State::kDelivered;
  } else if (known == record.sessions.size() && outcomes_.number(2) != 0) {
    record.state = State::kLost;
  }
}

/// Visits what `statement`, bound and not begun, finds. For a question about one session
/// a message to several is shown as if to it alone.
Result<> Reader::messages(Statement& statement, const Question& question, const Visit& visit) {
  const Statement::Use use{statement};
  auto step = statement.step();
  for (; step == Statement::Step::kRow; step = statement.step()) {
    Record record = record_of(statement);
    if (!record.sessions.empty()) {
      update_state(record, question.session);
      if (question.session != 0) {
        record.session = question.session;
        record.sessions = {};
      }
    } else if (record.kind == Kind::kSent && !statement.is_null(5)) {
      record.state = static_cast<State>(statement.number(5));
    }
    if (!visit(record)) return {};
  }
  if (step == Statement::Step::kFailed) return database_->error();
  return {};
}

/// The numbers between which everything about a session lies: from its first event to its
/// end. Keeps a question about one of many sessions short.
std::optional<Reader::Span> Reader::span_of(std::uint64_t session) {
  Span span{0, std::numeric_limits<std::int64_t>::max()};
  first_of_.bind(1, static_cast<std::int64_t>(session));
  const Statement::Use use_first{first_of_};
  const auto first = first_of_.step();
  if (first == Statement::Step::kFailed) return std::nullopt;
  if (first == Statement::Step::kDone) return Span{0, -1};  // never seen
  span.first = first_of_.number(0);
  last_of_.bind(1, static_cast<std::int64_t>(session));
  const Statement::Use use_last{last_of_};
  if (last_of_.step() != Statement::Step::kRow) return std::nullopt;
  if (last_of_.number(1) != 0) span.last = last_of_.number(0);
  return span;
}

Result<> Reader::history(const Question& question, const Visit& visit) {
  if (!question.name.empty()) return history_of_name(question, visit);
  if (question.session == 0) {
    return messages(all_.bind(1, before_of(question)), question, visit);
  }
  return history_of(question.session, 0, question.before, visit);
}

/// Of those who had the name, one after the other: each has its own messages, and nobody else has
/// the name meanwhile.
Result<> Reader::history_of_name(const Question& question, const Visit& visit) {
  auto look = names_.look_for(question.name);
  if (!look) return Result<>{std::move(look.error())};
  bool goes_on = true;
  const auto count = [&](const Record& record) { return goes_on = visit(record); };
  auto before = static_cast<std::uint64_t>(before_of(question));
  while (goes_on) {
    auto tenure = names_.last_called(*look, before);
    if (!tenure) return Result<>{std::move(tenure.error())};
    if (!*tenure) return {};
    const auto& [session, from, to] = **tenure;
    if (question.session == 0 || question.session == session) {
      if (auto read = history_of(session, from, std::min(before, to), count); !read) return read;
    }
    before = from;
  }
  return {};
}

/// What was said after number `from` and before `before`; 0: all.
Result<> Reader::history_of(std::uint64_t session_id, std::uint64_t from, std::uint64_t before,
                            const Visit& all) {
  const Question question{session_id, before, {}};
  const auto visit = [&](const Record& record) { return record.seq > from && all(record); };
  const auto span = span_of(question.session);
  if (!span) return database_->error();
  // Two sorted streams are merged; the one of messages to several is one message ahead.
  const auto session = static_cast<std::int64_t>(question.session);
  to_several_.bind(1, before_of(question))
      .bind(2, session)
      .bind(3, std::max(span->first, static_cast<std::int64_t>(from)))
      .bind(4, span->last);
  const Statement::Use use_several{to_several_};
  auto several = to_several_.step();
  bool wanted = true;
  const auto visit_several = [&] {
    Record record = record_of(to_several_);
    update_state(record, question.session);
    record.session = question.session;
    record.sessions = {};
    wanted = visit(record);
    several = to_several_.step();
  };
  auto read = messages(of_session_.bind(1, before_of(question)).bind(2, session), question,
                       [&](const Record& record) {
                         const Record mine = record;
                         while (wanted && several == Statement::Step::kRow &&
                                static_cast<std::uint64_t>(to_several_.number(0)) > mine.seq) {
                           visit_several();
                         }
                         wanted = wanted && visit(mine);
                         return wanted;
                       });
  if (!read) return read;
  while (wanted && several == Statement::Step::kRow) visit_several();
  if (several == Statement::Step::kFailed) return database_->error();
  return {};
}

Result<> Reader::search(std::string_view text, const Question& question, const Visit& visit) {
  auto wanted = Wanted::parse(text);
  if (!wanted) return std::move(wanted.error());
  if (wanted->empty()) return {};
  // In between the index may take in what was read as it is.
  if (auto begun = database_->run("BEGIN"); !begun) return begun;
  auto done = question.name.empty() ? search_any(*wanted, question, visit)
                                    : search_name(*wanted, question, visit);
  (void)database_->run("COMMIT");
  return done;
}

Result<> Reader::search_any(const Wanted& wanted, const Question& question, const Visit& visit) {
  bool goes_on = true;
  const auto count = [&](const Record& record) { return goes_on = visit(record); };
  const auto span = question.session == 0 ? std::optional<Span>{Span{}} : span_of(question.session);
  if (!span) return database_->error();
  if (auto read = search_unindexed(wanted, question, *span, count); !read || !goes_on) {
    return read;
  }
  return search_index(wanted, question, *span, count);
}

/// Goes through what is found and leaves out what others said. Where much of that was found
/// between two who had the name, the search begins anew behind it.
Result<> Reader::search_name(const Wanted& wanted, const Question& question, const Visit& visit) {
  auto look = names_.look_for(question.name);
  if (!look) return Result<>{std::move(look.error())};
  Question next = question;
  std::optional<Names::Tenure> tenure;
  Result<> failed;
  std::size_t skipped = 0;
  bool again = true;
  const auto filter = [&](const Record& record) {
    if (!tenure || record.seq <= tenure->from) {
      auto found = names_.last_called(*look, record.seq);
      if (!found) failed = std::move(found.error());
      if (!found || !*found) return false;
      tenure = **found;
      skipped = 0;
    }
    if (record.seq >= tenure->to) {
      if (++skipped < kSkipped) return true;
      next.before = tenure->to;
      again = true;
      return false;
    }
    const auto session = tenure->session;
    const bool is_its =
        record.session == session ||
        std::find(record.sessions.begin(), record.sessions.end(), session) != record.sessions.end();
    if (!is_its) return true;
    Record mine = record;
    if (!record.sessions.empty()) {
      update_state(mine, session);
      mine.session = session;
      mine.sessions = {};
    }
    return visit(mine);
  };
  while (std::exchange(again, false)) {
    if (auto read = search_any(wanted, next, filter); !read) return read;
    if (!failed) return failed;
  }
  return {};
}

Result<> Reader::search_unindexed(const Wanted& wanted, const Question& question, const Span& span,
                                  const Visit& visit) {
  unindexed_.bind(1, before_of(question))
      .bind(2, static_cast<std::int64_t>(question.session))
      .bind(3, span.first)
      .bind(4, span.last);
  return messages(unindexed_, question, [&](const Record& record) {
    return !wanted.is_in(record.text) || visit(record);
  });
}

Result<> Reader::search_index(const Wanted& wanted, const Question& question, const Span& span,
                              const Visit& visit) {
  const std::string expression = wanted.expression();
  if (question.session == 0) {
    return messages(found_.bind(1, before_of(question)).bind(5, expression), question, visit);
  }
  found_of_session_.bind(1, before_of(question))
      .bind(2, static_cast<std::int64_t>(question.session))
      .bind(3, span.first)
      .bind(4, span.last)
      .bind(5, expression);
  return messages(found_of_session_, question, visit);
}

Result<> Reader::replay(std::uint64_t after, std::uint64_t upto, const Visit& visit) {
  replay_.bind(1, static_cast<std::int64_t>(after)).bind(2, static_cast<std::int64_t>(upto));
  const Statement::Use use{replay_};
  auto step = replay_.step();
  for (; step == Statement::Step::kRow; step = replay_.step()) {
    if (!visit(record_of(replay_))) return {};
  }
  if (step == Statement::Step::kFailed) return database_->error();
  return {};
}

// ---- asked once, at the start ----

Result<std::uint64_t> Reader::number(const char* sql, std::int64_t parameter) {
  auto statement = database_->prepare(sql);
  if (!statement) return std::move(statement.error());
  statement->bind(1, parameter);
  switch (statement->step()) {
    case Statement::Step::kRow:
      return static_cast<std::uint64_t>(statement->number(0));
    case Statement::Step::kDone:
      return std::uint64_t{0};
    case Statement::Step::kFailed:
      break;
  }
  return database_->error();
}

Result<std::uint64_t> Reader::last_seq() {
  // Where all events are forgotten, the index still knows.
  return number(
      "SELECT max(coalesce((SELECT max(seq) FROM events), 0), value) FROM meta"
      " WHERE name = 'indexed'");
}

Result<std::uint64_t> Reader::last_indexed_session() {
  return number("SELECT coalesce(max(session), 0) FROM by_session");
}

Result<std::uint64_t> Reader::last_session() {
  return number(
      "SELECT max(coalesce((SELECT max(session) FROM by_session), 0),"
      " coalesce((SELECT max(session) FROM events"
      " WHERE seq > (SELECT value FROM meta WHERE name = 'indexed')), 0))");
}

Result<std::uint64_t> Reader::attended() {
  return number("SELECT value FROM meta WHERE name = 'attended'");
}

Result<TrustedClock::State> Reader::clock() {
  TrustedClock::State state;
  auto rows = database_->prepare(
      "SELECT (SELECT value FROM meta WHERE name = 'clock_believed'),"
      " (SELECT value FROM meta WHERE name = 'clock_shown'),"
      " (SELECT value FROM meta WHERE name = 'clock_doubted'),"
      " (SELECT time FROM events ORDER BY seq DESC LIMIT 1)");
  if (!rows) return std::move(rows.error());
  if (rows->step() != Statement::Step::kRow) return database_->error();
  if (rows->is_null(0)) {
    // Of a file that nobody has kept a clock in, the last event tells.
    if (!rows->is_null(3)) state.believed = rows->number(3);
    return state;
  }
  state = {rows->number(0), rows->number(1), rows->number(2)};
  return state;
}

Result<bool> Reader::count_unread(Unread& unread, std::int64_t most) {
  unread_.bind(1, static_cast<std::int64_t>(unread.seen))
      .bind(2, static_cast<std::int64_t>(unread.upto))
      .bind(3, most);
  const Statement::Use use{unread_};
  if (unread_.step() != Statement::Step::kRow) return database_->error();
  const bool more = unread_.number(0) == most;
  unread.messages += static_cast<std::uint64_t>(unread_.number(1));
  unread.seen = more ? static_cast<std::uint64_t>(unread_.number(2)) : unread.upto;
  return more;
}

Result<std::vector<Ban>> Reader::bans() {
  auto rows = database_->prepare("SELECT address, until, since, operator FROM bans");
  if (!rows) return std::move(rows.error());
  std::vector<Ban> bans;
  auto step = rows->step();
  for (; step == Statement::Step::kRow; step = rows->step()) {
    bans.push_back({std::string{rows->text(0)}, rows->is_null(1) ? -1 : rows->number(1),
                    rows->number(2), std::string{rows->text(3)}});
  }
  if (step == Statement::Step::kFailed) return database_->error();
  return bans;
}

}  // namespace chatd::store
