#include "clients/admission.hpp"

#include <cassert>

namespace chatd {

void Admission::set_limits(std::size_t sessions, std::size_t per_address) {
  max_sessions_ = sessions;
  max_per_address_ = per_address;
}

Admission::Answer Admission::ask(const Peer& peer) const {
  if (sessions_ >= max_sessions_) return Answer::kTooMany;
  if (!peer.has_address() || max_per_address_ == 0) return Answer::kYes;
  const auto place = by_address_.find(peer.key());
  const auto count = place == by_address_.end() ? 0 : place->second;
  return count >= max_per_address_ ? Answer::kTooManyFromAddress : Answer::kYes;
}

Admission::Answer Admission::admit(const Peer& peer) {
  const auto answer = ask(peer);
  if (answer == Answer::kYes) readmit(peer);
  return answer;
}

void Admission::readmit(const Peer& peer) {
  if (peer.has_address()) ++by_address_[peer.key()];
  ++sessions_;
}

void Admission::leave(const Peer& peer) {
  assert(sessions_ > 0);
  --sessions_;
  if (!peer.has_address()) return;
  const auto place = by_address_.find(peer.key());
  assert(place != by_address_.end());
  if (--place->second == 0) by_address_.erase(place);
}

}  // namespace chatd
