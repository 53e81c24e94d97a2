/// The time in which no operator listens: what clients say then waits in the transcript, and
/// whoever comes is told how much of it there is. Knows no connection: it is told who listens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "clients/clients.hpp"
#include "core/outbox.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"

namespace chatd {

class Unattended {
 public:
  /// Goes on from what `transcript` knows; it may be null.
  Unattended(const Clients& clients, const Journal& journal, Transcript* transcript);

  /// An operator listens to events from now on; and no more.
  void came();
  void left();

  /// Messages of clients since nobody listens; 0 while somebody does.
  [[nodiscard]] std::uint64_t unread() const;
  /// The number of the last event while somebody listened. Whoever subscribes since
  /// then misses nothing.
  [[nodiscard]] Seq attended() const;

 private:
  const Clients& clients_;
  const Journal& journal_;
  Transcript* transcript_;
  std::size_t listeners_ = 0;
  Seq attended_;
  std::uint64_t unread_before_;      ///< of them from before the last start
  std::uint64_t messages_then_ = 0;  ///< messages when the last listener left
};

}  // namespace chatd
