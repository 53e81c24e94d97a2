#include "events/held_messages.hpp"

#include <cassert>
#include <iterator>

namespace chatd {

void HeldMessages::add(Seq seq, std::span<const core::SessionId> sessions,
                       std::span<const core::MessageNumber> numbers) {
  assert(sessions.size() == numbers.size());
  auto next = events_.end();  // an event for thousands of sessions names them in their order
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    [[maybe_unused]] const auto before = events_.size();
    next = std::next(events_.emplace_hint(next, std::pair{sessions[i], numbers[i]}, seq));
    assert(events_.size() == before + 1);
  }
}

Seq HeldMessages::remove(core::SessionId session, core::MessageNumber number) {
  const auto place = events_.find({session, number});
  assert(place != events_.end());
  const Seq seq = place->second;
  events_.erase(place);
  return seq;
}

void HeldMessages::remove_all(core::SessionId session) {
  if (events_.empty()) return;
  events_.erase(events_.lower_bound({session, 0}), events_.lower_bound({session + 1, 0}));
}

Seq HeldMessages::number_of(core::SessionId session, core::MessageNumber number) const {
  const auto place = events_.find({session, number});
  assert(place != events_.end());
  return place->second;
}

}  // namespace chatd
