#include "clients/admission.hpp"

#include <cassert>

namespace chatd {

void Admission::set_limits(std::size_t sessions, std::size_t per_address) {
  max_sessions_ = sessions;
  max_per_address_ = per_address;
}

Admission::Answer Admission::admit(const Peer& peer) {
  if (sessions_ >= max_sessions_) return Answer::kTooMany;
  if (peer.has_address()) {
    auto& count = by_address_[peer.key()];
    if (max_per_address_ > 0 && count >= max_per_address_) return Answer::kTooManyFromAddress;
    ++count;
  }
  ++sessions_;
  return Answer::kYes;
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
