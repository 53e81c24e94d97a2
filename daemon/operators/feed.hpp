/// The stream of events, as each operator gets it: live, from the log of the last events, or
/// from the transcript.
///
/// Invariant: an operator who has subscribed gets every event after its cursor once and in
/// order, or is told how many it missed. One who is behind costs no memory: it is served from
/// the transcript and the log when it reads again, and has to leave when kMaxControlWaiting
/// bytes wait for it and it takes none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
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

  /// From now on `id` gets events: those after `since`, or without it those that are not sealed
  /// yet. One that has subscribed already begins anew.
  void subscribe(OperatorId id, std::optional<Seq> since);
  /// The operator has left.
  void forget(OperatorId id);
  /// There is room for what the operator missed.
  void drained(OperatorId id);

  /// Whether nobody lags behind who listens live and reads: whoever takes nothing for a second
  /// keeps nobody waiting, nor does who reads what is long past.
  [[nodiscard]] bool keeps_up();

  /// Queues a line for each of those who are live and `may_hear` it, which is no event of the
  /// journal: nobody gets it later.
  void tell(std::string_view line, const std::function<bool(OperatorId)>& may_hear);

  /// Queues what has happened for everybody who is live. To be called at the end of each turn,
  /// and before an operator is told that something begins now.
  void seal();

 private:
  struct Subscription {
    Seq cursor = 0;           ///< the last event that was queued for it, unless live
    bool live = false;        ///< it has every event up to the last sealed one in its queue
    bool was_live = false;    ///< since it has subscribed
    std::uint64_t page = 0;   ///< the number of the page that it waits for; 0: none
    std::uint64_t asked = 0;  ///< the number of the page that the transcript was asked for and has
                              ///< not given yet; not that of `page` if it has begun anew; 0: none
    std::size_t behind = 0;   ///< bytes of the events that were sealed while it was not live
    bool suspected = false;   ///< of not reading: too much waits for it
    Time behind_since = kNever;    ///< and has taken nothing since; kNever: it has what happened
    std::uint64_t taken_then = 0;  ///< bytes that it had taken by then
    std::uint64_t taken = 0;       ///< bytes that it had taken when it was looked at last
  };

  [[nodiscard]] Subscription* find(OperatorId id);
  void fall_behind(OperatorId id, Subscription& self, std::size_t bytes);
  void judge();
  void catch_up(OperatorId id);
  void fetch(OperatorId id, Seq upto);
  void page_came(OperatorId id, std::uint64_t number, const ReplayPage& page);
  [[nodiscard]] bool has_room(OperatorId id) const {
    return socket_.queued_bytes(id) <= ControlSocket::kHighBytes;
  }

  io::Loop& loop_;
  ControlSocket& socket_;
  Journal& journal_;
  Transcript* transcript_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;  ///< by operator
  std::uint64_t last_page_ = 0;
  bool sealing_ = false;
  io::Timer patience_;
};

}  // namespace chatd
