/// What the chat can be told: the part of the configuration that core acts on.
/// Names are those of chatd.toml. A reload replaces the whole; sessions follow
/// the new values from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace chatd::core {

/// How a client is to be understood. kAuto: found out from its bytes. kWebSocket: frames, after the
/// opening handshake. kWeb: whole texts, which others have understood; see Router::say().
enum class DialectSetting : std::uint8_t {
  kAuto,
  kOriginal,
  kLine,
  kTelnet,
  kRaw,
  kWebSocket,
  kWeb,
};

/// Bytes that the original client reads at once, `recv(1024)`; also all that the
/// original server could read, so a message up to here is whole without a delay.
inline constexpr std::size_t kOriginalRead = 1024;

/// A client that has said nothing for this long since it connected is a person.
inline constexpr Duration kSilence{1000};

/// Nobody who closes the sending side behind what it said does so later than this. Until then
/// the daemon says nothing for itself: a script would take it for its answer.
inline constexpr Duration kEndWithWords{100};

/// How long the rest of a UTF-8 character is waited for.
inline constexpr Duration kCharacterWait{1000};

/// A WebSocket to which nothing was written for so long is pinged: there are proxies that end one
/// in which the server is silent for a minute.
inline constexpr Duration kPingAfter{30'000};

/// Zero means "never" for a duration.
struct Settings {
  std::string greeting;                  ///< not to original and raw clients; empty: none
  std::string farewell;                  ///< to them when the daemon stops; empty: none
  std::size_t max_message = 8 * 1024;    ///< bytes of one client message, before repair
  Duration settle{50};                   ///< quiet after which undecided bytes are original
  Duration original_hold{10'000};        ///< after which a held message goes out anyway
  Duration bye_grace{30'000};            ///< for the original client's own bye
  Duration answer_timeout{600'000};      ///< for the answer to a half-closed asker
  Duration idle_timeout{0};              ///< without a byte from or to the client
  double messages_per_second = 50;       ///< of one session, on average
  double messages_burst = 200;           ///< of one session, at once
  std::size_t output_hard = 256 * 1024;  ///< bytes held or queued for one session
};

}  // namespace chatd::core
