// Sessions as plain values: written down by one process, read back by the next. What
// is read is checked for what the rest of the core relies on, so that wrong bytes make
// at worst a session that nobody ever had.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/most_number.hpp"
#include "base/text.hpp"
#include "core/framer.hpp"
#include "core/router.hpp"
#include "core/session.hpp"
#include "core/turn.hpp"

namespace chatd::core {

namespace {

/// More messages than any burst allows.
constexpr float kMostTokens = 1e9F;

void write_optional(ByteWriter& out, const std::unique_ptr<std::string>& text) {
  out.flag(text != nullptr);
  if (text) out.text(*text);
}

/// What a held message takes besides its text, about.
constexpr std::size_t kHeldOverhead = 48;

/// Notes may take so many times as much of a short record as what clients say: nobody says them
/// again.
constexpr std::size_t kShareOfNotes = 3;

/// No max_message is larger than this; see config/keys.cpp.
constexpr std::size_t kMostMessage = 128UL * 1024;

/// All of `bytes` if they fit into `most`, else the whole lines that do.
std::string_view whole_lines(std::string_view bytes, std::size_t most) {
  if (bytes.size() <= most) return bytes;
  return bytes.substr(0, bytes.substr(0, most).rfind('\n') + 1);
}

std::unique_ptr<std::string> read_optional(ByteReader& in) {
  return in.flag() ? std::make_unique<std::string>(in.text()) : nullptr;
}

}  // namespace

// ---- framer ----

void Framer::save(ByteWriter& out, Time now, std::size_t most, std::string_view skipped) const {
  out.text(std::string_view{partial_}.substr(0, most));
  out.time(deadline_, now);
  out.time(last_byte_, now);
  out.enumerator(dialect_);
  out.enumerator(owed_);
  out.number(mark_);
  out.flag(fixed_);
  out.flag(begun_);
  out.flag(dropped_ || partial_.size() > most);
  out.flag(skipping_);
  out.flag(after_cr_);
  out.flag(after_iac_);
  commands_.save(out);
  if (!reader_) return;
  if (skipped.empty()) return reader_->save(out, most);
  auto reader = *reader_;
  http::WebSocketEvent event;
  while (reader.next(skipped, {.max_message = kMostMessage}, event)) {
  }
  reader.save(out, most);
}

void Framer::restore(ByteReader& in, Time now) {
  partial_ = in.text();
  deadline_ = in.time(now);
  last_byte_ = in.time(now);
  in.require(last_byte_ != kNever);
  if (in.version() < 7) return restore_version_6(in);
  dialect_ = in.enumerator(in.version() < 10 ? Dialect::kRaw : Dialect::kWeb);
  owed_ = in.enumerator(Owed::kRestOfLineEnd);
  mark_ = in.number<std::uint8_t>();
  fixed_ = in.flag();
  begun_ = in.flag();
  dropped_ = in.flag();
  skipping_ = in.flag();
  after_cr_ = in.flag();
  after_iac_ = in.flag();
  commands_.restore(in);
  if (dialect_ == Dialect::kWebSocket) {
    reader_ = std::make_unique<http::WebSocketReader>();
    reader_->restore(in);
    in.require(partial_.empty() && deadline_ != kNever);
  } else {
    reader_ = nullptr;
    in.require(dialect_ != Dialect::kWeb || (partial_.empty() && deadline_ == kNever));
  }
}

/// As chatd 0.1.0 wrote it down.
void Framer::restore_version_6(ByteReader& in) {
  dialect_ = in.enumerator(Dialect::kTelnet);
  fixed_ = in.flag();
  dropped_ = in.flag();
  skipping_ = in.flag();
  after_cr_ = in.flag();
  after_iac_ = commands_.restore_version_6(in);
  begun_ = !partial_.empty() || dialect_ != Dialect::kUndecided;
  if (begun_) mark_ = kMarkOver;
}

// ---- turn ----

void Turn::save(ByteWriter& out, Time now, SessionId session, const KnownNumbers& known,
                std::size_t most) const {
  std::uint64_t fit = 0;
  for (const Held& held : held_) {
    if (held.text.size() + kHeldOverhead > most) break;
    most -= held.text.size() + kHeldOverhead;
    ++fit;
  }
  const bool bye_left_out = fit < held_.size() && held_.back().bye;
  out.number(fit + (bye_left_out ? 1 : 0));
  for (const Held& held : held_) {
    if (fit == 0 && !held.bye) continue;
    if (!held.bye) --fit;
    out.payload(held.text);
    out.number<std::uint64_t>(held.out);
    out.number(held.bye ? std::uint64_t{0} : known.number_of(session, held.number));
    out.time(held.due, now);
    out.flag(held.bye);
  }
  out.number<std::uint64_t>(unread_.size());
  for (const Chunk& chunk : unread_) {
    out.time(chunk.sent, now);
    out.number<std::uint64_t>(chunk.size);
  }
  out.number<std::uint64_t>(answered_);
  out.time(read_by_, now);
  out.flag(listening_);
  out.flag(read_known_);
}

void Turn::restore(ByteReader& in, Time now) {
  MessageNumber last = 0;
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    Held held{in.payload(), 0, 0, kNever, false};
    held.out = in.number<std::uint64_t>();
    in.require(is_utf8(held.text.view()) && held.out <= held.text.size());
    if (!in.ok()) return;
    in.require(held.out == 0 || (!held.rest().empty() && is_utf8(held.rest())));
    const auto number = in.number<MessageNumber>();
    held.due = in.time(now);
    held.bye = in.flag();
    if (!held.bye) {
      // After a crash a number may have been given again, but not within a session.
      held.number = last = std::max(number, last + 1);
      in.require(held.number <= kMostNumber);
    }
    if (!in.ok()) return;
    if (!held.bye) ++held_count_;
    held_bytes_ += held.rest().size();
    held_.push_back(std::move(held));
  }
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    const Time sent = in.time(now);
    const auto size = in.number<std::uint64_t>();
    in.require(sent != kNever && size <= kOriginalRead - unread_bytes_);
    if (!in.ok()) return;
    unread_.push_back({sent, static_cast<std::size_t>(size)});
    unread_bytes_ += static_cast<std::size_t>(size);
  }
  answered_ = in.number<std::uint64_t>();
  in.require(answered_ <= unread_.size());
  read_by_ = in.time(now);
  listening_ = in.flag();
  read_known_ = in.flag();
}

