#include "console/unread.hpp"

#include <algorithm>
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
      for (const SessionId session : event.sessions) counts_.erase(session);
      break;
    case EventKind::kDisconnected:
      counts_.erase(event.session());
      break;
    default:
      break;
  }
}

void Unread::replace(const std::vector<SessionInfo>& sessions, Target focus) {
  // A session that waited before keeps its place.
  const std::map<SessionId, Count> before = std::exchange(counts_, {});
  for (const SessionInfo& each : sessions) {
    if (each.unread == 0 || focus == each.session) continue;
    const auto known = before.find(each.session);
    if (known == before.end()) {
      add(each.session, each.unread);
    } else {
      counts_[each.session] = {each.unread, known->second.turn};
    }
  }
}

void Unread::keep(const std::vector<SessionInfo>& sessions) {
  std::erase_if(counts_, [&](const auto& count) {
    return std::none_of(sessions.begin(), sessions.end(),
                        [&](const SessionInfo& each) { return each.session == count.first; });
  });
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
  std::vector<std::pair<std::uint64_t, Entry>> waiting;
  waiting.reserve(counts_.size());
  for (const auto& [session, count] : counts_) {
    waiting.push_back({count.turn, {session, count.messages}});
  }
  most = std::min(most, waiting.size());
  std::partial_sort(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(most),
                    waiting.end(),
                    [](const auto& one, const auto& other) { return one.first < other.first; });
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < most; ++i) entries.push_back(waiting[i].second);
  return entries;
}

void Unread::add(SessionId session, std::uint64_t messages) {
  Count& count = counts_[session];
  if (count.messages == 0) count.turn = ++turns_;
  count.messages += messages;
}

}  // namespace chatd::console
