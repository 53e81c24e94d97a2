/// The events that operators hear of: the one table of their words, members and readers.
/// The encoder of events, the log, the console and doc/protocol.md are held against it by
/// tests; an event that lacks its word, its sentence or its paragraph fails one of them.
///
/// Invariant: kEventWords has one row for each EventKind, in their order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatd {

enum class EventKind : std::uint8_t {
  kConnected,
  kMessage,
  kAsking,
  kSent,
  kDelivered,
  kDisconnected,
  kNamed,
  kClaimed,
  kReleased,
  kNoted,
  kBanned,
  kUnbanned,
  kOperator,
  kOps,
  kWriting,
  kWarning,
  kLagged,
};

/// Who hears of an event.
enum class Audience : std::uint8_t {
  kEverybody,  ///< every operator who has subscribed; it has a number and is recorded
  kOne,        ///< the one operator whom it is about; it has no number of its own, and no record
  kOthers,     ///< every operator who listens just now, but the one who caused it; it has no
               ///< number, no record, and nobody gets it later
};

/// The level at which an event is logged.
enum class EventLogging : std::uint8_t { kNotLogged, kTrace, kInfo, kWarning };

struct EventWord {
  EventKind kind;
  std::string_view word;  ///< the method of the notification
  /// The members of its params besides `seq` and `time`, in their order, separated by
  /// blanks; one that is not always there ends with '?'.
  std::string_view members;
  Audience audience;
  EventLogging logging;
};

inline constexpr std::array kEventWords{
    EventWord{EventKind::kConnected, "connected", "session address listener verified? via? tls?",
              Audience::kEverybody, EventLogging::kInfo},
    EventWord{EventKind::kMessage, "message", "session text cut?", Audience::kEverybody,
              EventLogging::kTrace},
    EventWord{EventKind::kAsking, "asking", "session", Audience::kEverybody, EventLogging::kTrace},
    EventWord{EventKind::kSent, "sent", "session operator text state automatic?",
              Audience::kEverybody, EventLogging::kTrace},
    EventWord{EventKind::kDelivered, "delivered", "session ref", Audience::kEverybody,
              EventLogging::kNotLogged},
    EventWord{EventKind::kDisconnected, "disconnected", "session reason lost?",
              Audience::kEverybody, EventLogging::kInfo},
    EventWord{EventKind::kNamed, "named", "session name operator? automatic?", Audience::kEverybody,
              EventLogging::kInfo},
    EventWord{EventKind::kClaimed, "claimed", "session operator from? by?", Audience::kEverybody,
              EventLogging::kInfo},
    EventWord{EventKind::kReleased, "released", "session operator", Audience::kEverybody,
              EventLogging::kInfo},
    EventWord{EventKind::kNoted, "noted", "session text operator", Audience::kEverybody,
              EventLogging::kTrace},
    EventWord{EventKind::kBanned, "banned", "address until? operator", Audience::kEverybody,
              EventLogging::kInfo},
    EventWord{EventKind::kUnbanned, "unbanned", "address operator?", Audience::kEverybody,
              EventLogging::kInfo},
    EventWord{EventKind::kOperator, "operator", "name state text?", Audience::kEverybody,
              EventLogging::kInfo},
    EventWord{EventKind::kOps, "ops", "operator text", Audience::kEverybody, EventLogging::kTrace},
    EventWord{EventKind::kWriting, "writing", "session operator", Audience::kOthers,
              EventLogging::kNotLogged},
    EventWord{EventKind::kWarning, "warning", "text", Audience::kEverybody, EventLogging::kWarning},
    EventWord{EventKind::kLagged, "lagged", "lost", Audience::kOne, EventLogging::kNotLogged},
};

[[nodiscard]] constexpr const EventWord& row_of(EventKind kind) {
  return kEventWords[static_cast<std::size_t>(kind)];
}

[[nodiscard]] constexpr std::string_view to_string(EventKind kind) {
  return row_of(kind).word;
}

/// Nothing for an unknown word, such as one of a newer daemon.
[[nodiscard]] constexpr std::optional<EventKind> event_kind_of(std::string_view word) {
  for (const EventWord& row : kEventWords) {
    if (row.word == word) return row.kind;
  }
  return {};
}

static_assert([] {
  for (std::size_t i = 0; i < kEventWords.size(); ++i) {
    if (static_cast<std::size_t>(kEventWords[i].kind) != i) return false;
  }
  return kEventWords.size() == static_cast<std::size_t>(EventKind::kLagged) + 1;
}());

}  // namespace chatd
