/// The time in which no operator listens: what clients say then waits in the transcript, and an
/// operator who comes is told how much of it there is. Knows no connection: it is told when an
/// operator begins or ends to listen.
#pragma once

#include <cstddef>
#include <cstdint>

#include "clients/sessions.hpp"
#include "core/outbox.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"

namespace chatd {

class Unattended {
 public:
  /// Goes on from what `transcript` knows; it may be null.
  Unattended(const Sessions& sessions, const Journal& journal, Transcript* transcript);

  /// One operator more listens to events, and one less.
  void came();
  void left();

  /// How many messages clients have sent since the last listener left; 0 while one is there. Those
  /// that the transcript has from before are counted little by little: it may be more in a moment.
  [[nodiscard]] std::uint64_t unread() const;
  /// Whether all of them are counted.
  [[nodiscard]] bool is_counted() const;
  /// The number of the last event that somebody listened to. An operator who subscribes since
  /// then misses nothing.
  [[nodiscard]] Seq attended() const;

 private:
  const Sessions& sessions_;
  const Journal& journal_;
  Transcript* transcript_;
  std::size_t listeners_ = 0;
  Seq attended_;
  bool goes_on_ = true;  ///< nobody has listened to this process: what was unread before still is
  std::uint64_t messages_then_ = 0;  ///< messages there had been when the last listener left
};

}  // namespace chatd
