// Claims: which operator alone answers a session. An operator is its name here; whether
// somebody of that name is there is known to the operators' side alone.
#include <cassert>
#include <memory>
#include <utility>

#include "core/router.hpp"

namespace chatd::core {

Outcome Router::claim(SessionId id, Claim claim, bool force, std::string_view by, Outbox& outbox) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return Outcome::kNoSession;
  Session& session = *slots_[found->second];
  const Claim* before = session.claim();
  if (before == nullptr || before->holder != claim.holder) {
    if (before != nullptr && !force) return Outcome::kClaimed;
    const auto from = outbox.keep(before == nullptr ? std::string_view{} : before->holder);
    const auto holder = outbox.keep(claim.holder);
    const auto giver = outbox.keep(by);
    Event& event = outbox.add(EventKind::kClaimed, id);
    event.text = from;
    event.operator_name = holder;
    event.by = giver;
    claimed_.insert(id);
  }
  session.set_claim(std::make_unique<Claim>(std::move(claim)));
  note(session);
  return Outcome::kDone;
}

Outcome Router::release(SessionId id, std::string_view operator_name, Outbox& outbox) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return Outcome::kNoSession;
  Session& session = *slots_[found->second];
  if (session.is_anothers(operator_name)) return Outcome::kClaimed;
  if (session.claim() != nullptr) release(session, outbox);
  return Outcome::kDone;
}

void Router::release(Session& session, Outbox& outbox) {
  assert(session.claim() != nullptr && claimed_.contains(session.id()));
  const auto holder = outbox.keep(session.claim()->holder);
  outbox.add(EventKind::kReleased, session.id()).operator_name = holder;
  claimed_.erase(session.id());
  session.set_claim(nullptr);
  note(session);
}

void Router::release_if(const std::function<bool(std::string_view holder)>& gone, Outbox& outbox) {
  for (auto next = claimed_.begin(); next != claimed_.end();) {
    Session& session = *slots_[by_id_.at(*next++)];  // release() forgets it
    if (!session.claim()->stays && gone(session.claim()->holder)) release(session, outbox);
  }
}

}  // namespace chatd::core
