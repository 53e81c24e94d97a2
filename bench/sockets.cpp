#include "sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace chatd::bench {
namespace {

constexpr std::uint32_t kConnectionsAnAddress = 4000;
constexpr std::size_t kEventsAtOnce = 1024;
constexpr int kPatienceMs = 10'000;

void make_non_blocking(int descriptor) {
  if (fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) != 0) {
    give_up("make a socket non-blocking");
  }
}

void wait_for(int socket, short event) {
  pollfd wait{socket, event, 0};
  if (::poll(&wait, 1, kPatienceMs) != 1) lost("a connection stands still");
}

}  // namespace

void give_up(const std::string& attempt) {
  const std::string why = errno == 0 ? "" : std::string{": "} + std::strerror(errno);
  std::fprintf(stderr, "bench: cannot %s%s\n", attempt.c_str(), why.c_str());
  std::exit(1);
}

void lost(const std::string& what) {
  errno = 0;
  give_up("go on: " + what);
}

int connect_tcp(std::uint16_t port, std::uint32_t number, int receive_buffer) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) give_up("make a socket");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (receive_buffer > 0) {
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number / kConnectionsAnAddress);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("bind");
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    give_up("connect");
  }
  make_non_blocking(socket);
  return socket;
}

int connect_unix(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up("use so long a path: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    give_up("connect to " + path);
  }
  make_non_blocking(socket);
  return socket;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(socket, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      wait_to_write(socket);
    } else {
      give_up("send");
    }
  }
}

void wait_to_read(int socket) {
  wait_for(socket, POLLIN);
}

void wait_to_write(int socket) {
  wait_for(socket, POLLOUT);
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Poller::Poller() : epoll_{epoll_create1(EPOLL_CLOEXEC)}, events_(kEventsAtOnce) {
  if (epoll_ < 0) give_up("make an epoll set");
}

Poller::~Poller() {
  ::close(epoll_);
}

void Poller::add(int descriptor, std::uint32_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = number;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("watch a socket");
}

void Poller::change(int descriptor, std::uint32_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = number;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) != 0) give_up("watch a socket");
}

int Poller::wait(int timeout_ms) {
  const int count =
      epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  return count < 0 ? 0 : count;
}

}  // namespace chatd::bench
