// bench_bare: what chatd is measured against. An epoll server that moves the same
// bytes between the same connections with the fewest system calls, and has nothing
// else: no limits, no checks, no escapes, no timers, no encoding but its own. It trusts
// the operator to send `send` requests exactly as bench_load writes them.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sockets.hpp"

namespace {

using chatd::bench::give_up;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::string_view kTime = "2026-01-01T00:00:00.000Z";

void append(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

class Bare {
 public:
  struct Manner {
    bool original = false;
    bool lingers = false;  ///< closes as chatd does: after the client's end of file
  };

  Bare(const std::string& control, Manner manner);
  /// The operator is at this process's standard input and output instead.
  void use_pipes();
  [[noreturn]] void run();

 private:
  struct Peer {
    std::string out;       ///< what waits for it
    std::uint64_t id = 0;  ///< the session; 0: nobody is here
    bool touched = false;  ///< it is in touched_
    bool blocked = false;
  };

  void watch(int fd, std::uint32_t events, int how = EPOLL_CTL_ADD);
  void accept_client();
  void read_client(int fd);
  void said(std::uint64_t id, std::string_view text);
  void read_operator(int fd);
  void request(std::string_view line);
  void typed(std::string_view line);
  void to_client(std::uint64_t id, std::string_view text);
  void to_all(std::string_view text);
  void touch(int fd);
  void flush();
  void send(int fd, bool with_broadcast);
  void leave(int fd);

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int unix_ = -1;
  int operator_in_ = -1;
  int operator_out_ = -1;
  bool pipes_ = false;
  Manner manner_;
  std::vector<Peer> peers_;    // by descriptor
  std::vector<int> by_id_{0};  // the descriptor of a session
  std::vector<int> touched_;   // those with something to be sent at the end of the turn
  std::string broadcast_;      // what everybody is sent at the end of the turn
  std::string ids_;            // of all sessions, as JSON; empty: to be made anew
  std::string pending_;        // of the operator
  std::string input_;
  std::uint64_t seq_ = 0;
};

Bare::Bare(const std::string& control, Manner manner) : manner_{manner}, input_(kReadBytes, '\0') {
  const int on = 1;
  ::setsockopt(tcp_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(tcp_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(tcp_, 1024) != 0 ||
      ::getsockname(tcp_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    give_up("listen");
  }
  watch(tcp_, EPOLLIN);
  if (!control.empty()) {
    unix_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::strncpy(path.sun_path, control.c_str(), sizeof path.sun_path - 1);
    if (::bind(unix_, reinterpret_cast<sockaddr*>(&path), sizeof path) != 0 ||
        ::listen(unix_, 4) != 0) {
      give_up("listen at " + control);
    }
    watch(unix_, EPOLLIN);
  }
  std::fprintf(stderr, "listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
}

void Bare::use_pipes() {
  pipes_ = true;
  operator_in_ = STDIN_FILENO;
  operator_out_ = STDOUT_FILENO;
  fcntl(operator_in_, F_SETFL, O_NONBLOCK);
  watch(operator_in_, EPOLLIN);
}

void Bare::watch(int fd, std::uint32_t events, int how) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, how, fd, &event) != 0) give_up("watch a socket");
  if (peers_.size() <= static_cast<std::size_t>(fd))
    peers_.resize(static_cast<std::size_t>(fd) + 1);
}

void Bare::run() {
  std::vector<epoll_event> events(1024);
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int fd = event.data.fd;
      if (fd == tcp_) {
        accept_client();
      } else if (fd == unix_) {
        operator_in_ = operator_out_ = ::accept4(unix_, nullptr, nullptr, SOCK_NONBLOCK);
        watch(operator_in_, EPOLLIN);
      } else {
        if ((event.events & EPOLLOUT) != 0) {
          peers_[static_cast<std::size_t>(fd)].blocked = false;
          watch(fd, EPOLLIN, EPOLL_CTL_MOD);
          touch(fd);
        }
        if (fd == operator_in_ && (event.events & ~EPOLLOUT) != 0) {
          read_operator(fd);
        } else if ((event.events & ~EPOLLOUT) != 0) {
          read_client(fd);
        }
      }
    }
    flush();
  }
}

