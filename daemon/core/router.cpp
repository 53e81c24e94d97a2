#include "core/router.hpp"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

namespace chatd::core {

Router::Router(Settings settings, SessionId last_id)
    : settings_{std::move(settings)}, last_id_{last_id} {}

Router::~Router() = default;

void Router::set_settings(Settings settings) {
  settings_ = std::move(settings);
  for (const auto& session : slots_) {
    if (session) follow_up(*session);
  }
}

Context Router::context(Time now, Outbox& outbox) {
  return {settings_, now, outbox, reading_, counters_};
}

template <class Act>
void Router::with(Slot slot, Time now, Outbox& outbox, Act act) {
  assert(has(slot));
  Session& session = *slots_[slot];
  Context work = context(now, outbox);
  const auto first_event = outbox.events().size();
  act(session, work);
  if (away_) answer_for_the_away(session, first_event, work);
  follow_up(session);
}

template <class Act>
bool Router::with_id(SessionId id, Time now, Outbox& outbox, Act act) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  with(found->second, now, outbox, std::move(act));
  return true;
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
  note(session);
  if (session.ended()) {
    file(session, kNever);
    by_id_.erase(session.id());
    if (session.claim() != nullptr) claimed_.erase(session.id());
    slots_[session.slot()].reset();
    return;
  }
  const Time when = session.deadline(settings_);
  if (when < session.filed_at) file(session, when);
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

void Router::file(Session& session, Time when) {
  if (session.filed_at != kNever) deadlines_.erase({session.filed_at, session.slot()});
  session.filed_at = when;
  if (when != kNever) deadlines_.insert({when, session.slot()});
}

SessionId Router::connect(Slot slot, DialectSetting dialect, Time now, Outbox& outbox) {
  assert(!has(slot));
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  const SessionId id = ++last_id_;
  slots_[slot] = std::make_unique<Session>(id, slot, dialect, now);
  by_id_.emplace(id, slot);
  with(slot, now, outbox, [](Session& session, Context& work) { session.connected(work); });
  return id;
}

void Router::receive(Slot slot, std::string_view bytes, Time now, Outbox& outbox) {
  with(slot, now, outbox,
       [bytes](Session& session, Context& work) { session.receive(bytes, work); });
}

void Router::end_of_input(Slot slot, Time now, Outbox& outbox) {
  with(slot, now, outbox, [](Session& session, Context& work) { session.end_of_input(work); });
}

void Router::broken(Slot slot, std::string_view reason, std::uint32_t unsent, Time now,
                    Outbox& outbox) {
  with(slot, now, outbox,
       [&](Session& session, Context& work) { session.broken(reason, unsent, work); });
}

namespace {

/// What event `index` says was sent to several never reached `id`, if that is one of them.
/// There is one more event for all of those together, however many they are: one for each,
/// with a long text, could be more than memory holds. Their ids stand behind the others.
bool lose_one_of(std::size_t index, SessionId id, Outbox& outbox) {
  auto& events = outbox.events();
  Event& event = events[index];
  const auto ids = std::span{outbox.ids()}.subspan(event.sessions.begin);
  const auto sent = ids.begin() + event.sessions.size;
  const auto place = std::find(ids.begin(), sent, id);
  if (place == sent) return false;
  const auto begin = event.sessions.begin + event.sessions.size;  // of those that are lost
  const auto text = event.text;
  const auto by = event.operator_name;
  if (--event.sessions.size == 1) {
    event.session = place == ids.begin() ? ids[1] : ids[0];
    event.sessions = {};
  }
  const auto lost = std::find_if(events.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                                 events.end(), [&](const Event& each) {
                                   return each.kind == EventKind::kSent &&
                                          each.state == SendState::kLost &&
                                          each.sessions.begin == begin;
                                 });
  if (lost != events.end()) {
    const auto others = std::max(lost->sessions.size, 1U);
    std::rotate(place, place + 1, sent + others);
    lost->session = 0;
    lost->sessions = {begin - 1, others + 1};
    return true;
  }
  std::rotate(place, place + 1, sent);
  Event& first = outbox.add(EventKind::kSent, id);
  first.sessions.begin = begin - 1;  // by which it is found, and there may be more
  first.text = text;
  first.operator_name = by;
  first.state = SendState::kLost;
  return true;
}

}  // namespace

void Router::overflowed(Slot slot, std::string_view reason, std::uint32_t unsent, Time now,
                        Outbox& outbox) {
  const SessionId id = slots_[slot]->id();
  auto& events = outbox.events();
  for (std::size_t i = 0; i < events.size(); ++i) {
    Event& event = events[i];
    if (unsent == 0) break;  // all that was written to it has left
    if (event.kind != EventKind::kSent || event.state != SendState::kSent) continue;
    if (event.session == id) {
      event.state = SendState::kLost;
    } else if (event.session == 0) {
      if (!lose_one_of(i, id, outbox)) continue;
    } else {
      continue;
    }
    --unsent;
    --counters_.delivered;
    ++counters_.lost;
  }
  broken(slot, reason, unsent, now, outbox);
}

void Router::lost_after_end(std::uint32_t unsent) {
  counters_.delivered -= unsent;
  counters_.lost += unsent;
}

Receipt Router::send(const Recipients& to, std::string_view text, std::string_view operator_name,
                     Time now, Outbox& outbox) {
  Receipt receipt;
  Outgoing message{text};
  const auto kept_text = outbox.keep(text);
  const auto kept_name = outbox.keep(operator_name);

  // One event for each state that occurs, made when it first does: what follows from it,
  // such as a delivery, stands behind it.
  struct Group {
    SendState state;
    std::vector<SessionId>& ids;
    std::optional<std::size_t> event{};
  };
  Group sent{SendState::kSent, receipt.delivered};
  Group held{SendState::kHeld, receipt.held};
  std::vector<MessageNumber> held_messages;
  const auto join = [&](Group& group, SessionId id) {
    if (!group.event) {
      group.event = outbox.events().size();
      Event& event = outbox.add(EventKind::kSent, id);
      event.text = kept_text;
      event.operator_name = kept_name;
      event.state = group.state;
    }
    group.ids.push_back(id);
  };

  const auto offer = [&](Session& session, Context& work) {
    if (!to.everyone && session.is_anothers(operator_name)) {
      receipt.refused.push_back(
          {session.id(), Refusal::kClaimed, "claimed by " + session.claim()->holder});
      return;
    }
    switch (session.disposition(text.size(), settings_)) {
      case Session::Disposition::kNow:
        join(sent, session.id());
        session.send(message, work);
        return;
      case Session::Disposition::kHold:
        join(held, session.id());
        held_messages.push_back(session.hold(message, work));
        return;
      case Session::Disposition::kParting:
        receipt.refused.push_back({session.id(), Refusal::kLimit, "bye was already said to it"});
        return;
      case Session::Disposition::kFull:
        receipt.refused.push_back({session.id(), Refusal::kLimit,
                                   "it does not listen, and as much as may be is held for it"});
        return;
      case Session::Disposition::kTooLong:
        receipt.refused.push_back(
            {session.id(), Refusal::kLimit,
             "the message is longer than limits.output_hard, which is all that may wait for it"});
        return;
      case Session::Disposition::kEmpty:
        receipt.refused.push_back(
            {session.id(), Refusal::kLimit, "an original client cannot get an empty message"});
        return;
    }
  };
  if (to.everyone) {
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot]) with(slot, now, outbox, offer);
    }
  } else {
    auto ids = to.sessions;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (const SessionId id : ids) {
      if (!with_id(id, now, outbox, offer)) {
        receipt.refused.push_back({id, Refusal::kNoSession, "no such session"});
      }
    }
  }
  for (const Group& group : {sent, held}) {
    if (group.ids.size() < 2) continue;
    Event& event = outbox.events()[*group.event];
    event.session = 0;
    event.sessions = outbox.keep_ids(group.ids);
  }
  if (held.event) {
    Event& event = outbox.events()[*held.event];
    if (held_messages.size() == 1) {
      event.message = held_messages.front();
    } else {
      event.messages = outbox.keep_messages(held_messages);
    }
  }
  return receipt;
}

