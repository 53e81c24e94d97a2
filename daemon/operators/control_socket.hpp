/// The connections of the control socket: lines that come in, bytes that go out, and when an
/// operator is not listened to. Knows neither a request nor an event.
///
/// Invariant: of each connection, on_connected() is followed by any number of on_line() and
/// on_drained(), and by one on_left(), after which nothing more is said of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/clients.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"
#include "log/refusal_log.hpp"
#include "operators/control_door.hpp"
#include "operators/slow_clients.hpp"

namespace chatd {

/// A connection, by its stream: used again after it has gone.
using OperatorId = io::StreamId;

/// Hears of the connections of one ControlSocket. Must outlive it.
class ConnectionListener {
 public:
  virtual ~ConnectionListener() = default;
  /// `user` is whoever is at the other end; `is_own`: it is this process.
  virtual void on_connected(OperatorId id, const std::string& user, bool is_own) = 0;
  /// A line without its LF. What is appended to `answers` goes out with others, soon.
  virtual void on_line(OperatorId id, std::string_view line, std::string& answers) = 0;
  /// The connection has taken so much that there is room for events again.
  virtual void on_drained(OperatorId id) = 0;
  /// `why` is not empty if the connection ends for something that it did.
  virtual void on_left(OperatorId id, std::string_view why) = 0;
};

class ControlSocket : private io::StreamListener {
 public:
  /// Up to so many bytes a connection's queue is filled with events, and while more wait its
  /// requests are not read.
  static constexpr std::size_t kHighBytes = 256UL * 1024;
  /// So many answers of one connection may be due later.
  static constexpr std::size_t kMaxDeferred = 16;

  ControlSocket(io::Loop& loop, Clients& clients, ConnectionListener& listener,
                std::size_t max_operators);
  ~ControlSocket() override;
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  /// Where connections come from. Who is connected stays, whatever becomes of it.
  [[nodiscard]] ControlDoor& door() { return door_; }

  /// Takes a connected socket, whoever is at its other end: the console of this process.
  [[nodiscard]] Result<> attach(UniqueFd socket);

  /// Does and answers what has arrived already, or refuses it where it would have to wait for
  /// a client.
  void finish_requests();
  /// Whether an answer is still due later.
  [[nodiscard]] bool has_deferred() const;

  /// Queues the answers that are at hand, and `bytes` behind them. Whoever does not take what
  /// waits for it leaves.
  void write(OperatorId id, std::string_view bytes);
  /// Queues events. The same holds.
  void send(OperatorId id, Payload events);
  /// Says goodbye: the operator gets what is queued for it, then an end of file.
  void leave(OperatorId id, std::string_view why);
  /// It has just written to clients; see SlowClients.
  void wrote_to_clients(OperatorId id, std::span<const core::Slot> congested) {
    slow_clients_.written_by(id, congested);
  }

  /// An answer that is due later, and to whom.
  struct Deferred {
    OperatorId id;
    std::uint64_t connection;  ///< its number: ids are used again
    std::string request;       ///< the id of the request, as JSON
  };
  /// Promises an answer to `request`. False if kMaxDeferred are due already.
  [[nodiscard]] bool can_defer(OperatorId id) const;
  [[nodiscard]] Deferred defer(OperatorId id, std::string_view request);
  /// Keeps the promise: a line, with its LF. Nothing happens if the connection has gone.
  void answer(const Deferred& deferred, std::string_view line);

  /// Which connection it is: never the same twice. It is connected.
  [[nodiscard]] std::uint64_t number_of(OperatorId id) const { return connections_[id]->number; }
  /// Whether it is there, and not about to leave.
  [[nodiscard]] bool has(OperatorId id) const;
  [[nodiscard]] std::size_t queued_bytes(OperatorId id) const { return streams_.queued_bytes(id); }
  [[nodiscard]] std::uint64_t sent_bytes(OperatorId id) const { return streams_.sent_bytes(id); }
  /// Ids are below this.
  [[nodiscard]] OperatorId end_of_ids() const {
    return static_cast<OperatorId>(connections_.size());
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  void set_max_operators(std::size_t count) { max_operators_ = count; }

  /// Sends what waits. To be called at the end of each turn, after the events of the turn.
  void flush() { streams_.flush(); }
  /// Calls `done` when the last connection has gone, maybe inside this call.
  void when_empty(std::function<void()> done);

 private:
  struct Connection {
    std::uint64_t number;
    std::string pending;       ///< bytes that are not processed yet
    std::string answers;       ///< to the lines that are being worked on; one write for all
    std::size_t deferred = 0;  ///< answers that are due later
    bool leaving = false;
    bool ended = false;       ///< it will send no more
    bool processing = false;  ///< a line of it is being worked on
  };

  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_drained(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  void accepted(UniqueFd socket);
  Result<OperatorId> admit(UniqueFd socket, const std::string& user, bool is_own);
  void refuse(OperatorId id, int code, const std::string& reason);
  [[nodiscard]] bool must_wait(OperatorId id) const;
  void process(OperatorId id);
  void refuse_requests(OperatorId id);

  io::Loop& loop_;
  ConnectionListener& listener_;
  ControlDoor door_;
  std::vector<std::unique_ptr<Connection>> connections_;  ///< by stream
  std::size_t count_ = 0;                                 ///< of those that do not leave
  std::size_t max_operators_;
  std::uint64_t last_number_ = 0;
  std::function<void()> empty_;
  SlowClients slow_clients_;
  io::Timer refusals_;
  RefusalLog refused_{"operator"};
  io::StreamSet streams_;
};

}  // namespace chatd
