#include "process/already_running.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "base/control_path.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "io/endpoint.hpp"

namespace chatd {

namespace {

/// A service manager may hold the socket of a process that has ended, and a process that is taken
/// over from listens still.
bool may_take_over() {
  constexpr std::array kGiven{"NOTIFY_SOCKET", "LISTEN_FDS", "CHATD_HANDOVER"};
  return std::ranges::any_of(kGiven, [](const char* name) { return std::getenv(name) != nullptr; });
}

}  // namespace

std::string already_running(const std::string& control_path) {
  sockaddr_storage address{};
  auto length = io::Endpoint{"unix:" + control_path, 0}.to_socket_address(address);
  if (!length || may_take_over()) return {};
  const UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), *length) != 0) {
    return {};
  }
  ucred owner{};
  socklen_t size = sizeof owner;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &owner, &size) != 0) return {};
  if (owner.uid != ::geteuid()) return {};
  std::string sentence = "chatd runs already";
  // Whoever has taken over from the one that opened the socket is not known.
  if (owner.pid > 0 && ::kill(owner.pid, 0) == 0) {
    sentence += " (pid " + std::to_string(owner.pid) + ")";
  }
  sentence += "; its console is chatctl";
  if (control_path != default_control_path()) sentence += " --socket " + escaped(control_path);
  return sentence;
}

}  // namespace chatd
