#include "operators/unattended.hpp"

#include <cassert>

namespace chatd {

Unattended::Unattended(const Sessions& sessions, const Journal& journal, Transcript* transcript)
    : sessions_{sessions},
      journal_{journal},
      transcript_{transcript},
      attended_{transcript == nullptr ? journal.last_seq() : transcript->opened().attended},
      unread_before_{transcript == nullptr ? 0 : transcript->opened().unread} {}

void Unattended::came() {
  if (listeners_++ == 0 && transcript_ != nullptr) transcript_->attended(store::kAttending);
}

void Unattended::left() {
  assert(listeners_ > 0);
  if (--listeners_ > 0) return;
  attended_ = journal_.last_seq();
  unread_before_ = 0;
  messages_then_ = sessions_.messages_in();
  if (transcript_ != nullptr) transcript_->attended(attended_);
}

std::uint64_t Unattended::unread() const {
  assert(sessions_.messages_in() >= messages_then_);
  return listeners_ > 0 ? 0 : unread_before_ + sessions_.messages_in() - messages_then_;
}

Seq Unattended::attended() const {
  return listeners_ > 0 ? journal_.last_seq() : attended_;
}

}  // namespace chatd
