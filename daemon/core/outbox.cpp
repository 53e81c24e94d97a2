#include "core/outbox.hpp"

#include <algorithm>
#include <cassert>

#include "base/memory.hpp"

namespace chatd::core {

Event& Outbox::add(EventKind kind, SessionId session) {
  assert(kind <= EventKind::kNoted);
  Event& event = events_.emplace_back();
  event.session = session;
  event.kind = kind;
  return event;
}

Event::Range Outbox::keep(std::string_view text) {
  const auto begin = static_cast<std::uint32_t>(text_.size());
  text_ += text;
  return {begin, static_cast<std::uint32_t>(text.size())};
}

Event::Range Outbox::keep(std::vector<std::uint64_t>& kept,
                          std::span<const std::uint64_t> numbers) {
  const auto begin = static_cast<std::uint32_t>(kept.size());
  kept.insert(kept.end(), numbers.begin(), numbers.end());
  return {begin, static_cast<std::uint32_t>(numbers.size())};
}

std::size_t Outbox::written_bytes(std::size_t first) const {
  std::size_t sum = 0;
  for (std::size_t i = first; i < writes_.size(); ++i) sum += writes_[i].bytes.size();
  return sum;
}

std::uint32_t Outbox::take_back_writes(Slot slot, std::size_t first) {
  std::uint32_t messages = 0;
  const auto begin = writes_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto taken = std::remove_if(begin, writes_.end(), [&](const Write& write) {
    if (write.slot == slot) messages += write.bytes.weight();
    return write.slot == slot;
  });
  writes_.erase(taken, writes_.end());
  return messages;
}

void Outbox::clear() {
  empty_out(writes_);
  empty_out(closes_);
  empty_out(aborts_);
  empty_out(flows_);
  empty_out(events_);
  empty_out(ids_);
  empty_out(messages_);
  empty_out(text_);
}

void Outbox::release_memory() {
  assert(empty());
  give_back(writes_);
  give_back(closes_);
  give_back(aborts_);
  give_back(flows_);
  give_back(events_);
  give_back(ids_);
  give_back(messages_);
  give_back(text_);
}

std::size_t Outbox::retained_bytes() const {
  return chatd::retained_bytes(writes_) + chatd::retained_bytes(closes_) +
         chatd::retained_bytes(aborts_) + chatd::retained_bytes(flows_) +
         chatd::retained_bytes(events_) + chatd::retained_bytes(ids_) +
         chatd::retained_bytes(messages_) + chatd::retained_bytes(text_);
}

}  // namespace chatd::core
