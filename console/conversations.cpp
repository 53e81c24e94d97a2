#include "console/conversations.hpp"

#include <algorithm>
#include <utility>

namespace chatd::console {
namespace {

std::size_t cost_of(const PastMessage& message) {
  return sizeof(PastMessage) + message.time.size() + message.operator_name.size() +
         message.text.size() + message.name.size();
}

PastMessage message_of(const Event& event) {
  PastMessage message;
  message.seq = event.seq;
  message.time = event.time;
  message.incoming = event.kind == EventKind::kMessage;
  message.operator_name = event.operator_name;
  message.text = event.text;
  message.state = event.state;
  if (event.sessions.size() == 1) message.name = event.name;
  message.automatic = event.automatic;
  return message;
}

}  // namespace

void Conversations::apply(const Event& event) {
  if (event.kind == EventKind::kConnected) {
    all_[event.session()].whole = true;
  } else if (event.kind == EventKind::kMessage || event.kind == EventKind::kSent) {
    const auto message = std::make_shared<const PastMessage>(message_of(event));
    for (const SessionId session : event.sessions) keep(session, message);
  } else if (event.kind == EventKind::kLagged) {
    for (auto& [session, conversation] : all_) conversation.whole = false;
  }
}

void Conversations::keep(SessionId session, const std::shared_ptr<const PastMessage>& message) {
  Conversation& conversation = all_[session];
  const bool known = !conversation.lines.empty() && message->seq > 0 &&
                     conversation.lines.back().message->seq >= message->seq;
  if (known) return;
  const std::size_t cost = cost_of(*message);
  if (cost > bounds_.bytes) {
    conversation.whole = false;
    return;
  }
  turns_.emplace(next_turn_, session);
  conversation.lines.push_back({next_turn_++, message});
  bytes_ += cost;
  if (conversation.lines.size() > bounds_.lines) drop_oldest_of(conversation);
  while (bytes_ > bounds_.bytes) drop_oldest_of(all_[turns_.begin()->second]);
}

void Conversations::drop_oldest_of(Conversation& conversation) {
  conversation.whole = false;
  bytes_ -= cost_of(*conversation.lines.front().message);
  turns_.erase(conversation.lines.front().turn);
  conversation.lines.pop_front();
}

void Conversations::forget(SessionId session) {
  const auto found = all_.find(session);
  if (found == all_.end()) return;
  while (!found->second.lines.empty()) drop_oldest_of(found->second);
  all_.erase(found);
}

void Conversations::clear() {
  all_.clear();
  turns_.clear();
  bytes_ = 0;
}

bool Conversations::is_whole(SessionId session) const {
  const auto found = all_.find(session);
  return found != all_.end() && found->second.whole;
}

std::size_t Conversations::lines_of(SessionId session) const {
  const auto found = all_.find(session);
  return found == all_.end() ? 0 : found->second.lines.size();
}

std::vector<PastMessage> Conversations::of(SessionId session,
                                           const std::vector<PastMessage>& past) const {
  std::map<std::uint64_t, PastMessage> by_seq;
  for (const PastMessage& each : past) {
    if (std::find(each.sessions.begin(), each.sessions.end(), session) == each.sessions.end()) {
      continue;
    }
    by_seq.emplace(each.seq, each).first->second.sessions = {session};
  }
  std::vector<PastMessage> unnumbered;
  if (const auto found = all_.find(session); found != all_.end()) {
    for (const Line& each : found->second.lines) {
      PastMessage message = *each.message;
      message.sessions = {session};
      if (message.seq == 0) {
        unnumbered.push_back(std::move(message));
      } else {
        const std::uint64_t seq = message.seq;
        by_seq.insert_or_assign(seq, std::move(message));
      }
    }
  }
  std::vector<PastMessage> all;
  for (auto& [seq, message] : by_seq) all.push_back(std::move(message));
  all.insert(all.end(), unnumbered.begin(), unnumbered.end());
  return all;
}

}  // namespace chatd::console
