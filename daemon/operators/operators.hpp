/// The operators' side of the daemon: puts the control socket, its door, the requests, the feed
/// of events and the attendance together, and has no state beyond them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/clients.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "operators/attendance.hpp"
#include "operators/control_door.hpp"
#include "operators/control_socket.hpp"
#include "operators/feed.hpp"
#include "operators/requests.hpp"

namespace chatd {

class Operators : private ConnectionListener {
 public:
  /// Connections of nobody who counts as an operator, such as commands that come and go.
  static constexpr std::size_t kSpareConnections = 32;

  /// `transcript` may be null: then only what the log keeps can be replayed, and there
  /// is neither history nor search.
  Operators(io::Loop& loop, Clients& clients, Journal& journal, std::size_t max_operators,
            Requests::Hooks hooks, Transcript* transcript = nullptr);
  ~Operators() override;
  Operators(const Operators&) = delete;
  Operators& operator=(const Operators&) = delete;

  /// As ControlDoor::open().
  [[nodiscard]] Result<> listen(const std::string& path, const std::string& group) {
    return door_.open(path, group);
  }
  /// As ControlDoor::reopen(). Whoever is attached stays.
  [[nodiscard]] Result<> reopen() { return door_.reopen(); }
  /// As ControlDoor::set_group().
  [[nodiscard]] Result<> set_group(const std::string& group) { return door_.set_group(group); }
  /// As ControlDoor::ask_again().
  void ask_again() { door_.ask_again(); }
  /// Serves a connected socket, whoever is at its other end: the console of this process.
  [[nodiscard]] Result<> attach(UniqueFd socket);

  /// Does and answers what operators have asked for already, or refuses it where it would
  /// have to wait for a client. The loop stands still meanwhile, for two seconds at most.
  void finish_requests();
  /// Writes down the control socket, and who is there, for the next process and returns the
  /// socket's descriptor; with this all events are sealed. The connections of operators are left
  /// behind: operators come back by themselves, to the next process.
  int save(ByteWriter& out);
  /// As ControlDoor::restore(): to be called before listen().
  void restore(UniqueFd socket, ByteReader& in);
  /// As Attendance::await_return().
  void await_return() { attendance_.await_return(); }

  [[nodiscard]] std::size_t count() const { return socket_.count(); }
  void set_max_operators(std::size_t count) {
    attendance_.set_max_operators(count);
    door_.set_max_connections(count + spare_connections_);
  }
  /// At most so many connections may come beside those of as many operators as there may be:
  /// commands that come and go. kSpareConnections without this.
  void set_spare_connections(std::size_t count, std::size_t max_operators) {
    spare_connections_ = count;
    set_max_operators(max_operators);
  }

  /// As Feed::keeps_up().
  [[nodiscard]] bool keep_up() { return feed_.keeps_up(); }

  // At the end of each turn, in this order.
  /// As ControlSocket::go_on().
  void go_on() { socket_.go_on(); }
  /// Queues what happened for everybody who listens.
  void seal() { feed_.seal(); }
  /// Sends what waits.
  void flush() { socket_.flush(); }

  /// No operator can come any more; those who are there get what they have not read, then an
  /// end of file. `done` is called when the last one has gone, maybe inside this call.
  void stop(std::function<void()> done);

 private:
  void on_connected(OperatorId id, const std::string& user, bool is_own) override;
  void on_line(OperatorId id, std::string_view line, std::string& answers) override;
  void on_drained(OperatorId id) override;
  void on_left(OperatorId id, std::string_view why) override;

  Transcript* transcript_;
  std::size_t spare_connections_ = kSpareConnections;
  ControlSocket socket_;
  Feed feed_;
  Attendance attendance_;
  Writers writers_;
  Requests requests_;
  ControlDoor door_;
};

}  // namespace chatd