void Bare::accept_client() {
  const int fd = ::accept4(tcp_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  watch(fd, EPOLLIN);
  peers_[static_cast<std::size_t>(fd)].id = by_id_.size();
  by_id_.push_back(fd);
  ids_.clear();
  if (!pipes_ && operator_out_ >= 0) {
    std::string& out = peers_[static_cast<std::size_t>(operator_out_)].out;
    out += R"({"jsonrpc":"2.0","method":"connected","params":{"seq":)";
    append(out, ++seq_);
    out += R"(,"time":")";
    out += kTime;
    out += R"(","session":)";
    append(out, by_id_.size() - 1);
    out += R"(,"address":"127.0.0.1:12345","listener":"127.0.0.1:12345"}})";
    out += '\n';
    touch(operator_out_);
  }
}

void Bare::read_client(int fd) {
  const ssize_t count = ::recv(fd, input_.data(), input_.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    leave(fd);
    return;
  }
  const std::uint64_t id = peers_[static_cast<std::size_t>(fd)].id;
  std::string_view bytes{input_.data(), static_cast<std::size_t>(count)};
  if (manner_.original) {
    said(id, bytes);
    return;
  }
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line == "bye") {
      // All of it has been read, and nothing waits: a close resets nothing, unless the
      // client goes on to say something.
      if (manner_.lingers && ::shutdown(fd, SHUT_WR) == 0) return;
      leave(fd);
      return;
    }
    said(id, line);
  }
}

void Bare::leave(int fd) {
  Peer& peer = peers_[static_cast<std::size_t>(fd)];
  if (!pipes_ && operator_out_ >= 0) {
    std::string& out = peers_[static_cast<std::size_t>(operator_out_)].out;
    out += R"({"jsonrpc":"2.0","method":"disconnected","params":{"seq":)";
    append(out, ++seq_);
    out += R"(,"time":")";
    out += kTime;
    out += R"(","session":)";
    append(out, peer.id);
    out += R"(,"reason":"bye"}})";
    out += '\n';
    touch(operator_out_);
  }
  peer.id = 0;
  peer.out.clear();
  ids_.clear();
  ::close(fd);
  if (fd == operator_in_) operator_in_ = operator_out_ = -1;
}

void Bare::said(std::uint64_t id, std::string_view text) {
  if (operator_out_ < 0) return;
  std::string& out = peers_[static_cast<std::size_t>(operator_out_)].out;
  if (pipes_) {
    out += "12:34:56 [";
    append(out, id);
    out += "] ";
    out += text;
  } else {
    out += R"({"jsonrpc":"2.0","method":"message","params":{"seq":)";
    append(out, ++seq_);
    out += R"(,"time":")";
    out += kTime;
    out += R"(","session":)";
    append(out, id);
    out += R"(,"text":")";
    out += text;
    out += "\"}}";
  }
  out += '\n';
  touch(operator_out_);
}

void Bare::read_operator(int fd) {
  const ssize_t count = ::read(fd, input_.data(), input_.size());
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    leave(fd);
    return;
  }
  pending_.append(input_.data(), static_cast<std::size_t>(count));
  std::size_t done = 0;
  for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', done)) {
    const auto line = std::string_view{pending_}.substr(done, end - done);
    if (pipes_) {
      typed(line);
    } else {
      request(line);
    }
    done = end + 1;
  }
  pending_.erase(0, done);
}