// ---- talk ----

void Talk::save(ByteWriter& out, Time now, std::size_t most) const {
  out.text(last_text());
  out.text(answered_by());
  out.time(waiting_since(), now);
  out.enumerator(last());
  const auto& notes = this->notes();
  auto first = notes.end();
  for (; first != notes.begin(); --first) {
    const Note& note = *std::prev(first);
    const auto size = note.text.size() + note.operator_name.size();
    if (size > most) break;
    most -= size;
  }
  out.number(static_cast<std::uint64_t>(notes.end() - first));
  for (; first != notes.end(); ++first) {
    out.time(first->time, now);
    out.text(first->operator_name);
    out.text(first->text);
  }
}

Talk Talk::read(ByteReader& in, Time now) {
  Talk talk;
  const auto text = in.text();
  const auto answered_by = in.text();
  talk.waits_since(in.time(now));
  const auto last = in.enumerator(Last::kOperator);
  in.require(text.size() <= kMostText && is_utf8(text) && is_utf8(answered_by));
  if (!in.ok()) return talk;
  if (!answered_by.empty()) talk.added().answered_by = answered_by;
  talk.set_text(text, last);
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    Note note{in.time(now), std::string{in.text()}, std::string{in.text()}};
    in.require(note.time != kNever && is_utf8(note.operator_name) && is_utf8(note.text));
    if (in.ok()) talk.add(std::move(note));
  }
  return talk;
}

