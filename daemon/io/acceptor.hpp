/// A listening socket: TCP over IPv4 or IPv6, or a unix socket. Accepts on the
/// descriptor itself (libuv sheds connections silently at EMFILE and never says
/// so): on an accept error that is not the peer's doing it stops listening to
/// events for a pause and tells its listener once.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "io/endpoint.hpp"
#include "io/loop.hpp"
#include "io/poller.hpp"
#include "io/timer.hpp"
#include "io/unix_file.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::io {

class Acceptor : private Watcher {
 public:
  /// `socket` is non-blocking and closed on exec.
  using AcceptCallback =
      std::function<void(UniqueFd socket, const sockaddr_storage& peer, socklen_t peer_length)>;
  /// Told once, and again only after a connection was accepted in between.
  using FailureCallback = std::function<void(const Error&)>;
  /// The mode of a unix socket's file: everybody may connect.
  static constexpr unsigned kUnixMode = 0666;

  /// Binds and listens. TCP listeners set TCP_NODELAY, keepalive and a bound for what
  /// the kernel keeps unsent, which accepted sockets inherit; IPv6 listeners are IPv6
  /// only, so that 0.0.0.0 and :: can stand side by side. A unix path that nobody
  /// listens on is reclaimed; a live one is an error, and so is a path of more than 107
  /// bytes or one that is not a socket. `unix_mode` is the mode of a unix socket's file.
  /// `leaving` are about to be closed: an address that overlaps with one of theirs is no error.
  static Result<std::unique_ptr<Acceptor>> listen(Loop& loop, const Endpoint& endpoint, int backlog,
                                                  AcceptCallback on_accept,
                                                  FailureCallback on_failure,
                                                  unsigned unix_mode = kUnixMode,
                                                  std::span<Acceptor* const> leaving = {});
  /// The same on a listening socket that somebody else made; the file of a unix
  /// socket is theirs and stays. Errors: it is not a listening stream socket.
  static Result<std::unique_ptr<Acceptor>> adopt(Loop& loop, UniqueFd socket,
                                                 AcceptCallback on_accept,
                                                 FailureCallback on_failure);
  /// Writes down what restore() needs besides the descriptor(), which stays ours.
  void save(ByteWriter& out) const;
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// The acceptor of another process, with its file. Errors: those of adopt(), or the path
  /// leads elsewhere now. The reader refuses impossible values.
  static Result<std::unique_ptr<Acceptor>> restore(Loop& loop, UniqueFd socket, ByteReader& in,
                                                   AcceptCallback on_accept,
                                                   FailureCallback on_failure);
  /// Stops listening and removes the file of a unix socket, if it is still ours.
  /// Allowed inside its own callbacks.
  ~Acceptor() override;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// The real address, with the port that the kernel chose.
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

  /// Whether it can be reached: the file of a unix socket may have been removed, or be
  /// another one.
  [[nodiscard]] bool is_in_place() const { return !file_ || file_->is_ours(); }

  /// Changes how many connections may wait to be accepted.
  void set_backlog(int backlog);

 private:
  struct Callbacks;

  Acceptor(Loop& loop, UniqueFd socket, Endpoint endpoint);

  Result<> start(AcceptCallback on_accept, FailureCallback on_failure);
  void on_ready(Tag tag, Events events) override;
  void pause(int error);
  void resume();

  Loop& loop_;
  Endpoint endpoint_;
  UniqueFd socket_;
  std::optional<UnixFile> file_;
  std::shared_ptr<Callbacks> callbacks_;
  Events watched_ = kNothing;
  Timer retry_;
  unsigned at_once_ = 1;         // connections that are accepted in a turn
  std::uint64_t full_turn_ = 0;  // the last turn in which so many were accepted
  bool paused_ = false;
  bool failing_ = false;  // told already
};

}  // namespace chatd::io
