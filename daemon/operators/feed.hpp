/// The stream of events, as each operator gets it: live, from the log of the last events, or
/// from the transcript.
///
/// Invariant: an operator who has subscribed gets every event after its cursor once and in
/// order, or is told how many it missed. One who is behind costs no memory: it is served from
/// the transcript and the log when it reads again, and leaves when 1 MiB waits for it and it
/// takes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/outbox.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "operators/control_socket.hpp"

namespace chatd {

class Feed {
 public:
  /// `transcript` may be null: then only what the log keeps can be replayed.
  Feed(io::Loop& loop, ControlSocket& socket, Journal& journal, Transcript* transcript);

  /// From now on `id` gets events: those after `since`, or those that are not sealed yet. One
  /// that has subscribed already begins anew.
  void subscribe(OperatorId id, std::optional<Seq> since);
  /// The operator has left.
  void forget(OperatorId id);
  /// There is room for what the operator missed.
  void drained(OperatorId id);

  /// What has happened goes to everybody who is live. To be called at the end of each turn, and
  /// before "now" is said to be after what has happened.
  void seal();

 private:
  struct Subscription {
    Seq cursor = 0;           ///< the last event that was queued for it, unless live
    bool live = false;        ///< it has every event up to the last sealed one in its queue
    std::uint64_t page = 0;   ///< the number of the page that it waits for; 0: none
    bool fetching = false;    ///< a page is under way, perhaps one that it waits for no more
    std::size_t behind = 0;   ///< bytes that the log has gone on since it was not live
    bool suspected = false;   ///< of not reading: too much waits for it
    std::uint64_t taken = 0;  ///< bytes that it had taken when it was looked at last
  };

  [[nodiscard]] Subscription* find(OperatorId id);
  void fall_behind(OperatorId id, Subscription& self, std::size_t bytes);
  void judge();
  void catch_up(OperatorId id);
  void fetch(OperatorId id, Seq upto);
  void page_came(OperatorId id, std::uint64_t number, const ReplayPage& page);

  ControlSocket& socket_;
  Journal& journal_;
  Transcript* transcript_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;  ///< by operator
  std::uint64_t last_page_ = 0;
  io::Timer patience_;
};

}  // namespace chatd
