#include "core/outbox.hpp"

namespace chatd::core {

namespace {

/// A broadcast of the largest kind may make these buffers large; they are given
/// back then, so that one such moment does not stay with an idle daemon.
constexpr std::size_t kKeptBytes = 256 * 1024;

/// Assigning {} would keep the capacity.
template <class Buffer>
void give_back(Buffer& buffer) {
  Buffer{}.swap(buffer);
}

template <class Buffer>
std::size_t bytes_of(const Buffer& buffer) {
  return buffer.capacity() * sizeof(typename Buffer::value_type);
}

template <class Buffer>
void reset(Buffer& buffer) {
  buffer.clear();
  if (bytes_of(buffer) > kKeptBytes) give_back(buffer);
}

}  // namespace

Event& Outbox::add(EventType type, SessionId session) {
  Event& event = events_.emplace_back();
  event.seq = ++last_seq_;
  event.session = session;
  event.type = type;
  return event;
}

Event::Range Outbox::keep(std::string_view text) {
  const auto begin = static_cast<std::uint32_t>(text_.size());
  text_ += text;
  return {begin, static_cast<std::uint32_t>(text.size())};
}

void Outbox::clear() {
  reset(writes_);
  reset(closes_);
  reset(flows_);
  reset(events_);
  reset(ids_);
  reset(text_);
}

void Outbox::release_memory() {
  give_back(writes_);
  give_back(closes_);
  give_back(flows_);
  give_back(events_);
  give_back(ids_);
  give_back(text_);
}

std::size_t Outbox::retained_bytes() const {
  return bytes_of(writes_) + bytes_of(closes_) + bytes_of(flows_) + bytes_of(events_) +
         bytes_of(ids_) + bytes_of(text_);
}

}  // namespace chatd::core