// ---- session ----

void Session::save(ByteWriter& out, Time now, const KnownNumbers& known, std::size_t most) const {
  out.number(id_);
  out.enumerator(setting_);
  // Of a WebSocket that said too much, too fast, all is written down, or nothing.
  const bool skips = backlog_ && dialect() == Dialect::kWebSocket && backlog_->size() > most;
  framer_.save(out, now, most, skips ? std::string_view{*backlog_} : std::string_view{});
  out.flag(turn_ != nullptr);
  if (turn_) turn_->save(out, now, id_, known, most);
  write_optional(out, name_);
  out.flag(claim_ != nullptr);
  if (claim_) {
    out.text(claim_->holder);
    out.flag(claim_->stays);
  }
  out.flag(backlog_ != nullptr);
  if (backlog_) out.text(skips ? std::string_view{} : whole_lines(*backlog_, most));
  write_optional(out, farewell_reason_);
  out.time(connected_at_, now);
  out.time(last_activity_, now);
  out.time(until_, now);
  out.time(refilled_, now);
  out.number(tokens_);
  out.number(unread_);
  out.number(told_away_);
  out.enumerator(state_);
  out.flag(spoken_);
  out.flag(spoken_to_);
  out.flag(greeted_);
  out.flag(unpaced_);
  out.flag(owes_away_);
  out.number(lost_);
  out.number(room_);
  out.enumerator(presence_);
  out.flag(name_wished_);
  out.flag(!talk_.is_empty());
  if (!talk_.is_empty()) {
    talk_.save(out, now, most > SIZE_MAX / kShareOfNotes ? most : most * kShareOfNotes);
  }
}

std::unique_ptr<Session> Session::restore(ByteReader& in, Time now) {
  const auto id = in.number<SessionId>();
  const auto setting =
      in.enumerator(in.version() < 10 ? DialectSetting::kRaw : DialectSetting::kWeb);
  auto session = std::make_unique<Session>(id, 0, setting, now);
  session->framer_.restore(in, now);
  if (in.flag()) session->turn().restore(in, now);
  if (const auto held = session->held_messages(); !held.empty()) {
    session->last_message_ = held.back();
  }
  session->name_ = read_optional(in);
  if (in.flag()) {
    Claim claim;
    claim.holder = in.text();
    claim.stays = in.flag();
    in.require(!claim.holder.empty() && is_utf8(claim.holder));
    session->claim_ = std::make_unique<Claim>(std::move(claim));
  }
  session->backlog_ = read_optional(in);
  session->farewell_reason_ = read_optional(in);
  session->connected_at_ = in.time(now);
  session->last_activity_ = in.time(now);
  session->until_ = in.time(now);
  session->refilled_ = in.time(now);
  session->tokens_ = in.number<float>();
  session->unread_ = in.number<std::uint32_t>();
  session->told_away_ = in.number<std::uint32_t>();
  session->state_ = in.enumerator(State::kClosing);
  session->ended_ = session->state_ == State::kClosing;
  session->spoken_ = in.flag();
  session->spoken_to_ = in.flag();
  session->greeted_ = in.flag();
  session->unpaced_ = in.flag();
  if (in.version() >= 7) {
    session->owes_away_ = in.flag();
    session->lost_ = in.number<std::uint32_t>();
    session->room_ = in.number<Rooms::Number>();
    session->presence_ = in.enumerator(Presence::kLeft);
  }
  if (in.version() >= 9) {
    session->name_wished_ = in.flag();
    if (in.flag()) session->talk_ = Talk::read(in, now);
  } else if (session->unread_ > 0) {
    session->talk_.waits_since(session->last_activity_);  // about
  }
  const bool is_there_at_once = session->is_there_at_once();
  in.require((setting == DialectSetting::kWebSocket || setting == DialectSetting::kWeb) ==
             is_there_at_once);
  in.require((setting == DialectSetting::kWeb) == (session->dialect() == Dialect::kWeb));
  in.require(!is_there_at_once || (session->spoken_to_ && !session->turn_));
  in.require(id > 0 && std::abs(session->tokens_) <= kMostTokens);  // a NaN fails, too
  in.require(session->connected_at_ != kNever && session->last_activity_ != kNever &&
             session->refilled_ != kNever);
  const bool has_reason = session->state_ == State::kParting || session->ended_;
  in.require(has_reason == (session->farewell_reason_ != nullptr));
  in.require(!session->ended_ || !session->backlog_);
  in.require(!session->name_ || is_utf8(*session->name_));
  in.require(session->unread_ == 0 || session->waiting_since() != kNever);
  in.require(!session->farewell_reason_ || is_utf8(*session->farewell_reason_));
  return in.ok() ? std::move(session) : nullptr;
}