Outcome Router::bye(SessionId id, std::string_view operator_name, Time now, Outbox& outbox) {
  return with_own(id, operator_name, now, outbox,
                  [&](Session& session, Context& work) { session.bye(operator_name, work); });
}

Outcome Router::kick(SessionId id, std::string_view reason, std::string_view operator_name,
                     Time now, Outbox& outbox) {
  std::string sentence = "kicked by ";
  sentence += operator_name;
  if (!reason.empty()) {
    sentence += ": ";
    sentence += reason;
  }
  return with_own(id, operator_name, now, outbox,
                  [&](Session& session, Context& work) { session.end(sentence, work); });
}

Outcome Router::name(SessionId id, std::string_view name, std::string_view operator_name, Time now,
                     Outbox& outbox) {
  const bool found = with_id(id, now, outbox, [&](Session& session, Context& work) {
    session.set_name(name);
    const auto kept_name = work.outbox.keep(name);
    const auto kept_operator = work.outbox.keep(operator_name);
    Event& event = work.outbox.add(EventKind::kNamed, id);
    event.text = kept_name;
    event.operator_name = kept_operator;
  });
  return found ? Outcome::kDone : Outcome::kNoSession;
}

void Router::stop(Time now, Outbox& outbox) {
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot]) {
      with(slot, now, outbox, [](Session& session, Context& work) { session.stop(work); });
    }
  }
}

void Router::tick(Time now, Outbox& outbox) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const Slot slot = deadlines_.begin()->second;
    Session& session = *slots_[slot];
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
