#include "clients/sessions.hpp"

#include <utility>

#include "core/session.hpp"

namespace chatd {

Sessions::Sessions(io::Loop& loop, core::Router& router, Connections& connections, PageNews& pages)
    : loop_{loop}, router_{router}, connections_{connections}, pages_{pages} {}

// ---- who is there ----

std::vector<SessionInfo> Sessions::list() {
  const auto now = loop_.now();
  dates_.set(now, wall_now());
  std::vector<SessionInfo> all;
  for (const core::Session* session : router_.sessions()) {
    const auto slot = session->slot();
    const auto& way = connections_.way(slot);
    all.push_back({session->id(),
                   session->ended() ? "" : session->name(),  // somebody else may have it by now
                   connections_.client(slot).peer.to_string(),
                   connections_.listener(slot),
                   to_string(session->dialect()),
                   pages_.is_away(slot) ? "away" : to_string(session->state()),
                   dates_.of(session->connected_at()),
                   (now - session->last_activity()).count(),
                   session->unread(),
                   session->held(),
                   claimed_by(session->id()),
                   {},
                   {},
                   {},
                   {},
                   0,
                   way.verified,
                   way.via,
                   way.tls});
    add_talk(all.back(), *session);
  }
  return all;
}

void Sessions::add_talk(SessionInfo& info, const core::Session& session) const {
  if (const Time since = session.waiting_since(); since != kNever) {
    info.waiting_since = dates_.of(since);
  }
  const core::Talk* talk = session.talk();
  if (talk == nullptr) return;
  info.answered_by = talk->answered_by();
  if (talk->last() != core::Talk::Last::kNobody) info.last_text = talk->last_text();
  if (talk->last() == core::Talk::Last::kOperator) info.last_operator = info.answered_by;
  info.notes = talk->notes().size();
}

std::optional<std::vector<NoteInfo>> Sessions::notes(core::SessionId id) {
  const core::Session* session = router_.find(id);
  if (session == nullptr) return {};
  dates_.set(loop_.now(), wall_now());
  std::vector<NoteInfo> all;
  if (session->talk() == nullptr) return all;
  for (const core::Note& note : session->talk()->notes()) {
    all.push_back({dates_.of(note.time), note.operator_name, note.text});
  }
  return all;
}

std::vector<core::SessionId> Sessions::within(const io::Network& network) const {
  std::vector<core::SessionId> all;
  for (const core::Session* session : router_.sessions()) {
    if (network.contains(connections_.client(session->slot()).peer)) all.push_back(session->id());
  }
  return all;
}

bool Sessions::is_open(core::SessionId id) const {
  const core::Session* session = router_.find(id);
  return session != nullptr && !session->ended() && session->state() == core::Session::State::kOpen;
}

std::optional<Duration> Sessions::left_ago(core::SessionId id) const {
  const auto when = router_.left_at(id);
  if (!when) return {};
  return loop_.now() - *when;
}

bool Sessions::is_parting(core::SessionId id) const {
  const core::Session* session = router_.find(id);
  return session != nullptr && session->state() == core::Session::State::kParting;
}

// ---- what operators want ----

Sessions::Sent Sessions::send(const core::Recipients& to, std::string_view text,
                              std::string_view by) {
  Sent sent;
  sent.receipt = router_.send(to, text, by, loop_.now(), connections_.outbox());
  sent.congested = connections_.deliver();
  return sent;
}

core::Outcome Sessions::bye(core::SessionId id, std::string_view by) {
  const auto outcome = router_.bye(id, by, loop_.now(), connections_.outbox());
  connections_.deliver();
  return outcome;
}

core::Outcome Sessions::kick(core::SessionId id, std::string_view reason, std::string_view by) {
  const auto outcome = router_.kick(id, reason, by, loop_.now(), connections_.outbox());
  connections_.deliver();
  return outcome;
}

Sessions::Kicked Sessions::kick_all(std::span<const core::SessionId> ids, std::string_view reason,
                                    std::string_view by) {
  Kicked all;
  for (const core::SessionId id : ids) {
    // Each is delivered by itself: in a room all the others hear of it, and what they hear must
    // not wait for the last one.
    switch (kick(id, reason, by)) {
      case core::Outcome::kDone:
        all.kicked.push_back(id);
        break;
      case core::Outcome::kNoSession:
        all.refused.push_back({id, "no such session"});
        break;
      case core::Outcome::kClaimed:
        all.refused.push_back({id, "claimed by " + std::string{claimed_by(id)}});
        break;
    }
  }
  return all;
}

core::Outcome Sessions::name(core::SessionId id, std::string_view name, std::string_view by) {
  const auto outcome = router_.name(id, name, by, loop_.now(), connections_.outbox());
  connections_.deliver();
  return outcome;
}

core::Outcome Sessions::note(core::SessionId id, std::string_view text, std::string_view by) {
  const auto outcome = router_.add_note(id, text, by, loop_.now(), connections_.outbox());
  connections_.deliver();
  return outcome;
}

// ---- claims ----

core::Outcome Sessions::claim(core::SessionId id, core::Claim claim, bool force,
                              std::string_view by) {
  const auto outcome = router_.claim(id, std::move(claim), force, by, connections_.outbox());
  connections_.deliver();
  return outcome;
}

core::Outcome Sessions::release(core::SessionId id, std::string_view by) {
  const auto outcome = router_.release(id, by, connections_.outbox());
  connections_.deliver();
  return outcome;
}

void Sessions::release_if(const std::function<bool(std::string_view holder)>& gone) {
  router_.release_if(gone, connections_.outbox());
  connections_.deliver();
}

std::string_view Sessions::claimed_by(core::SessionId id) const {
  const core::Session* session = router_.find(id);
  return session == nullptr || session->claim() == nullptr
             ? std::string_view{}
             : std::string_view{session->claim()->holder};
}

void Sessions::writing(core::SessionId id, std::string_view operator_name) {
  const core::Session* const session = router_.find(id);
  if (session != nullptr) pages_.writing(session->slot(), operator_name);
}

// ---- while all operators are away ----

void Sessions::set_away(std::optional<core::Away> away) {
  if (away) {
    pages_.away(away->text);
    router_.set_away(std::move(*away));
  } else {
    pages_.here();
    router_.end_away();
  }
}

}  // namespace chatd