/// `{"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"..."}}`
void Bare::request(std::string_view line) {
  constexpr std::size_t kId = std::string_view{R"({"jsonrpc":"2.0","id":)"}.size();
  constexpr std::string_view kTo = R"(,"method":"send","params":{"to":)";
  constexpr std::string_view kText = R"(,"text":")";
  const auto request_id = line.substr(kId, line.find(',', kId) - kId);
  const auto rest = line.substr(kId + request_id.size());
  std::string& out = peers_[static_cast<std::size_t>(operator_out_)].out;
  touch(operator_out_);
  std::string_view ids;
  std::string_view text;
  if (rest.starts_with(kTo)) {
    const auto to = rest.substr(kTo.size(), rest.find(',', kTo.size()) - kTo.size());
    const auto begin = kTo.size() + to.size() + kText.size();
    text = rest.substr(begin, rest.size() - begin - 3);
    if (to == R"("all")") {
      if (ids_.empty()) {
        for (std::uint64_t id = 1; id < by_id_.size(); ++id) {
          if (peers_[static_cast<std::size_t>(by_id_[id])].id != id) continue;
          ids_ += ids_.empty() ? "" : ",";
          append(ids_, id);
        }
      }
      ids = ids_;
      to_all(text);
    } else {
      ids = to;
      std::uint64_t id = 0;
      std::from_chars(to.data(), to.data() + to.size(), id);
      to_client(id, text);
    }
  }
  out += R"({"jsonrpc":"2.0","id":)";
  out += request_id;
  out += R"(,"result":{"delivered":[)";
  out += ids;
  out += R"(],"held":[],"refused":[]}})";
  out += '\n';
  if (text.empty()) return;
  out += R"({"jsonrpc":"2.0","method":"sent","params":{"seq":)";
  append(out, ++seq_);
  out += R"(,"time":")";
  out += kTime;
  out += R"(","session":[)";
  out += ids;
  out += R"(],"operator":"bench","text":")";
  out += text;
  out += R"(","state":"sent"}})";
  out += '\n';
}

/// `@7 text` or `/all text`; the console shows what was sent.
void Bare::typed(std::string_view line) {
  const auto end = line.find(' ');
  const auto text = line.substr(end + 1);
  if (line.starts_with("/all")) {
    to_all(text);
    return;
  }
  std::uint64_t id = 0;
  std::from_chars(line.data() + 1, line.data() + end, id);
  to_client(id, text);
  std::string& out = peers_[static_cast<std::size_t>(operator_out_)].out;
  out += "12:34:56 [";
  append(out, id);
  out += "]< ";
  out += text;
  out += '\n';
  touch(operator_out_);
}

void Bare::to_client(std::uint64_t id, std::string_view text) {
  const int fd = by_id_[id];
  std::string& out = peers_[static_cast<std::size_t>(fd)].out;
  out += text;
  if (!manner_.original) out += '\n';
  touch(fd);
}

void Bare::to_all(std::string_view text) {
  broadcast_ += text;
  if (!manner_.original) broadcast_ += '\n';
}

void Bare::touch(int fd) {
  Peer& peer = peers_[static_cast<std::size_t>(fd)];
  if (std::exchange(peer.touched, true)) return;
  touched_.push_back(fd);
}

void Bare::flush() {
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    const int fd = touched_[i];
    peers_[static_cast<std::size_t>(fd)].touched = false;
    send(fd, false);
  }
  touched_.clear();
  if (broadcast_.empty()) return;
  for (std::uint64_t id = 1; id < by_id_.size(); ++id) {
    if (peers_[static_cast<std::size_t>(by_id_[id])].id == id) send(by_id_[id], true);
  }
  broadcast_.clear();
}

/// Sends what waits for `fd`, and the broadcast; what is not taken waits. A pipe takes all,
/// for it blocks.
void Bare::send(int fd, bool with_broadcast) {
  Peer& peer = peers_[static_cast<std::size_t>(fd)];
  if (with_broadcast && !(peer.out.empty() && !peer.blocked)) {
    peer.out += broadcast_;
    with_broadcast = false;
  }
  if (peer.blocked) return;
  const std::string_view bytes = with_broadcast ? broadcast_ : peer.out;
  if (bytes.empty()) return;
  const ssize_t count = ::write(fd, bytes.data(), bytes.size());
  const auto taken = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  if (taken == bytes.size()) {
    peer.out.clear();
    return;
  }
  if (with_broadcast) peer.out = broadcast_;
  peer.out.erase(0, taken);
  peer.blocked = true;
  watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

}  // namespace

/// bench_bare (CONTROL_PATH | -) [--original] [--linger]; `-`: the operator is at the pipes.
int main(int argc, char** argv) {
  if (argc < 2) give_up("start without the path of a control socket");
  std::signal(SIGPIPE, SIG_IGN);
  chatd::bench::raise_descriptor_limit();
  const std::string control = argv[1];
  const bool pipes = control == "-";
  const auto asked = [&](std::string_view option) {
    return std::find(argv + 2, argv + argc, option) != argv + argc;
  };
  Bare bare{pipes ? "" : control, {asked("--original"), asked("--linger")}};
  if (pipes) bare.use_pipes();
  bare.run();
}
