#include "console/shake_hands.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace chatd::console {
namespace {

using Clock = std::chrono::steady_clock;

class Shaking {
 public:
  Shaking(int socket, tls::ClientHandshake& handshake, Duration patience)
      : socket_{socket}, handshake_{handshake}, end_{Clock::now() + patience} {}

  /// Empty once it is done.
  std::string run() {
    handshake_.receive({}, to_send_);
    for (;;) {
      if (auto why = send(); !why.empty()) return why;
      if (handshake_.state() != tls::ClientHandshake::State::kGoingOn) return handshake_.why();
      if (auto why = receive(); !why.empty()) return why;
    }
  }

 private:
  // An alert is worth the attempt, and no more: what is wrong is what it says.
  std::string send() {
    const bool failed = handshake_.state() == tls::ClientHandshake::State::kFailed;
    while (!to_send_.empty()) {
      const ssize_t sent = ::send(socket_, to_send_.data(), to_send_.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        to_send_.erase(0, static_cast<std::size_t>(sent));
      } else if (failed) {
        return {};
      } else if (errno != EAGAIN && errno != EINTR) {
        return broke(errno);
      } else if (!wait(POLLOUT)) {
        return too_slow();
      }
    }
    return {};
  }

  std::string receive() {
    std::array<char, 16 * 1024> bytes;
    for (;;) {
      if (!wait(POLLIN)) return too_slow();
      const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got > 0) {
        handshake_.receive({bytes.data(), static_cast<std::size_t>(got)}, to_send_);
        return {};
      }
      if (got == 0) return "closed the connection in the handshake; perhaps it speaks no TLS";
      if (errno != EAGAIN && errno != EINTR) return broke(errno);
    }
  }

  [[nodiscard]] bool wait(short events) const {
    const auto left = std::chrono::ceil<Duration>(end_ - Clock::now());
    if (left <= Duration{0}) return false;
    pollfd one{socket_, events, 0};
    return ::poll(&one, 1, static_cast<int>(left.count())) != 0;
  }

  static std::string broke(int error) {
    return std::string{"broke the connection in the handshake ("} + std::strerror(error) + ")";
  }
  static std::string too_slow() { return "does not answer in TLS; perhaps it speaks none"; }

  int socket_;
  tls::ClientHandshake& handshake_;
  Clock::time_point end_;
  std::string to_send_;
};

}  // namespace

std::variant<tls::ClientSession, Strange> shake_hands(int socket, tls::ClientHandshake handshake,
                                                      Duration patience) {
  auto why = Shaking{socket, handshake, patience}.run();
  if (handshake.state() == tls::ClientHandshake::State::kEstablished && why.empty()) {
    return handshake.take_session();
  }
  using Failure = tls::ClientHandshake::Failure;
  const bool unknown = handshake.failure() == Failure::kUnknownAuthority;
  const bool untrusted = unknown || handshake.failure() == Failure::kUntrusted;
  return Strange{untrusted ? ExitCode::kUntrusted : ExitCode::kNoDaemon, std::move(why), unknown};
}

}  // namespace chatd::console
