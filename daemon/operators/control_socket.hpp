/// The connections of operators: lines that come in, bytes that go out, and when an operator is
/// not listened to. Knows neither a request nor an event.
///
/// Invariant: for each connection that is admitted the listener hears on_connected(), then any
/// number of on_line() and on_drained(), then one on_left(), and nothing after that.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/connections.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
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
  /// So little waits for the connection again that there is room for events.
  virtual void on_drained(OperatorId id) = 0;
  /// `why` is not empty if the connection ends for something that it did.
  virtual void on_left(OperatorId id, std::string_view why) = 0;
};

class ControlSocket : private io::StreamListener {
 public:
  /// A connection's queue is filled with events up to this many bytes; while more wait, its
  /// requests are not read.
  static constexpr std::size_t kHighBytes = 256UL * 1024;
  /// The most answers of one connection that may be due later.
  static constexpr std::size_t kMaxDeferred = 16;

  ControlSocket(io::Loop& loop, Connections& clients, ConnectionListener& listener);
  ~ControlSocket() override;
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  /// Begins to serve `socket`, which is connected to a process of `user`. Errors are logged.
  [[nodiscard]] Result<> admit(UniqueFd socket, const std::string& user, bool is_own);
  /// Sends `answer` alone, then an end of file. The listener does not hear of it.
  void refuse(UniqueFd socket, std::string_view answer);

  /// Queues the answers that are at hand, and `bytes` behind them. An operator for whom too
  /// much waits has to leave, inside this call.
  void write(OperatorId id, std::string_view bytes);
  /// Queues events. The same holds.
  void send(OperatorId id, Payload events);
  /// Says goodbye: the operator gets what is queued for it, then an end of file. Nothing
  /// happens if it is leaving already.
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
  /// Promises an answer to `request`; a connection whose peer has ended stays for it. Nothing
  /// if kMaxDeferred are due already.
  [[nodiscard]] std::optional<Deferred> defer(OperatorId id, std::string_view request);
  /// Keeps the promise, once: a line, with its LF. Nothing happens if the connection has gone.
  void answer(const Deferred& deferred, std::string_view line);

  /// Whether it is there, and not leaving.
  [[nodiscard]] bool has(OperatorId id) const;
  /// All that are there, and not leaving.
  [[nodiscard]] std::vector<OperatorId> all() const;
  /// The socket of one that is there.
  [[nodiscard]] int descriptor(OperatorId id) const { return streams_.descriptor(id); }
  [[nodiscard]] std::size_t queued_bytes(OperatorId id) const { return streams_.queued_bytes(id); }
  [[nodiscard]] std::uint64_t sent_bytes(OperatorId id) const { return streams_.sent_bytes(id); }
  /// Connections that are there, and not leaving.
  [[nodiscard]] std::size_t count() const { return count_; }

  /// Sends what waits. To be called at the end of each turn, after the events of the turn.
  void flush() { streams_.flush(); }
  /// Does and answers what has arrived already, or refuses it where it would have to wait for
  /// a client. Returns whether an answer is still due later.
  [[nodiscard]] bool finish_requests();
  /// Everybody leaves. `done` is called when the last connection has gone, maybe inside this
  /// call.
  void stop(std::function<void()> done);

 private:
  struct Connection {
    std::uint64_t number;      ///< never used again
    std::string pending;       ///< bytes that are not processed yet
    std::string answers;       ///< to the lines that are being worked on; one write for all
    std::size_t deferred = 0;  ///< answers that are due later
    bool leaving = false;
    bool ended = false;       ///< its peer will send no more
    bool processing = false;  ///< a line of it is being worked on
  };

  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_drained(io::StreamId id) override;
  void on_clear(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  Result<OperatorId> adopt(UniqueFd socket);
  [[nodiscard]] Connection& at(OperatorId id) const {
    assert(id < connections_.size() && connections_[id]);
    return *connections_[id];
  }
  [[nodiscard]] bool must_wait(OperatorId id) const;
  void process(OperatorId id);
  void refuse_requests(OperatorId id);

  io::Loop& loop_;
  ConnectionListener& listener_;
  std::vector<std::unique_ptr<Connection>> connections_;  ///< by stream
  std::size_t count_ = 0;                                 ///< of those that are not leaving
  std::uint64_t last_number_ = 0;
  std::function<void()> stopped_;
  SlowClients slow_clients_;
  io::StreamSet streams_;
};

}  // namespace chatd