// ---- router ----

void Router::save(ByteWriter& out, std::size_t most) const {
  out.number(last_id_);
  out.number(counters_.accepted);
  out.number(counters_.messages_in);
  out.number(counters_.messages_out);
  out.number(counters_.delivered);
  out.number(counters_.held);
  out.number(counters_.lost);
  out.number(away_period_);
  const bool with_away = away_ && away_->text.size() + away_->operator_name.size() <= most;
  out.flag(with_away);
  if (with_away) {
    out.text(away_->text);
    out.text(away_->operator_name);
  }
  rooms_.save(out);
  out.number(lineage_);
}

void Router::restore(ByteReader& in) {
  const auto last_id = in.number<SessionId>();
  Counters counters;
  counters.accepted = in.number<std::uint64_t>();
  counters.messages_in = in.number<std::uint64_t>();
  counters.messages_out = in.number<std::uint64_t>();
  counters.delivered = in.number<std::uint64_t>();
  counters.held = in.number<std::uint64_t>();
  counters.lost = in.number<std::uint64_t>();
  const auto period = in.number<std::uint32_t>();
  std::optional<Away> away;
  if (in.flag()) {
    auto& was = away.emplace();
    was.text = in.text();
    was.operator_name = in.text();
    in.require(is_utf8(was.text) && is_utf8(was.operator_name));
  }
  Rooms rooms;
  if (in.version() >= 7) rooms.restore(in);
  const auto lineage = in.version() >= 9 ? in.number<std::uint64_t>() : lineage_;
  in.require(last_id <= kMostNumber);
  in.require(counters.add_up());
  if (!in.ok()) return;
  counters_ = counters;
  rooms_ = std::move(rooms);
  away_period_ = period;
  away_before_ = std::move(away);
  last_id_ = std::max(last_id_, last_id);
  lineage_ = lineage;
}

void Router::lose_missing() {
  std::uint64_t held = 0;
  for (const auto& session : slots_) held += session ? session->held() : 0;
  counters_.lost += counters_.messages_out - counters_.delivered - counters_.lost - held;
  counters_.held = held;
  assert(counters_.add_up());
}

bool Router::adopt(Slot slot, std::unique_ptr<Session> session) {
  assert(!has(slot));
  const SessionId id = session->id();
  if (id > last_id_ || by_id_.contains(id)) return false;
  if (session->room() != 0 && !rooms_.exists(session->room())) return false;
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  session->move_to(slot);
  if (session->claim() != nullptr) claimed_.insert(id);
  if (session->is_left_out()) asking_.insert(id);
  if (!session->ended() && !session->has_wished_name()) names_.add(session->name(), id);
  slots_[slot] = std::move(session);
  by_id_.emplace(id, slot);
  if (!slots_[slot]->has_spoken()) file_silent(*slots_[slot]);
  rooms_.enter(slots_[slot]->room(), slot);
  follow_up(*slots_[slot]);
  return true;
}

}  // namespace chatd::core
