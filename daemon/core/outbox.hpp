/// What the core wants done. The core appends effects here, and Connections::deliver alone
/// turns them into writes, flow control, closes and events. One Outbox lives as long as the
/// chat and is cleared after each delivery; it keeps its memory, so that a message costs no
/// allocation.
///
/// Invariant: events stand in the order in which they happened; the numbers that operators
/// know them by are not the core's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_kinds.hpp"
#include "base/payload.hpp"

namespace chatd::core {

/// Counts up from 1; never used again.
using SessionId = std::uint64_t;
/// A dense number for a connected client, chosen by whoever calls the core; used again
/// after the client has gone.
using Slot = std::uint32_t;
/// The number of a message that is held: it counts up within its session, from 1.
using MessageNumber = std::uint64_t;

/// Bytes for a client.
struct Write {
  Slot slot;
  Payload bytes;
};

/// The session has ended. What was written before still goes out, then an end of file; whoever
/// closes the connection tells Router::closed() when that has arrived. `at_once`: what was
/// not sent yet is forgotten, and the core has no session at `slot` any more; then `last_words` are
/// written after all, if there are any. They stand for no message.
struct Close {
  Slot slot;
  bool at_once;
  Payload last_words{};
};

/// The client does not read: its connection ends at once, with what waits for it. The core
/// has no session at `slot` any more.
struct Abort {
  Slot slot;
};

/// Whether the client is read from.
struct Flow {
  Slot slot;
  bool reading;
};

/// What became of an operator's message at once.
enum class SendState : std::uint8_t { kSent, kHeld, kLost };

/// What happened to a session, for operators to hear of: each kind up to kNoted. Texts
/// are ranges of Outbox::text(), because they live only as long as the Outbox is not
/// cleared. A member whose comment names no kind is there for every kind.
struct Event {
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  SessionId session = 0;      ///< 0 where `sessions` is used
  MessageNumber message = 0;  ///< kDelivered; kSent: if it is held for this one session
  Range sessions;             ///< kSent to several, or to all: of Outbox::ids()
  Range messages;             ///< kSent, held for those: of Outbox::messages(), one for each
  Range text;                 ///< message, sent text, reason, name or note; kClaimed: from whom
  Range operator_name;        ///< kSent, kNamed, kClaimed, kReleased, kNoted
  Range by;                   ///< kClaimed: who gave it, if not its holder
  Slot slot = 0;              ///< the session's; not of kSent, nor of what operators do
  std::uint32_t lost = 0;     ///< kDisconnected: messages that it never got
  EventKind kind{};
  SendState state{};       ///< kSent
  bool cut = false;        ///< kMessage
  bool automatic = false;  ///< kSent: for the operators, who are away; kNamed: by its network
};

class Outbox {
 public:
  /// Appends an event. The reference is valid until the next call.
  Event& add(EventKind kind, SessionId session);

  /// Keeps a text for an event of this delivery.
  Event::Range keep(std::string_view text);

  void write(Slot slot, Payload bytes) { writes_.push_back({slot, std::move(bytes)}); }
  void close(Slot slot) { closes_.push_back({slot, false}); }
  void close_at_once(Slot slot, Payload last_words) {
    closes_.push_back({slot, true, std::move(last_words)});
  }
  void abort(Slot slot) { aborts_.push_back({slot}); }
  void flow(Slot slot, bool reading) { flows_.push_back({slot, reading}); }

  [[nodiscard]] std::string_view text(Event::Range range) const {
    return std::string_view{text_}.substr(range.begin, range.size);
  }
  [[nodiscard]] std::span<const SessionId> ids(Event::Range range) const {
    return std::span{ids_}.subspan(range.begin, range.size);
  }
  [[nodiscard]] std::span<const MessageNumber> messages(Event::Range range) const {
    return std::span{messages_}.subspan(range.begin, range.size);
  }

  /// Keeps ids, or numbers of messages, for an event of this delivery.
  Event::Range keep_ids(std::span<const SessionId> ids) { return keep(ids_, ids); }
  Event::Range keep_messages(std::span<const MessageNumber> numbers) {
    return keep(messages_, numbers);
  }

  /// The bytes of the writes from the one with index `first` on.
  [[nodiscard]] std::size_t written_bytes(std::size_t first) const;
  /// Forgets those of them that are to `slot`, and returns for how many messages they stood.
  std::uint32_t take_back_writes(Slot slot, std::size_t first);

  [[nodiscard]] std::vector<Event>& events() { return events_; }
  [[nodiscard]] const std::vector<Write>& writes() const { return writes_; }
  [[nodiscard]] const std::vector<Close>& closes() const { return closes_; }
  [[nodiscard]] const std::vector<Abort>& aborts() const { return aborts_; }
  [[nodiscard]] const std::vector<Flow>& flows() const { return flows_; }

  [[nodiscard]] bool empty() const {
    return events_.empty() && writes_.empty() && closes_.empty() && aborts_.empty() &&
           flows_.empty();
  }
  /// Forgets all effects.
  void clear();
  /// Gives back the memory that clear() keeps for the next effects. It must be empty.
  void release_memory();
  [[nodiscard]] std::size_t retained_bytes() const;

 private:
  static Event::Range keep(std::vector<std::uint64_t>& kept,
                           std::span<const std::uint64_t> numbers);

  std::vector<Write> writes_;
  std::vector<Close> closes_;
  std::vector<Abort> aborts_;
  std::vector<Flow> flows_;
  std::vector<Event> events_;
  std::vector<SessionId> ids_;
  std::vector<MessageNumber> messages_;
  std::string text_;
};

}  // namespace chatd::core
