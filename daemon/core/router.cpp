#include "core/router.hpp"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "base/names.hpp"

namespace chatd::core {

namespace {

/// After which it is asked again whether a client is silent of whom something was unread. As soon
/// as that is read, it has another deadline.
constexpr Duration kAskedAgain{100};

}  // namespace

std::string does_not_read(const Settings& settings) {
  return "it does not read: more than " + std::to_string(settings.output_hard) +
         " bytes wait for it";
}

Router::Router(Settings settings, SessionId last_id, Capacity* capacity)
    : settings_{std::move(settings)}, capacity_{capacity}, last_id_{last_id} {}

Router::~Router() = default;

void Router::set_settings(Settings settings) {
  settings_ = std::move(settings);
  for (const auto& session : slots_) {
    if (session) follow_up(*session);
  }
}

/// As with_id, if the session is not another operator's.
template <class Act>
Outcome Router::with_own(SessionId id, std::string_view operator_name, Time now, Outbox& outbox,
                         Act act) {
  const Session* session = find(id);
  if (session == nullptr) return Outcome::kNoSession;
  if (session->is_anothers(operator_name)) return Outcome::kClaimed;
  with(session->slot(), now, outbox, std::move(act));
  return Outcome::kDone;
}

/// After each thing that happened to a session: forget it if it is over, and file
/// it anew if it wants to be woken sooner. (Later is found out when the old
/// deadline comes, so that a message costs no work here.)
void Router::follow_up(Session& session) {
  assert(counters_.add_up());
  note(session);
  if (session.is_over()) {
    file(session, kNever);
    by_id_.erase(session.id());
    if (session.claim() != nullptr) claimed_.erase(session.id());
    names_.remove(session.name(), session.id());
    asking_.erase(session.id());
    silent_.erase(session.id());
    rooms_.leave(session.room(), session.slot());
    slots_[session.slot()].reset();
    return;
  }
  // What is left of it is not called any more, so that the same client may come again.
  if (session.ended()) names_.remove(session.name(), session.id());
  if (session.filed_silent && session.has_spoken()) {
    session.filed_silent = false;
    silent_.erase(session.id());
  }
  const Time when = session.deadline(settings_);
  if (when < session.filed_at) file(session, when);
  assert(session.filed_at <= when);
}

void Router::note(Session& session) {
  if (session.watched && !std::exchange(session.noted, true)) changed_.push_back(session.slot());
}

void Router::changes_seen() {
  for (const Slot slot : changed_) {
    if (slots_[slot]) slots_[slot]->noted = false;
  }
  changed_.clear();
}

void Router::file_silent(Session& session) {
  session.filed_silent = true;
  silent_.insert(session.id());
}

void Router::file(Session& session, Time when) {
  if (session.filed_at != kNever) deadlines_.erase({session.filed_at, session.slot()});
  session.filed_at = when;
  if (when != kNever) deadlines_.insert({when, session.slot()});
}

SessionId Router::connect(Slot slot, DialectSetting dialect, Time now, Outbox& outbox,
                          std::string_view room, std::string_view name) {
  assert(!has(slot));
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  const SessionId id = ++last_id_;
  slots_[slot] = std::make_unique<Session>(id, slot, dialect, now);
  by_id_.emplace(id, slot);
  file_silent(*slots_[slot]);
  slots_[slot]->join(rooms_.find(room));
  rooms_.enter(slots_[slot]->room(), slot);
  const auto given = name.empty() ? std::string{} : names_.free_name(name, id);
  with(slot, now, outbox, [&](Session& session, Context& work) {
    session.connected(work);
    if (given.empty()) return;
    rename(session, given);
    const auto kept = work.outbox.keep(given);
    Event& event = work.outbox.add(EventKind::kNamed, id);
    event.slot = session.slot();
    event.text = kept;
    event.automatic = true;
  });
  if (!given.empty()) take_wish(id, now, outbox);
  return id;
}

void Router::receive(Slot slot, std::string_view bytes, Time now, Outbox& outbox) {
  with(slot, now, outbox,
       [bytes](Session& session, Context& work) { session.receive(bytes, work); });
}

void Router::say(Slot slot, std::string_view text, Time now, Outbox& outbox) {
  with(slot, now, outbox, [text](Session& session, Context& work) { session.say(text, work); });
}

void Router::end_of_input(Slot slot, Time now, Outbox& outbox) {
  with(slot, now, outbox, [this](Session& session, Context& work) {
    session.end_of_input(work);
    if (session.is_left_out()) asking_.insert(session.id());
  });
}

void Router::broken(Slot slot, std::string_view reason, std::uint32_t unsent, Time now,
                    Outbox& outbox) {
  with(slot, now, outbox,
       [&](Session& session, Context& work) { session.broken(reason, unsent, work); });
}

bool Router::give_way(SessionId id, std::string_view why, Time now, Outbox& outbox) {
  const Session* const session = find(id);
  if (session == nullptr || session->ended()) return false;
  return with_id(id, now, outbox, [&](Session& leaving, Context& work) {
    leaving.give_way(why, take_back(leaving, work), work);
  });
}

/// Its connection takes no more: it ends at once.
void Router::give_up(Session& session, Context& context) {
  const auto unsent = take_back(session, context);
  context.outbox.abort(session.slot());
  session.broken(does_not_read(settings_), unsent, context);
}

/// Of what it was sent, nothing more is to leave: neither what it was written in this delivery,
/// nor what waits for it. Returns how many messages that are.
std::uint32_t Router::take_back(const Session& session, Context& context) {
  // What its room says comes from others, whose deeds stand in the same delivery.
  const auto first = session.room() == 0 ? context.first_write : 0;
  const auto written = context.outbox.take_back_writes(session.slot(), first);
  return written + (capacity_ == nullptr ? 0 : capacity_->unsent(session.slot()));
}

bool Router::has_room(const Session& session, Outgoing& message, const Context& context) {
  if (capacity_ == nullptr) return true;
  const auto before = context.outbox.written_bytes(context.first_write);
  return capacity_->has_room(session.slot(), before + message.as(session.dialect()).size());
}

void Router::lost_after_end(Slot slot, std::uint32_t unsent) {
  if (has(slot)) {
    slots_[slot]->lose_after_end(unsent);
    return;
  }
  counters_.delivered -= unsent;
  counters_.lost += unsent;
}

void Router::closed(Slot slot, std::uint32_t unsent, Time now, Outbox& outbox) {
  with(slot, now, outbox,
       [unsent](Session& session, Context& work) { session.closed(unsent, work); });
}

Outcome Router::bye(SessionId id, std::string_view operator_name, Time now, Outbox& outbox) {
  return with_own(id, operator_name, now, outbox,
                  [&](Session& session, Context& work) { session.bye(operator_name, work); });
}

Outcome Router::kick(SessionId id, std::string_view reason, std::string_view operator_name,
                     Time now, Outbox& outbox) {
  std::string sentence = "kicked by ";
  sentence += operator_name;
  std::string words = "kicked";  // who did it is nothing for the client
  if (!reason.empty()) {
    sentence += ": ";
    sentence += reason;
    words += ": ";
    words += reason;
  }
  return with_own(id, operator_name, now, outbox, [&](Session& session, Context& work) {
    session.end(sentence, {http::kPolicyViolation, words}, take_back(session, work), work);
  });
}

Outcome Router::name(SessionId id, std::string_view name, std::string_view operator_name, Time now,
                     Outbox& outbox) {
  const bool found = with_id(id, now, outbox, [&](Session& session, Context& work) {
    rename(session, name);
    const auto kept_name = work.outbox.keep(name);
    const auto kept_operator = work.outbox.keep(operator_name);
    Event& event = work.outbox.add(EventKind::kNamed, id);
    event.text = kept_name;
    event.operator_name = kept_operator;
  });
  if (!found) return Outcome::kNoSession;
  take_wish(id, now, outbox);
  return Outcome::kDone;
}

void Router::rename(Session& session, std::string_view name, bool wished) {
  names_.remove(session.name(), session.id());
  session.set_name(name, wished);
  if (!session.ended() && !wished) names_.add(name, session.id());
}

/// Within a room nobody else goes on under the name that `given` was given.
void Router::take_wish(SessionId given, Time now, Outbox& outbox) {
  const Session* const winner = find(given);
  if (winner == nullptr || winner->ended()) return;
  if (winner->room() == 0 || winner->name().empty()) return;
  const auto& members = rooms_.members(winner->room());
  const auto loser = std::find_if(members.begin(), members.end(), [&](Slot slot) {
    const Session& each = *slots_[slot];
    return &each != winner && !each.ended() && each.has_wished_name() &&
           is_same_name(each.name(), winner->name());
  });
  if (loser == members.end()) return;
  with(*loser, now, outbox,
       [](Session& session, Context& work) { work.room_names->lose(session, work); });
}

Outcome Router::add_note(SessionId id, std::string_view text, std::string_view operator_name,
                         Time now, Outbox& outbox) {
  const bool found = with_id(id, now, outbox, [&](Session& session, Context& work) {
    session.add_note({now, std::string{operator_name}, std::string{text}});
    const auto kept_text = work.outbox.keep(text);
    const auto kept_operator = work.outbox.keep(operator_name);
    Event& event = work.outbox.add(EventKind::kNoted, id);
    event.text = kept_text;
    event.operator_name = kept_operator;
  });
  return found ? Outcome::kDone : Outcome::kNoSession;
}

void Router::stop(Time now, Outbox& outbox) {
  stopping_ = true;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot]) {
      with(slot, now, outbox, [](Session& session, Context& work) { session.stop(work); });
    }
  }
}

void Router::tick(Time now, Outbox& outbox, std::size_t most, const HasUnread& has_unread) {
  for (; most > 0 && deadline() <= now; --most) {
    const Slot slot = deadlines_.begin()->second;
    Session& session = *slots_[slot];
    if (session.is_due_by_silence(now) && has_unread && has_unread(slot)) {
      file(session, now + kAskedAgain);
      continue;
    }
    file(session, kNever);
    with(slot, now, outbox, [](Session& due, Context& work) { due.expire(work); });
    // A session that is still due now would be asked for ever: once a tick is enough.
    if (has(slot) && slots_[slot]->filed_at <= now) {
      file(*slots_[slot], now + Duration{1});
    }
  }
}

Time Router::deadline() const {
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

const Session* Router::find(SessionId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : slots_[found->second].get();
}

std::vector<const Session*> Router::sessions() const {
  std::vector<const Session*> all;
  all.reserve(by_id_.size());
  for (const auto& session : slots_) {
    if (session) all.push_back(session.get());
  }
  std::sort(all.begin(), all.end(),
            [](const Session* a, const Session* b) { return a->id() < b->id(); });
  return all;
}

}  // namespace chatd::core
