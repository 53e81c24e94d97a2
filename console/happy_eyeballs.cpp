#include "console/happy_eyeballs.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "io/poller.hpp"
#include "io/timer.hpp"

namespace chatd::console {
namespace {

// 0 if it is connected already, EINPROGRESS if the loop will tell, else why it failed.
int begin_to_connect(const io::Endpoint& address, UniqueFd& socket) {
  sockaddr_storage storage{};
  auto length = address.to_socket_address(storage);
  if (!length) return length.error().code;
  socket = UniqueFd{::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return errno;
  const auto* name = reinterpret_cast<const sockaddr*>(&storage);
  return ::connect(socket.get(), name, *length) == 0 ? 0 : errno;
}

class Race : private io::Watcher {
 public:
  Race(io::Loop& loop, const std::vector<io::Endpoint>& addresses, Duration delay)
      : Watcher{loop.poller()},
        loop_{loop},
        delay_{delay},
        attempts_(addresses.size()),
        timer_{loop, [this] { begin_next(); }} {
    for (std::size_t i = 0; i < addresses.size(); ++i) attempts_[i].address = addresses[i];
  }
  ~Race() override {
    for (Attempt& attempt : attempts_) drop(attempt);
  }
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  std::variant<Reached, AllUnreached> run() {
    begin_next();
    if (running_ > 0 && !winner_) loop_.run();
    if (winner_) return std::move(*winner_);
    return std::move(failures_);
  }

 private:
  struct Attempt {
    io::Endpoint address;
    UniqueFd socket;
    io::Events watched = io::kNothing;
  };

  void begin_next() {
    while (next_ < attempts_.size()) {
      const std::size_t number = next_++;
      Attempt& attempt = attempts_[number];
      int error = begin_to_connect(attempt.address, attempt.socket);
      if (error == 0) return win(attempt);
      if (error == EINPROGRESS) {
        const io::Tag tag{static_cast<std::uint32_t>(number), 0};
        error = watch(attempt.socket.get(), tag, attempt.watched, io::kWritable);
        if (error == 0) {
          ++running_;
          timer_.start(delay_);
          return;
        }
      }
      fail(attempt, error);
    }
    if (running_ == 0) loop_.stop();
  }

  void on_ready(io::Tag tag, io::Events) override {
    Attempt& attempt = attempts_[tag.id];
    if (winner_ || attempt.watched == io::kNothing) return;
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(attempt.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0) return win(attempt);
    --running_;
    fail(attempt, error);
    begin_next();
  }

  void win(Attempt& attempt) {
    (void)watch(attempt.socket.get(), {}, attempt.watched, io::kNothing);
    winner_ = Reached{std::move(attempt.socket), attempt.address};
    timer_.stop();
    loop_.stop();
  }

  void fail(Attempt& attempt, int error) {
    drop(attempt);
    failures_.push_back({attempt.address, error});
  }

  void drop(Attempt& attempt) {
    if (attempt.watched != io::kNothing) forget(attempt.watched);
    attempt.socket.reset();
  }

  io::Loop& loop_;
  Duration delay_;
  std::vector<Attempt> attempts_;
  std::size_t next_ = 0;     // of attempts_: the first that has not begun
  std::size_t running_ = 0;  // attempts that the kernel has not decided
  std::optional<Reached> winner_;
  AllUnreached failures_;
  io::Timer timer_;
};

bool same_family(const io::Endpoint& one, const io::Endpoint& other) {
  return (one.address.find(':') == std::string::npos) ==
         (other.address.find(':') == std::string::npos);
}

}  // namespace

std::vector<io::Endpoint> interleaved(const std::vector<io::Endpoint>& addresses) {
  std::vector<io::Endpoint> first;
  std::vector<io::Endpoint> second;
  for (const io::Endpoint& each : addresses) {
    (same_family(each, addresses.front()) ? first : second).push_back(each);
  }
  std::vector<io::Endpoint> order;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) order.push_back(std::move(first[i]));
    if (i < second.size()) order.push_back(std::move(second[i]));
  }
  return order;
}

std::variant<Reached, AllUnreached> reach(io::Loop& loop,
                                          const std::vector<io::Endpoint>& addresses,
                                          Duration delay) {
  return Race{loop, addresses, delay}.run();
}

}  // namespace chatd::console
