#include "core/rooms.hpp"

#include <algorithm>
#include <cassert>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace chatd::core {

Rooms::Number Rooms::find(std::string_view name) {
  if (name.empty()) return 0;
  const auto place = std::find_if(rooms_.begin(), rooms_.end(),
                                  [name](const Room& room) { return room.name == name; });
  if (place == rooms_.end()) {
    if (rooms_.size() == kMost) return 0;
    rooms_.push_back({std::string{name}, {}});
    return static_cast<Number>(rooms_.size());
  }
  return static_cast<Number>(place - rooms_.begin() + 1);
}

void Rooms::enter(Number room, Slot slot) {
  if (room == 0) return;
  assert(exists(room));
  rooms_[room - 1U].members.push_back(slot);
}

void Rooms::leave(Number room, Slot slot) {
  if (room == 0) return;
  assert(exists(room));
  const auto gone = std::erase(rooms_[room - 1U].members, slot);
  assert(gone == 1);
  (void)gone;
}

const std::vector<Slot>& Rooms::members(Number room) const {
  assert(exists(room));
  return rooms_[room - 1U].members;
}

void Rooms::save(ByteWriter& out) const {
  out.number<std::uint64_t>(rooms_.size());
  for (const Room& room : rooms_) out.text(room.name);
}

void Rooms::restore(ByteReader& in) {
  assert(rooms_.empty());
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    const auto name = in.text();
    const auto next = rooms_.size() + 1;
    in.require(!name.empty() && is_utf8(name) && find(name) == next);
  }
}

}  // namespace chatd::core
