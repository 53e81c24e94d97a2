/// The connections of clients, each at the slot by which the router knows its session. What a
/// client sends goes to the router; what the core wants done, which is in outbox(), becomes
/// writes, closes and events in deliver(), and nowhere else. Wakes the core when it is time.
///
/// Invariant: a slot has a session in the router as long as its stream is open; while it closes,
/// as long as something that was written to it is not acknowledged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/accounts.hpp"
#include "clients/doors.hpp"
#include "clients/heap_trim.hpp"
#include "clients/reading_queue.hpp"
#include "core/capacity.hpp"
#include "core/outbox.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "io/loop.hpp"
#include "io/peer.hpp"
#include "io/saved_stream.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"

namespace chatd {

class Connections : private io::StreamListener, public core::Capacity {
 public:
  /// What is known of a client besides its session.
  struct Client {
    io::Peer peer;
    Doors::Index listener = 0;
    Accounts::Number account = Accounts::kNone;
    bool gone = false;  ///< nothing can be written any more; what was unsent is counted
  };
  /// The connection at a slot is closed; the slot may be used again.
  using Closed = std::function<void(core::Slot slot, const Client& client)>;

  /// `router` asks this for room, and may be made after this. Everything must outlive this but
  /// the router, which is not called any more when this is destroyed.
  Connections(io::Loop& loop, core::Router& router, Accounts& accounts, Journal& journal,
              const Doors& doors, io::StreamLimits limits, Closed on_closed);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void set_limits(io::StreamLimits limits) { streams_.set_limits(limits); }

  /// Begins to read from `socket`. A session is the caller's to make, before anything is read.
  /// Errors: it cannot be watched; the socket is closed then.
  [[nodiscard]] Result<core::Slot> add(UniqueFd socket, const Client& client);
  /// Goes on with a connection of another process, as add().
  [[nodiscard]] Result<core::Slot> restore(UniqueFd socket, io::SavedStream saved,
                                           const Client& client);
  /// Ends one that has no session, as gently as others.
  void dismiss(core::Slot slot) { (void)streams_.close(slot); }
  /// Waits no longer for those that close: what they have not acknowledged is lost.
  void give_up_closing();
  /// Writes down what waits for one of slots(), for restore(). Returns its descriptor, which
  /// stays ours.
  int save(core::Slot slot, ByteWriter& out) { return streams_.save(slot, out); }

  /// Where the core puts what it wants done; to be delivered in the same turn.
  [[nodiscard]] core::Outbox& outbox() { return outbox_; }
  /// Does what is in the outbox. Returns the slots that it has filled beyond output_soft.
  std::vector<core::Slot> deliver();
  /// Reads those who could not be read when something came from them, as far as this turn allows;
  /// to be called at the end of each turn. With `slowly`, because somebody does not keep up with
  /// what is said, nobody is read much who says much.
  void read_waiting(bool slowly);
  /// Sends what can be sent; to be called at the end of each turn, after that.
  void flush() { streams_.flush(); }
  /// The same without a limit: no turn follows.
  void flush_all() { streams_.flush_all(); }

  /// All that are open or closing, in ascending order.
  [[nodiscard]] std::vector<core::Slot> slots() const;
  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  [[nodiscard]] const Client& client(core::Slot slot) const { return clients_[slot]; }
  /// The name of the listener by which a client came.
  [[nodiscard]] const std::string& listener(core::Slot slot) const;
  /// The client's socket, which from now on other processes may share.
  [[nodiscard]] int share_socket(core::Slot slot) { return streams_.share(slot); }
  /// Bytes that wait to be sent, to all clients, and to one.
  [[nodiscard]] std::size_t queued_bytes() const { return streams_.queued_bytes(); }
  [[nodiscard]] std::size_t queued_bytes(core::Slot slot) const {
    return streams_.queued_bytes(slot);
  }
  /// Bytes that were read from clients, by this process.
  [[nodiscard]] std::uint64_t read_bytes() const { return read_bytes_; }
  /// Bytes that a slot's client has taken.
  [[nodiscard]] std::uint64_t sent_bytes(core::Slot slot) const;
  /// Called when a slot that was congested has room again, or has gone.
  void on_relieved(std::function<void(core::Slot)> callback) { relieved_ = std::move(callback); }

  [[nodiscard]] bool has_room(core::Slot slot, std::size_t bytes) override;
  [[nodiscard]] std::uint32_t unsent(core::Slot slot) const override;

 private:
  [[nodiscard]] bool may_read(io::StreamId id) override;
  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_drained(io::StreamId id) override;
  void on_clear(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  void remember(core::Slot slot, const Client& client);
  void say_closed(core::Slot slot, std::uint32_t lost);
  bool write(const core::Write& write);
  void close(const core::Close& close);
  void abort(core::Slot slot);
  void write_down_events();
  void charge(const core::Event& event, Event& line);
  [[nodiscard]] bool has_heard_enough() const;
  void tick();
  void release_memory();

  io::Loop& loop_;
  core::Router& router_;
  Accounts& accounts_;
  Journal& journal_;
  const Doors& doors_;
  Closed closed_;
  std::function<void(core::Slot)> relieved_;
  core::Outbox outbox_;
  std::vector<Client> clients_;  ///< by slot
  ReadingQueue reading_;
  bool slowly_ = false;  ///< as read_waiting() was told last
  std::uint64_t read_bytes_ = 0;
  io::StreamSet streams_;
  io::Timer timer_;          ///< the core's next deadline
  io::Timer reading_timer_;  ///< when somebody in reading_ may be read who may not now
  HeapTrim trim_;
};

}  // namespace chatd
