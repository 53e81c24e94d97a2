/// What the core asks before it says that a message was sent: whether the client's connection
/// takes it. Whoever has the connections answers; nothing else is ever asked by the core.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/outbox.hpp"

namespace chatd::core {

class Capacity {
 public:
  virtual ~Capacity() = default;
  /// Whether so many bytes can be written to the client now, besides those that wait.
  [[nodiscard]] virtual bool has_room(Slot slot, std::size_t bytes) = 0;
  /// How many of the messages that were written to it are not wholly sent. Asked where they
  /// are all lost, with the session that ends at once.
  [[nodiscard]] virtual std::uint32_t unsent(Slot slot) const = 0;
};

}  // namespace chatd::core
