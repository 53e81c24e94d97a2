#include "operators/unattended.hpp"

#include <cassert>

namespace chatd {

Unattended::Unattended(const Sessions& sessions, const Journal& journal, Transcript* transcript)
    : sessions_{sessions},
      journal_{journal},
      transcript_{transcript},
      attended_{transcript == nullptr ? journal.last_seq() : transcript->opened().attended} {}

void Unattended::came() {
  if (listeners_++ == 0 && transcript_ != nullptr) transcript_->attended(store::kAttending);
}

void Unattended::left() {
  assert(listeners_ > 0);
  if (--listeners_ > 0) return;
  attended_ = journal_.last_seq();
  goes_on_ = false;
  messages_then_ = sessions_.messages_in();
  if (transcript_ != nullptr) transcript_->attended(attended_);
}

std::uint64_t Unattended::unread() const {
  assert(sessions_.messages_in() >= messages_then_);
  if (listeners_ > 0) return 0;
  const auto before = goes_on_ && transcript_ != nullptr ? transcript_->unread().messages : 0;
  return before + sessions_.messages_in() - messages_then_;
}

bool Unattended::is_counted() const {
  return listeners_ > 0 || !goes_on_ || transcript_ == nullptr || transcript_->unread().is_known();
}

Seq Unattended::attended() const {
  return listeners_ > 0 ? journal_.last_seq() : attended_;
}

}  // namespace chatd
