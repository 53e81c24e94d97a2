#include "console/unread.hpp"

#include <set>
#include <utility>

namespace chatd::console {

void Unread::apply(const Event& event, Target focus) {
  if (!event.kind) return;
  switch (*event.kind) {
    case EventKind::kMessage:
      if (focus != event.session()) add(event.session(), 1);
      break;
    case EventKind::kSent:
      if (event.automatic) break;  // nobody has read it
      for (const SessionId session : event.sessions) forget(session);
      break;
    case EventKind::kDisconnected:
      forget(event.session());
      break;
    default:
      break;
  }
}

void Unread::replace(const std::vector<SessionInfo>& sessions, Target focus) {
  // A session that waited before keeps its place.
  const std::map<SessionId, Count> before = std::exchange(counts_, {});
  waiting_.clear();
  for (const SessionInfo& each : sessions) {
    if (each.unread == 0 || focus == each.session) continue;
    const auto known = before.find(each.session);
    if (known == before.end()) {
      add(each.session, each.unread);
    } else {
      counts_[each.session] = {each.unread, known->second.turn};
      waiting_.emplace(known->second.turn, each.session);
    }
  }
}

void Unread::keep(const std::vector<SessionInfo>& sessions) {
  std::set<SessionId> there;
  for (const SessionInfo& each : sessions) there.insert(each.session);
  std::erase_if(waiting_, [&](const auto& each) { return !there.contains(each.second); });
  std::erase_if(counts_, [&](const auto& each) { return !there.contains(each.first); });
}

std::uint64_t Unread::of(SessionId session) const {
  const auto found = counts_.find(session);
  return found == counts_.end() ? 0 : found->second.messages;
}

Target Unread::next() const {
  const auto all = first(1);
  return all.empty() ? Target{} : Target{all.front().session};
}

std::vector<Unread::Entry> Unread::first(std::size_t most) const {
  std::vector<Entry> entries;
  for (const auto& [turn, session] : waiting_) {
    if (entries.size() == most) break;
    entries.push_back({session, of(session)});
  }
  return entries;
}

void Unread::add(SessionId session, std::uint64_t messages) {
  Count& count = counts_[session];
  if (count.messages == 0) {
    count.turn = ++turns_;
    waiting_.emplace(count.turn, session);
  }
  count.messages += messages;
}

void Unread::forget(SessionId session) {
  const auto known = counts_.find(session);
  if (known == counts_.end()) return;
  waiting_.erase(known->second.turn);
  counts_.erase(known);
}

}  // namespace chatd::console
