/// The events by which operators know the messages that are held: the core numbers messages
/// within a session, and later events name the `sent` event that said "held".
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <utility>

#include "core/turn.hpp"
#include "events/event.hpp"

namespace chatd {

class HeldMessages : public core::KnownNumbers {
 public:
  /// Event `seq` says that these are held: `numbers` has one for each of `sessions`.
  void add(Seq seq, std::span<const core::SessionId> sessions,
           std::span<const core::MessageNumber> numbers);
  /// The message is held no more. Returns its event; it must be known.
  Seq remove(core::SessionId session, core::MessageNumber number);
  /// The session has gone, and all that is held for it.
  void remove_all(core::SessionId session);

  /// The event of a message that is held; it must be known.
  [[nodiscard]] Seq number_of(core::SessionId session, core::MessageNumber number) const override;
  [[nodiscard]] std::size_t size() const { return events_.size(); }

 private:
  std::map<std::pair<core::SessionId, core::MessageNumber>, Seq> events_;
};

}  // namespace chatd
