/// What the core wants done. The core never calls out: it appends effects here,
/// and Clients::deliver alone turns them into writes, flow control, closes and
/// events. One Outbox lives as long as the chat and is cleared after each
/// delivery; it keeps its memory, so that a message costs no allocation, and it
/// numbers the events.
///
/// Invariant: events stand in the order of their numbers, without a gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.hpp"

namespace chatd::core {

/// Counts up from 1; never used again.
using SessionId = std::uint64_t;
/// A dense number for a connected client, chosen by the wiring; used again after
/// the client has gone.
using Slot = std::uint32_t;
/// The number of an event, counting up by one over all events, from 1.
using Seq = std::uint64_t;

/// Bytes for a client.
struct Write {
  Slot slot;
  Payload bytes;
};

/// The session is over. What was written before still goes out, then an end of
/// file. `slot` means nothing to the core from then on.
struct Close {
  Slot slot;
};

/// Whether the client is read from.
struct Flow {
  Slot slot;
  bool reading;
};

enum class EventType : std::uint8_t {
  kConnected,
  kMessage,
  kSent,
  kDelivered,
  kDisconnected,
  kNamed,
  kClaimed,
  kReleased,
  kBanned,
  kUnbanned,
  kOperator,
  kWarning,  ///< the daemon has to say something to everybody: `text`
};

enum class SendState : std::uint8_t { kSent, kHeld, kLost };

/// What operators hear of. Texts are ranges of Outbox::text(), because they live
/// only as long as the Outbox is not cleared.
struct Event {
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  Seq seq = 0;
  Seq ref = 0;            ///< kDelivered: the `sent` event that said "held"
  SessionId session = 0;  ///< 0 where `sessions` is used, or for kOperator
  Slot slot = 0;          ///< kConnected: the session's slot
  Range sessions;         ///< kSent to several: of Outbox::ids()
  Range text;             ///< message, sent text, reason, name or state; kClaimed: from whom;
                          ///< kBanned, kUnbanned: the network
  Range detail;           ///< kBanned: until when; kOperator: what one who is away says
  Range operator_name;
  std::uint32_t lost = 0;  ///< kDisconnected: messages that it never got
  EventType type{};
  SendState state{};       ///< kSent
  bool cut = false;        ///< kMessage
  bool automatic = false;  ///< kSent: for the operators, who are away
};

class Outbox {
 public:
  explicit Outbox(Seq last_seq = 0) : last_seq_{last_seq} {}

  /// Appends an event with the next number. The reference is valid until the next
  /// call.
  Event& add(EventType type, SessionId session);

  /// Keeps a text for an event of this delivery.
  Event::Range keep(std::string_view text);

  void write(Slot slot, Payload bytes) { writes_.push_back({slot, std::move(bytes)}); }
  void close(Slot slot) { closes_.push_back({slot}); }
  void flow(Slot slot, bool reading) { flows_.push_back({slot, reading}); }

  [[nodiscard]] std::string_view text(Event::Range range) const {
    return std::string_view{text_}.substr(range.begin, range.size);
  }
  [[nodiscard]] std::span<const SessionId> ids(Event::Range range) const {
    return std::span{ids_}.subspan(range.begin, range.size);
  }

  [[nodiscard]] std::vector<Event>& events() { return events_; }
  [[nodiscard]] std::vector<SessionId>& ids() { return ids_; }
  [[nodiscard]] const std::vector<Write>& writes() const { return writes_; }
  [[nodiscard]] const std::vector<Close>& closes() const { return closes_; }
  [[nodiscard]] const std::vector<Flow>& flows() const { return flows_; }
  [[nodiscard]] Seq last_seq() const { return last_seq_; }

  [[nodiscard]] bool empty() const {
    return events_.empty() && writes_.empty() && closes_.empty() && flows_.empty();
  }
  /// Forgets all effects; the numbering goes on.
  void clear();
  /// Gives back the memory that clear() keeps for the next effects. It must be empty.
  void release_memory();
  [[nodiscard]] std::size_t retained_bytes() const;

 private:
  std::vector<Write> writes_;
  std::vector<Close> closes_;
  std::vector<Flow> flows_;
  std::vector<Event> events_;
  std::vector<SessionId> ids_;
  std::string text_;
  Seq last_seq_;
};

}  // namespace chatd::core
