/// What the tests of io share: running the loop until a condition holds, pairs of connected
/// sockets, and the other end of a connection, on the same loop. Nothing here sleeps.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.hpp"
#include "io/handle.hpp"
#include "io/loop.hpp"
#include "support/valgrind.hpp"

namespace chatd::test {

/// Runs `loop` until `done()` holds at the end of a turn. False if it still did not
/// after a minute (under valgrind ten), or ran out of things to wait for. Keeps the loop alive
/// meanwhile.
inline bool run_until(io::Loop& loop, const std::function<bool()>& done) {
  const std::uint64_t guard_ms = under_valgrind() ? 600'000 : 60'000;
  bool held = false;
  bool too_late = false;
  int status = 0;
  const auto guard = io::make_handle<uv_timer_t>(
      [&](uv_timer_t* timer) { return uv_timer_init(loop.raw(), timer); }, status);
  guard->data = &too_late;
  const auto give_up = [](uv_timer_t* timer) { *static_cast<bool*>(timer->data) = true; };
  uv_timer_start(guard.get(), give_up, guard_ms, 0);
  const io::TurnEnd watch{loop, [&] {
                            // What the guard itself has woken does not count.
                            if (!held && !too_late) held = done();
                            if (held || too_late) loop.stop();
                          }};
  loop.run();
  return held;
}

/// Runs what is due now, a few turns without waiting. Ends with the turn-end work done.
inline void run_pending(io::Loop& loop) {
  int turns = 0;
  const io::TurnEnd watch{loop, [&] {
                            if (++turns >= 8) {
                              loop.stop();
                            } else {
                              loop.turn_again();
                            }
                          }};
  loop.run();
}

/// Whether the loop has nothing to do now. If that is false after run_pending(), it spins.
inline bool is_quiet(io::Loop& loop) {
  uv_run(loop.raw(), UV_RUN_NOWAIT);  // tells the kernel what is watched
  pollfd ask{loop.poller().descriptor(), POLLIN, 0};
  return ::poll(&ask, 1, 0) == 0;
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

struct Pair {
  UniqueFd ours;
  UniqueFd theirs;
};

inline Pair unix_pair(int type = SOCK_STREAM) {
  int ends[2] = {-1, -1};
  ::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

/// A TCP connection over loopback. `buffer`, if not 0, bounds what the kernel keeps
/// on the way from ours to theirs. Empty if that failed.
inline Pair tcp_pair(int buffer = 0) {
  const UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  UniqueFd theirs{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (buffer != 0) {
    ::setsockopt(theirs.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    ::setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  const bool connected = ::bind(listener.get(), name, length) == 0 &&
                         ::listen(listener.get(), 1) == 0 &&
                         ::getsockname(listener.get(), name, &length) == 0 &&
                         ::connect(theirs.get(), name, length) == 0;
  if (!connected) return {};
  UniqueFd ours{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  ::fcntl(theirs.get(), F_SETFL, O_NONBLOCK);
  return {std::move(ours), std::move(theirs)};
}

/// A port that is free on every IPv4 address; 0 if none was found. For a test that changes the
/// address of a listener: the kernel gives away a port that is free on the address asked for,
/// and may be taken on another. So this one lies outside the range that the kernel gives from.
inline std::uint16_t free_port() {
  constexpr std::uint32_t kFirst = 20'000;
  constexpr std::uint32_t kCount = 12'000;
  constexpr int kTries = 100;
  std::random_device random;
  for (int i = 0; i < kTries; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirst + random() % kCount);
    const UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return port;
    }
  }
  return 0;
}

/// Closes with a reset instead of an end of file.
inline void reset_connection(UniqueFd& socket) {
  const linger now{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket.reset();
}

/// The other end of a connection. Reads what arrives, while it is told to.
class Peer {
 public:
  Peer(io::Loop& loop, UniqueFd socket) : socket_{std::move(socket)} {
    int status = 0;
    poll_ = io::make_handle<uv_poll_t>(
        [&](uv_poll_t* handle) { return uv_poll_init(loop.raw(), handle, socket_.get()); }, status);
    io::require(status, "watch a peer");
    poll_->data = this;
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() = default;

  void read() {
    uv_poll_start(poll_.get(), UV_READABLE,
                  [](uv_poll_t* handle, int, int) { static_cast<Peer*>(handle->data)->step(); });
  }
  void stop() { uv_poll_stop(poll_.get()); }
  /// Reads once, at most so many bytes, if any have arrived.
  void take(std::size_t most) {
    std::string buffer(most, '\0');
    const ssize_t count = ::recv(socket_.get(), buffer.data(), most, 0);
    if (count > 0) received_.append(buffer, 0, static_cast<std::size_t>(count));
    if (count == 0) ended_ = true;
    if (count < 0 && errno != EAGAIN) error_ = errno;
  }
  /// Sends as much of `bytes` as the kernel takes; returns how much that was.
  std::size_t send(std::string_view bytes) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void end() { ::shutdown(socket_.get(), SHUT_WR); }
  void leave() {
    poll_.reset();
    socket_.reset();
  }
  void reset() {
    poll_.reset();
    reset_connection(socket_);
  }

  [[nodiscard]] const std::string& received() const { return received_; }
  /// One for each read that brought something: for sockets that keep records apart.
  [[nodiscard]] int reads() const { return reads_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int error() const { return error_; }

 private:
  void step() {
    char buffer[64 * 1024];
    const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (count > 0) {
      received_.append(buffer, static_cast<std::size_t>(count));
      ++reads_;
      read();  // libuv has stopped watching if an error is pending
    } else if (count == 0 || errno != EAGAIN) {
      (count == 0 ? ended_ : failed_) = true;
      if (count < 0) error_ = errno;
      stop();
    }
  }

  UniqueFd socket_;
  io::Handle<uv_poll_t> poll_;
  std::string received_;
  int reads_ = 0;
  bool ended_ = false;
  bool failed_ = false;
  int error_ = 0;
};

}  // namespace chatd::test
