#include "store/recorder.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/id_list.hpp"
#include "store/index.hpp"
#include "store/names.hpp"

namespace chatd::store {

namespace {

constexpr std::int64_t as_integer(State state) {
  return static_cast<std::int64_t>(state);
}

}  // namespace

Result<Recorder> Recorder::make(Database& database) {
  Recorder recorder;
  recorder.database_ = &database;
  const std::pair<Statement*, std::string> all[] = {
      // A number that is there already (the file of numbers was set back by hand) keeps
      // its first meaning; failing for ever would be worse.
      {&recorder.insert_event_,
       "INSERT OR IGNORE INTO events (seq, time, session, kind, state, ref, operator, text, extra)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
      {&recorder.insert_held_, "INSERT OR IGNORE INTO held (session, seq) VALUES (?1, ?2)"},
      {&recorder.delete_held_, "DELETE FROM held WHERE session = ?1 AND seq = ?2"},
      {&recorder.held_of_, "SELECT seq FROM held WHERE session = ?1"},
      {&recorder.all_held_, "SELECT session, seq FROM held"},
      {&recorder.set_outcome_, "UPDATE events SET outcome = ?3 WHERE seq = ?1 AND session = ?2"},
      {&recorder.insert_outcome_,
       "INSERT OR REPLACE INTO outcomes (seq, session, outcome) VALUES (?1, ?2, ?3)"},
      {&recorder.recent_sent_, Index::of_session("?1", "0",
                                                 "e.text IS NOT NULL AND e.kind = 2"
                                                 " AND coalesce(e.outcome, e.state) IN (0, 3)",
                                                 "DESC LIMIT ?2")},
      {&recorder.insert_name_,
       "INSERT OR IGNORE INTO names (session, seq, look) VALUES (?1, ?2, ?3)"},
      {&recorder.set_meta_, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)"},
      {&recorder.delete_bans_, "DELETE FROM bans"},
      {&recorder.delete_ban_, "DELETE FROM bans WHERE address = ?1"},
      {&recorder.insert_ban_,
       "INSERT OR REPLACE INTO bans (address, until, since, operator) VALUES (?1, ?2, ?3, ?4)"},
      {&recorder.insert_span_,
       "INSERT INTO spans (span, oldest) VALUES (?1, ?2) ON CONFLICT (span) DO"
       " UPDATE SET oldest = excluded.oldest WHERE excluded.oldest < oldest"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql.c_str());
    if (!prepared) return std::move(prepared.error());
    *statement = std::move(*prepared);
  }
  return recorder;
}

Result<> Recorder::write(const Batch& batch, const BanChanges& bans) {
  span_.reset();
  return database_->in_transaction([&] {
    return batch.each([this](const Record& record) { return add(record); }) && write_span() &&
           change(bans);
  });
}

Result<> Recorder::keep_clock(const TrustedClock::State& state) {
  return database_->in_transaction([&] {
    return set_meta_.bind(1, "clock_believed").bind(2, state.believed).run() &&
           set_meta_.bind(1, "clock_shown").bind(2, state.shown).run() &&
           set_meta_.bind(1, "clock_doubted").bind(2, state.doubted).run();
  });
}

Result<> Recorder::lose_held() {
  return database_->in_transaction([this] { return lose_all(); });
}

bool Recorder::lose_all() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  {
    const Statement::Use use{all_held_};
    auto step = all_held_.step();
    for (; step == Statement::Step::kRow; step = all_held_.step()) {
      all.emplace_back(all_held_.number(0), all_held_.number(1));
    }
    if (step == Statement::Step::kFailed) return false;
  }
  return std::all_of(all.begin(), all.end(), [this](const auto& held) {
    return came_to(held.second, held.first, State::kLost);
  });
}

bool Recorder::add(const Record& record) {
  switch (record.kind) {
    case Kind::kAttended:
      return set_meta_.bind(1, "attended").bind(2, static_cast<std::int64_t>(record.ref)).run();
    case Kind::kDelivered:
      if (!came_to(record.ref, record.session, State::kDelivered)) return false;
      break;
    case Kind::kDisconnected:
      if (!disconnected(record)) return false;
      break;
    case Kind::kOther:
    case Kind::kMessage:
    case Kind::kSent:
      break;
  }
  const bool is_message = record.kind == Kind::kMessage;
  const bool is_sent = record.kind == Kind::kSent;
  const bool is_delivered = record.kind == Kind::kDelivered;
  const auto kind = record.kind == Kind::kDisconnected ? Kind::kOther : record.kind;
  insert_event_.bind(1, static_cast<std::int64_t>(record.seq))
      .bind(2, record.time_ms)
      .bind(3, static_cast<std::int64_t>(record.session))
      .bind(4, static_cast<std::int64_t>(kind))
      .bind(5, is_message ? std::int64_t{record.cut}
               : is_sent  ? as_integer(record.state)
                          : 0);
  if (is_delivered || (is_sent && record.ref != 0)) {
    insert_event_.bind(6, static_cast<std::int64_t>(record.ref));
  } else {
    insert_event_.bind_null(6);
  }
  if (is_sent) {
    insert_event_.bind(7, record.operator_name);
  } else {
    insert_event_.bind_null(7);
  }
  if (is_message || is_sent) {
    insert_event_.bind(8, record.text);
  } else {
    insert_event_.bind_null(8);
  }
  ids_.clear();
  if (is_sent && !record.sessions.empty()) {
    append_ids(ids_, record.sessions);
    insert_event_.bind_blob(9, ids_);
  } else if (kind == Kind::kOther) {
    insert_event_.bind_blob(9, record.text);
  } else {
    insert_event_.bind_null(9);
  }
  if (!insert_event_.run()) return false;
  if (database_->changes() == 0) return true;
  if (!note_time(record.seq, record.time_ms)) return false;
  if (record.kind == Kind::kOther && Names::is_naming(record.text)) {
    return insert_name_.bind(1, static_cast<std::int64_t>(record.session))
        .bind(2, static_cast<std::int64_t>(record.seq))
        .bind(3, record.look)
        .run();
  }
  return !is_sent || record.state != State::kHeld || add_sent(record);
}

/// Remembers for whom it is held.
bool Recorder::add_sent(const Record& record) {
  const auto hold = [&](std::uint64_t session) {
    return insert_held_.bind(1, static_cast<std::int64_t>(session))
        .bind(2, static_cast<std::int64_t>(record.seq))
        .run();
  };
  if (record.sessions.empty()) return hold(record.session);
  return std::all_of(record.sessions.begin(), record.sessions.end(), hold);
}

/// Records what became of message `seq` to `session` later.
bool Recorder::came_to(std::uint64_t seq, std::uint64_t session, State outcome) {
  const auto number = static_cast<std::int64_t>(seq);
  const auto whose = static_cast<std::int64_t>(session);
  if (!delete_held_.bind(1, whose).bind(2, number).run()) return false;
  if (!set_outcome_.bind(1, number).bind(2, whose).bind(3, as_integer(outcome)).run()) return false;
  if (database_->changes() > 0) return true;
  return insert_outcome_.bind(1, number).bind(2, whose).bind(3, as_integer(outcome)).run();
}

/// Records which messages are lost: all that are held, and, if `lost` counts more, the last
/// that were written to the session.
bool Recorder::disconnected(const Record& record) {
  std::vector<std::uint64_t> lost;
  const auto gather = [&lost](Statement& statement) {
    const Statement::Use use{statement};
    auto step = statement.step();
    for (; step == Statement::Step::kRow; step = statement.step()) {
      lost.push_back(static_cast<std::uint64_t>(statement.number(0)));
    }
    return step == Statement::Step::kDone;
  };
  const auto whose = static_cast<std::int64_t>(record.session);
  if (!gather(held_of_.bind(1, whose))) return false;
  if (record.lost > lost.size()) {
    const auto unsent = static_cast<std::int64_t>(record.lost - lost.size());
    if (!gather(recent_sent_.bind(1, whose).bind(2, unsent))) return false;
  }
  return std::all_of(lost.begin(), lost.end(),
                     [&](std::uint64_t seq) { return came_to(seq, record.session, State::kLost); });
}

bool Recorder::note_time(std::uint64_t seq, std::int64_t time_ms) {
  const auto span = span_of(seq);
  if (span_ && span_->number != span && !write_span()) return false;
  if (!span_) span_ = Span{span, time_ms};
  span_->oldest_ms = std::min(span_->oldest_ms, time_ms);
  return true;
}

/// Once a transaction, or in kSpan events.
bool Recorder::write_span() {
  if (!span_) return true;
  insert_span_.bind(1, span_->number).bind(2, span_->oldest_ms);
  span_.reset();
  return insert_span_.run();
}

bool Recorder::change(const BanChanges& changes) {
  if (changes.forget_all && !delete_bans_.run()) return false;
  return std::all_of(changes.bans.begin(), changes.bans.end(), [this](const auto& change) {
    const auto& [address, ban] = change;
    if (!ban) return delete_ban_.bind(1, address).run();
    insert_ban_.bind(1, address).bind(3, ban->since_ms).bind(4, ban->operator_name);
    if (ban->until_ms < 0) {
      insert_ban_.bind_null(2);
    } else {
      insert_ban_.bind(2, ban->until_ms);
    }
    return insert_ban_.run();
  });
}

}  // namespace chatd::store
