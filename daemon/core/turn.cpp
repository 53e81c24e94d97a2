#include "core/turn.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/text.hpp"

namespace chatd::core {

namespace {

/// Longer than bytes take to reach a client.
constexpr Duration kTransit{1000};

}  // namespace

std::vector<MessageNumber> Turn::numbers() const {
  std::vector<MessageNumber> all;
  for (const Held& held : held_) {
    if (!held.bye) all.push_back(held.number);
  }
  return all;
}

void Turn::heard(Time now, Time read_by) {
  forget_read(now);
  listening_ = true;
  if (!std::exchange(read_known_, false) && !unread_.empty()) forget(1);
  answered_ = static_cast<std::size_t>(
      std::count_if(unread_.begin(), unread_.end(),
                    [now](const Chunk& chunk) { return chunk.sent + kTransit <= now; }));
  read_by_ = read_by;
}

void Turn::forget_read(Time now) {
  if (answered_ == 0 || now < read_by_) return;
  forget(std::exchange(answered_, 0));
  // The read that its next message tells of is among them.
  read_known_ = true;
}

void Turn::forget(std::size_t chunks) {
  for (std::size_t i = 0; i < chunks; ++i) unread_bytes_ -= unread_[i].size;
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(chunks));
}

void Turn::sent(std::size_t size, Time now) {
  listening_ = false;
  unread_.push_back({now, size});
  unread_bytes_ += size;
  assert(unread_bytes_ <= kOriginalRead);
}

void Turn::hold(Payload text, MessageNumber number, Time due) {
  assert(number > 0 && (held_.empty() || held_.back().number < number));
  push({std::move(text), 0, number, due, false});
  ++held_count_;
}

void Turn::hold_bye(Time due) {
  push({Payload{"bye"}, 0, 0, due, true});
}

void Turn::push(Held held) {
  held_bytes_ += held.text.size();
  held_.push_back(std::move(held));
}

void Turn::pop() {
  held_bytes_ -= held_.front().rest().size();
  if (!held_.front().bye) --held_count_;
  held_.pop_front();
}

void Turn::let_out(Time now, LetOut& out) {
  forget_read(now);
  auto room = kOriginalRead - unread_bytes_;
  auto& bytes = out.bytes;
  const auto begin = bytes.size();
  while (!held_.empty() && (listening_ || held_.front().due <= now)) {
    Held& first = held_.front();
    const std::size_t joint = bytes.size() > begin ? 1 : 0;
    if (room <= joint) break;
    const auto rest = first.rest();
    const auto part = prefix_of(rest, room - joint);
    if (part.empty()) break;
    // A bye is a word of its own for the client: it is not sent in pieces.
    if (first.bye && part.size() < rest.size()) break;
    if (joint == 1) bytes += '\n';
    bytes += part;
    room -= joint + part.size();
    if (part.size() < rest.size()) {
      first.out += part.size();
      held_bytes_ -= part.size();
      break;
    }
    if (first.bye) {
      out.bye = true;
    } else {
      out.delivered.push_back(first.number);
    }
    pop();
  }
  if (bytes.size() > begin) sent(bytes.size() - begin, now);
}

Time Turn::deadline() const {
  if (held_.empty()) return kNever;
  const Held& first = held_.front();
  const auto part = prefix_of(first.rest(), kOriginalRead - unread_bytes_);
  const bool goes = first.bye ? part.size() == first.rest().size() : !part.empty();
  if (goes) return first.due;
  return answered_ > 0 ? read_by_ : kNever;  // then there is room
}

}  // namespace chatd::core
