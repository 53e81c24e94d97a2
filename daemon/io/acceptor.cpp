#include "io/acceptor.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace chatd::io {
namespace {

/// The most that is accepted in one turn: those who are connected want to be served, too.
constexpr unsigned kMostATurn = 64;
/// How long no connection is accepted after the system had no room for one.
constexpr Duration kPause{100};

/// A peer that has vanished is given up after 60 s + 3 * 20 s of silence.
constexpr int kKeepIdleSeconds = 60;
constexpr int kKeepIntervalSeconds = 20;
constexpr int kKeepProbes = 3;

/// What the kernel keeps unsent for a connection whose peer does not read; it would be
/// some megabytes otherwise.
constexpr int kUnsentBytes = 64 * 1024;

/// accept4 reports what befell the connection that it takes from the queue, which
/// says nothing of the next one.
bool is_of_one_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

Result<> set_option(int socket, int level, int option, int value, const char* name) {
  if (::setsockopt(socket, level, option, &value, sizeof value) == 0) return {};
  return Error::from_errno(std::string{"set "} + name, errno);
}

/// What every connection inherits from a TCP listener.
Result<> set_tcp_options(int socket) {
  struct Option {
    int level;
    int option;
    int value;
    const char* name;
  };
  constexpr Option kOptions[] = {
      {IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"},
      {SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"},
      {IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds, "TCP_KEEPIDLE"},
      {IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds, "TCP_KEEPINTVL"},
      {IPPROTO_TCP, TCP_KEEPCNT, kKeepProbes, "TCP_KEEPCNT"},
      {IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes, "TCP_NOTSENT_LOWAT"},
      // telnet sends the second byte of IAC DM as urgent data; taken out of the
      // stream, it would leave an IAC that swallows the byte after it.
      {SOL_SOCKET, SO_OOBINLINE, 1, "SO_OOBINLINE"},
  };
  for (const Option& each : kOptions) {
    if (auto set = set_option(socket, each.level, each.option, each.value, each.name); !set) {
      return set;
    }
  }
  return {};
}

Result<> bind_tcp(int socket, const sockaddr_storage& address, socklen_t length) {
  if (auto set = set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"); !set) return set;
  if (address.ss_family == AF_INET6) {
    if (auto set = set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY"); !set) {
      return set;
    }
  }
  if (auto set = set_tcp_options(socket); !set) return set;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0) return {};
  return Error{std::strerror(errno), errno};
}

/// While it lives, these sockets may have the same port, even where their addresses overlap
/// and they listen. Sockets of other users never may.
class SharedPort {
 public:
  explicit SharedPort(std::vector<int> sockets) : sockets_{std::move(sockets)} { set(1); }
  ~SharedPort() { set(0); }
  SharedPort(const SharedPort&) = delete;
  SharedPort& operator=(const SharedPort&) = delete;

 private:
  void set(int value) {
    // Where it is refused, so is the address.
    for (const int fd : sockets_) {
      (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
    }
  }

  std::vector<int> sockets_;
};

Endpoint name_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return Endpoint::of(address, length);
}

}  // namespace

/// Outlive the acceptor if it goes inside one of them.
struct Acceptor::Callbacks {
  AcceptCallback accept;
  FailureCallback failure;
  bool gone = false;  ///< the acceptor
};

Acceptor::Acceptor(Loop& loop, UniqueFd socket, Endpoint endpoint)
    : Watcher{loop.poller()},
      loop_{loop},
      endpoint_{std::move(endpoint)},
      socket_{std::move(socket)},
      callbacks_{std::make_shared<Callbacks>()},
      retry_{loop, [this] { resume(); }} {}

Acceptor::~Acceptor() {
  callbacks_->gone = true;
  // The service manager, or the next process, may have the socket too.
  (void)watch(socket_.get(), {}, watched_, kNothing);
}

Result<std::unique_ptr<Acceptor>> Acceptor::listen(Loop& loop, const Endpoint& endpoint,
                                                   int backlog, AcceptCallback on_accept,
                                                   FailureCallback on_failure, unsigned unix_mode,
                                                   std::span<Acceptor* const> leaving) {
  const std::string attempt = "listen on " + endpoint.to_string();
  sockaddr_storage address{};
  auto length = endpoint.to_socket_address(address);
  if (!length) return std::move(length.error()).while_doing(attempt);
  UniqueFd socket{::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return Error::from_errno(attempt, errno);

  std::vector<int> overlapping;
  if (!endpoint.is_unix() && !leaving.empty()) {
    overlapping.push_back(socket.get());
    for (const Acceptor* each : leaving) {
      if (!each->endpoint().is_unix()) overlapping.push_back(each->descriptor());
    }
  }
  const SharedPort shared{std::move(overlapping)};
  std::optional<UnixFile> file;
  if (endpoint.is_unix()) {
    auto bound = UnixFile::bind(socket.get(), std::string{endpoint.path()}, unix_mode);
    if (!bound) return std::move(bound.error()).while_doing(attempt);
    file.emplace(std::move(*bound));
  } else if (auto bound = bind_tcp(socket.get(), address, *length); !bound) {
    return std::move(bound.error()).while_doing(attempt);
  }
  if (::listen(socket.get(), backlog) != 0) return Error::from_errno(attempt, errno);
  if (file && !file->is_ours()) {
    return Error{attempt + ": the path was taken by another process", EADDRINUSE};
  }

  Endpoint name = endpoint.is_unix() ? endpoint : name_of(socket.get());
  std::unique_ptr<Acceptor> acceptor{new Acceptor{loop, std::move(socket), std::move(name)}};
  if (file) acceptor->file_.emplace(std::move(*file));
  auto started = acceptor->start(std::move(on_accept), std::move(on_failure));
  if (!started) return std::move(started.error()).while_doing(attempt);
  return acceptor;
}

Result<std::unique_ptr<Acceptor>> Acceptor::adopt(Loop& loop, UniqueFd socket,
                                                  AcceptCallback on_accept,
                                                  FailureCallback on_failure) {
  const std::string attempt = "listen on descriptor " + std::to_string(socket.get());
  const auto ask = [&](int option, int& value) {
    socklen_t length = sizeof value;
    return ::getsockopt(socket.get(), SOL_SOCKET, option, &value, &length) == 0;
  };
  int type = 0;
  int listening = 0;
  int domain = 0;
  if (!ask(SO_TYPE, type) || !ask(SO_ACCEPTCONN, listening) || !ask(SO_DOMAIN, domain)) {
    return Error::from_errno(attempt, errno);
  }
  if (type != SOCK_STREAM || listening == 0) {
    return Error{attempt + ": it is not a listening stream socket", EINVAL};
  }
  if (domain == AF_INET || domain == AF_INET6) {
    auto set = set_tcp_options(socket.get());
    if (!set) return std::move(set.error()).while_doing(attempt);
  }
  if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
    return Error::from_errno(attempt, errno);
  }

  Endpoint name = name_of(socket.get());
  std::unique_ptr<Acceptor> acceptor{new Acceptor{loop, std::move(socket), std::move(name)}};
  auto started = acceptor->start(std::move(on_accept), std::move(on_failure));
  if (!started) return std::move(started.error()).while_doing(attempt);
  return acceptor;
}

void Acceptor::save(ByteWriter& out) const {
  out.flag(file_.has_value());
  if (!file_) return;
  for (const auto number : file_->identity()) out.number(number);
}

Result<std::unique_ptr<Acceptor>> Acceptor::restore(Loop& loop, UniqueFd socket, ByteReader& in,
                                                    AcceptCallback on_accept,
                                                    FailureCallback on_failure) {
  std::optional<UnixFile::Identity> identity;
  if (in.flag()) {
    identity.emplace();
    for (auto& number : *identity) number = in.number<std::uint64_t>();
  }
  auto acceptor = adopt(loop, std::move(socket), std::move(on_accept), std::move(on_failure));
  if (!acceptor || !identity) return acceptor;
  auto file = UnixFile::take_over(std::string{(*acceptor)->endpoint().path()}, *identity);
  if (!file) return Error{"the path " + (*acceptor)->endpoint().to_string() + " leads elsewhere"};
  (*acceptor)->file_.emplace(std::move(*file));
  return acceptor;
}

Result<> Acceptor::start(AcceptCallback on_accept, FailureCallback on_failure) {
  callbacks_->accept = std::move(on_accept);
  callbacks_->failure = std::move(on_failure);
  const int error = watch(socket_.get(), {}, watched_, kReadable);
  if (error != 0) return Error::from_errno("watch the socket", error);
  return {};
}

void Acceptor::on_ready(Tag, Events) {
  if (paused_) {
    // A hang-up, which is told whatever one asks for; the timer goes on alone.
    (void)watch(socket_.get(), {}, watched_, kNothing);
    return;
  }
  // A call that finds nobody waiting makes a socket and throws it away. So one connection is
  // accepted in a turn, and twice as many in the next one while somebody still waits.
  const bool crowded = loop_.turn() == full_turn_ + 1;
  at_once_ = crowded ? std::min(at_once_ * 2, kMostATurn) : 1;
  assert(at_once_ >= 1 && at_once_ <= kMostATurn);
  const auto callbacks = callbacks_;
  for (unsigned i = 0; i < at_once_; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    UniqueFd socket{::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &length,
                              SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
      failing_ = false;
      callbacks->accept(std::move(socket), peer, length);
      if (callbacks->gone) return;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (!is_of_one_connection(errno)) {
      pause(errno);
      return;
    }
  }
  full_turn_ = loop_.turn();
}

void Acceptor::set_backlog(int backlog) {
  // On a socket that listens already this changes the backlog and cannot fail.
  (void)::listen(socket_.get(), backlog);
}

/// No room for a connection. It stays ready in the kernel's queue, so watching on
/// would call back without end.
void Acceptor::pause(int error) {
  paused_ = true;
  // For an event that a listening socket never has: a watched descriptor keeps the loop running.
  require(-watch(socket_.get(), {}, watched_, kHangUp), "watch a socket");
  retry_.start(kPause);
  if (std::exchange(failing_, true)) return;
  callbacks_->failure(Error::from_errno("accept on " + endpoint_.to_string(), error));
}

void Acceptor::resume() {
  paused_ = false;
  require(-watch(socket_.get(), {}, watched_, kReadable), "watch a socket");
}

}  // namespace chatd::io
