#include "console/unread.hpp"

#include <set>

namespace chatd::console {

void Unread::apply(const Event& event, Target reading, const RankOf& rank_of) {
  if (event.kind == EventKind::kMessage) {
    if (reading != event.session()) add(event.session(), 1, rank_of(event.session()));
  } else if (event.kind == EventKind::kSent && !event.automatic && !event.announced) {
    // Who has told all something has read nothing of theirs; nor has who is away.
    seen(event.session());
  }
}

void Unread::replace(const std::vector<SessionInfo>& sessions, Target reading,
                     const RankOf& rank_of) {
  // A session that waited before keeps its place.
  const std::map<SessionId, Count> before = std::exchange(counts_, {});
  waiting_.clear();
  for (const auto& [session, count] : before) {
    if (count.rank == Rank::kLeft) insert(session, count);
  }
  for (const SessionInfo& each : sessions) {
    if (each.unread == 0 || reading == each.session) continue;
    const auto known = before.find(each.session);
    if (known == before.end()) {
      add(each.session, each.unread, rank_of(each.session));
    } else {
      insert(each.session, {each.unread, known->second.turn, rank_of(each.session)});
    }
  }
}

void Unread::renew(const std::vector<SessionInfo>& sessions, Target reading,
                   const RankOf& rank_of) {
  for (const SessionInfo& each : sessions) {
    seen(each.session);
    if (each.unread == 0 || reading == each.session) continue;
    add(each.session, each.unread, rank_of(each.session));
  }
}

void Unread::keep(const std::vector<SessionInfo>& sessions,
                  const std::function<bool(SessionId)>& left) {
  std::set<SessionId> there;
  for (const SessionInfo& each : sessions) there.insert(each.session);
  std::vector<SessionId> gone;
  for (const auto& [session, count] : counts_) {
    if (!there.contains(session) && count.rank != Rank::kLeft) gone.push_back(session);
  }
  for (const SessionId session : gone) {
    if (counts_.at(session).rank != Rank::kPassed && left(session)) {
      rank(session, Rank::kLeft);
    } else {
      seen(session);
    }
  }
}

void Unread::seen(SessionId session) {
  const auto known = counts_.find(session);
  if (known == counts_.end()) return;
  waiting_.erase({known->second.rank, known->second.turn});
  counts_.erase(known);
}

void Unread::clear() {
  counts_.clear();
  waiting_.clear();
}

void Unread::rank(SessionId session, Rank rank) {
  const auto known = counts_.find(session);
  if (known == counts_.end() || known->second.rank == rank) return;
  waiting_.erase({known->second.rank, known->second.turn});
  known->second.rank = rank;
  insert(session, known->second);
}

std::uint64_t Unread::of(SessionId session) const {
  const auto found = counts_.find(session);
  return found == counts_.end() ? 0 : found->second.messages;
}

Target Unread::next() const {
  return waiting_.empty() ? Target{} : Target{waiting_.begin()->second};
}

std::vector<Unread::Entry> Unread::first(std::size_t most) const {
  std::vector<Entry> entries;
  for (const auto& [place, session] : waiting_) {
    if (entries.size() == most) break;
    entries.push_back({session, of(session), place.first});
  }
  return entries;
}

void Unread::add(SessionId session, std::uint64_t messages, Rank rank) {
  const auto known = counts_.find(session);
  if (known == counts_.end()) {
    insert(session, {messages, ++turns_, rank});
  } else {
    known->second.messages += messages;
  }
}

void Unread::insert(SessionId session, const Count& count) {
  if (count.rank != Rank::kPassed) waiting_.insert_or_assign({count.rank, count.turn}, session);
  counts_.insert_or_assign(session, count);
}

}  // namespace chatd::console
