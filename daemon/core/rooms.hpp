/// Who is in which room: clients that came by a listener with a `room` hear each other. What they
/// say is passed on by Router (passing_on.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbox.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

class Rooms {
 public:
  /// A room; 0: none. It keeps its number as long as this lives, and in the next process.
  using Number = std::uint8_t;
  static constexpr std::size_t kMost = 255;

  /// The number of the room with that name, which is made if there is none. 0 for no name, or
  /// if there are kMost rooms.
  [[nodiscard]] Number find(std::string_view name);
  [[nodiscard]] bool exists(Number room) const { return room > 0 && room <= rooms_.size(); }

  /// Who is not there yet comes, and who is there leaves. Nothing happens for room 0.
  void enter(Number room, Slot slot);
  void leave(Number room, Slot slot);
  /// In the order in which they came. The room exists.
  [[nodiscard]] const std::vector<Slot>& members(Number room) const;

  /// Writes down the names of all rooms, and reads them into one that has none yet.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  struct Room {
    std::string name;
    std::vector<Slot> members;
  };

  std::vector<Room> rooms_;  ///< the one with number 1 is the first
};

}  // namespace chatd::core
