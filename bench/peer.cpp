// bench_peer: the load of bench_load on a well-known server: an IRC server (irc), Redis as
// pub/sub (redis), ncat --chat (ncat). One connection is the operator's.
//   broadcast  it says something that all others get
//   questions  each client says something to it and is answered (irc)
//   fan-in     each client says something to it (irc, redis)
// Checks what arrives as bench_load does. See usage() for its arguments.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "crowd.hpp"
#include "latency.hpp"
#include "sockets.hpp"
#include "stretch.hpp"
#include "text.hpp"
#include "usage.hpp"

namespace chatd::bench {
namespace {

constexpr std::uint32_t kOperator = 0xFFFF'0000;
constexpr unsigned kMostSeconds = 240;
constexpr int kPatienceMs = 10'000;
/// After so long without a byte all announcements of newcomers have arrived.
constexpr int kQuietMs = 500;
constexpr std::uint32_t kFanInAtOnce = 128;
/// How many connect before they are waited for: fewer than a backlog.
constexpr std::uint32_t kAtOnce = 64;

struct Wish {
  std::string kind;
  std::string workload;
  std::uint16_t port = 0;
  pid_t pid = 0;
  std::uint32_t clients = 1;
  std::uint32_t in_flight = 1;
  std::uint32_t units = 1;
  bool hold = false;
};

class Run {
 public:
  explicit Run(const Wish& wish)
      : wish_{wish},
        irc_{wish.kind == "irc"},
        redis_{wish.kind == "redis"},
        stretch_{wish.pid, wish.hold} {}

  void run() {
    get_ready();
    if (wish_.workload == "broadcast") {
      broadcast();
    } else {
      asked_and_answered();
    }
  }

 private:
  void get_ready();
  void broadcast();
  void asked_and_answered();
  void step(int socket, const std::string& say, std::string_view answer);
  [[nodiscard]] std::string drained() const;
  [[nodiscard]] Framing heard_framing(const std::string& heard) const;
  void read_operator();
  void heard(const Said& said);
  void flush();
  void turn();

  const Wish& wish_;
  bool irc_;
  bool redis_;
  Poller poller_;
  int operator_ = -1;
  std::vector<int> sockets_;
  std::optional<Crowd> crowd_;
  Latency latency_;
  Stretch stretch_;
  std::string output_;   ///< of the operator
  std::string pending_;  ///< what came to it
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> unheard_;
  std::vector<std::uint64_t> began_;
  std::vector<std::uint32_t> turn_done_;  ///< clients that were heard, or answered
  std::uint64_t got_ = 0;                 ///< texts that clients got, or the operator
  std::uint64_t turn_began_ = 0;
};

/// Says something and reads until the answer has come.
void Run::step(int socket, const std::string& say, std::string_view answer) {
  send_all(socket, say);
  std::string seen;
  std::vector<char> bytes(64UL * 1024);
  while (!answer.empty() && seen.find(answer) == std::string::npos) {
    pollfd wait{socket, POLLIN, 0};
    if (::poll(&wait, 1, kPatienceMs) != 1) lost("nothing follows on: " + seen);
    const auto count = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (count <= 0) lost("the server ends after: " + seen);
    seen.append(bytes.data(), static_cast<std::size_t>(count));
    // An IRC server may check that the client is still there.
    if (const auto ping = seen.find("PING "); irc_ && ping != std::string::npos) {
      if (const auto line_end = seen.find("\r\n", ping); line_end != std::string::npos) {
        send_all(socket, "PONG " + seen.substr(ping + 5, line_end + 2 - ping - 5));
        seen[ping] = '-';
      }
    }
  }
}

/// Reads whatever still comes to anybody until it is quiet. Returns what the first client got.
std::string Run::drained() const {
  std::string of_first;
  std::vector<pollfd> wait;
  for (const int socket : sockets_) wait.push_back({socket, POLLIN, 0});
  wait.push_back({operator_, POLLIN, 0});
  std::vector<char> bytes(256UL * 1024);
  while (::poll(wait.data(), wait.size(), kQuietMs) > 0) {
    for (const auto& each : wait) {
      if (each.revents == 0) continue;
      const auto count = ::recv(each.fd, bytes.data(), bytes.size(), 0);
      if (count <= 0) lost("the server ends a connection");
      if (each.fd == sockets_[0]) of_first.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }
  return of_first;
}

/// How the operator's words are framed on their way to a client. The operator's full name is
/// in `heard`, because the others were told that it came.
Framing Run::heard_framing(const std::string& heard) const {
  if (redis_) {
    return {"*3\r\n$7\r\nmessage\r\n$3\r\nall\r\n$" + std::to_string(kTextBytes) + "\r\n", "\r\n"};
  }
  if (wish_.kind == "ncat") {
    constexpr std::string_view kNews = " is connected as ";
    const auto news = heard.rfind(kNews);
    if (news == std::string::npos) lost("nobody was told that the operator came");
    const auto begin = news + kNews.size();
    return {heard.substr(begin, heard.find('>', begin) + 1 - begin) + " ", "\n"};
  }
  const auto begin = heard.rfind(":op!");
  if (begin == std::string::npos) lost("nobody was told that the operator came");
  const auto name = heard.substr(begin, heard.find(' ', begin) - begin);
  const bool all = wish_.workload == "broadcast";
  return {name + " PRIVMSG " + (all ? "#all" : "c{}") + " :", "\r\n"};
}

void Run::get_ready() {
  const bool to_all = wish_.workload == "broadcast";
  // Together: InspIRCd lets one in at the next of its ticks, and there is one a second.
  for (std::uint32_t first = 0; first < wish_.clients; first += kAtOnce) {
    const auto last = std::min(first + kAtOnce, wish_.clients);
    for (auto i = first; i < last; ++i) {
      sockets_.push_back(connect_tcp(wish_.port, i));
      if (irc_) step(sockets_[i], "NICK c" + std::to_string(i) + "\r\nUSER c 0 * :c\r\n", "");
    }
    for (auto i = first; i < last; ++i) {
      if (irc_) step(sockets_[i], "", " 001 ");
      if (irc_ && (to_all || i == 0)) step(sockets_[i], "JOIN #all\r\n", " 366 ");
      if (redis_ && to_all) step(sockets_[i], "SUBSCRIBE all\r\n", ":1\r\n");
      if (redis_ && !to_all) step(sockets_[i], "CLIENT REPLY OFF\r\n", "");
    }
  }
  operator_ = connect_tcp(wish_.port, wish_.clients);
  if (irc_) {
    step(operator_, "NICK op\r\nUSER op 0 * :op\r\n", " 001 ");
    step(operator_, "JOIN #all\r\n", " 366 ");
  } else if (redis_ && !to_all) {
    step(operator_, "SUBSCRIBE op\r\n", ":1\r\n");
  }
  const Framing in = heard_framing(drained());
  const Framing out = redis_ ? Framing{"PUBLISH op \"", "\"\r\n"} : Framing{"PRIVMSG op :", "\r\n"};
  crowd_.emplace(poller_, in, out);
  for (const int socket : sockets_) crowd_->adopt(socket);
  poller_.add(operator_, kOperator);
  next_.resize(wish_.clients);
  unheard_.resize(wish_.clients);
  began_.resize(wish_.clients);
}

void Run::flush() {
  if (!output_.empty()) send_all(operator_, output_);
  output_.clear();
}

void Run::heard(const Said& said) {
  if (said.who >= wish_.clients || said.number != next_[said.who]++) {
    lost("client " + std::to_string(said.who) + " is heard out of order");
  }
  if (wish_.workload == "questions") {
    output_ += "PRIVMSG c" + std::to_string(said.who) + " :";
    output_ += Text{{Kind::kAnswer, said.who, said.number}}.view();
    output_ += "\r\n";
  } else {
    ++got_;
    turn_done_.push_back(said.who);
  }
}

void Run::read_operator() {
  std::array<char, 64UL * 1024> bytes;
  const auto count = ::recv(operator_, bytes.data(), bytes.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) lost("the server has left the operator");
  pending_.append(bytes.data(), static_cast<std::size_t>(count));
  std::size_t done = 0;
  for (auto line_end = pending_.find('\n'); line_end != std::string::npos;
       line_end = pending_.find('\n', done)) {
    auto line = std::string_view{pending_}.substr(done, line_end - done);
    done = line_end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < kTextBytes) continue;
    if (const auto said = Text::read(line.substr(line.size() - kTextBytes))) heard(*said);
  }
  pending_.erase(0, done);
}

void Run::turn() {
  turn_done_.clear();
  bool any = false;
  poller_.wait(kPatienceMs, [&](std::uint32_t number, std::uint32_t) {
    if (!any) turn_began_ = clock_ns();
    any = true;
    if (number == kOperator) {
      read_operator();
    } else if (const auto complete = crowd_->read(number); complete > 0) {
      got_ += complete;
      turn_done_.push_back(number);
    }
  });
  if (!any) lost("nothing comes any more, something is lost");
  flush();
}

void Run::broadcast() {
  crowd_->expect(Kind::kBroadcast);
  const std::uint64_t each = std::uint64_t{wish_.clients} * wish_.in_flight;
  const std::uint64_t rounds = std::max<std::uint64_t>(1, wish_.units / each);
  stretch_.begin();
  std::uint32_t number = 0;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    for (std::uint32_t i = 0; i < wish_.in_flight; ++i) {
      const Text text{{Kind::kBroadcast, 0, number++}};
      output_ += irc_ ? "PRIVMSG #all :" : redis_ ? "PUBLISH all \"" : "";
      output_ += text.view();
      output_ += irc_ ? "\r\n" : redis_ ? "\"\r\n" : "\n";
    }
    const auto began = clock_ns();
    flush();
    while (got_ < round * each) {
      turn();
      for (std::size_t i = 0; i < turn_done_.size(); ++i) latency_.add(turn_began_ - began);
    }
  }
  stretch_.end(got_, latency_);
}

/// Questions that are answered, or messages that are only heard. The client that has been
/// quiet longest is next.
void Run::asked_and_answered() {
  const bool answered = wish_.workload == "questions";
  crowd_->expect(Kind::kAnswer);
  std::deque<std::uint32_t> quiet;
  for (std::uint32_t i = 0; i < wish_.clients; ++i) quiet.push_back(i);
  const auto a_write = answered ? 1 : wish_.in_flight;
  const auto at_once = std::min(answered ? wish_.in_flight : kFanInAtOnce, wish_.clients);
  const auto all = std::max(wish_.units / a_write, at_once);
  std::vector<std::uint32_t> number(wish_.clients);
  std::uint32_t writes = 0;
  const auto say = [&] {
    const auto client = quiet.front();
    quiet.pop_front();
    began_[client] = clock_ns();
    unheard_[client] = a_write;
    crowd_->say(client, Kind::kQuestion, number[client], a_write);
    number[client] += a_write;
    ++writes;
  };
  stretch_.begin();
  while (writes < at_once) say();
  while (got_ < std::uint64_t{all} * a_write) {
    turn();
    for (const auto client : turn_done_) {
      if (--unheard_[client] > 0) continue;
      latency_.add(clock_ns() - began_[client]);
      quiet.push_back(client);
      if (writes < all) say();
    }
  }
  stretch_.end(got_, latency_);
}

[[noreturn]] void usage() {
  std::fputs(
      "bench_peer irc|redis|ncat broadcast|questions|fan-in --port N --pid N\n"
      "           [--clients N] [--in-flight N] [--units N] [--hold]\n",
      stderr);
  std::exit(2);
}

}  // namespace
}  // namespace chatd::bench

int main(int argc, char** argv) {
  using chatd::bench::number;
  using chatd::bench::usage;
  if (argc < 3) usage();
  chatd::bench::Wish wish;
  wish.kind = argv[1];
  wish.workload = argv[2];
  const bool known = wish.workload == "broadcast" ||
                     (wish.workload == "questions" && wish.kind == "irc") ||
                     (wish.workload == "fan-in" && wish.kind != "ncat");
  if (!known || (wish.kind != "irc" && wish.kind != "redis" && wish.kind != "ncat")) usage();
  for (int i = 3; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--hold") {
      wish.hold = true;
    } else if (flag == "--port") {
      wish.port = number<std::uint16_t>(argv[++i], usage);
    } else if (flag == "--pid") {
      wish.pid = number<pid_t>(argv[++i], usage);
    } else if (flag == "--clients") {
      wish.clients = number<std::uint32_t>(argv[++i], usage);
    } else if (flag == "--in-flight") {
      wish.in_flight = number<std::uint32_t>(argv[++i], usage);
    } else if (flag == "--units") {
      wish.units = number<std::uint32_t>(argv[++i], usage);
    } else {
      usage();
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  alarm(chatd::bench::kMostSeconds);
  chatd::bench::raise_descriptor_limit();
  chatd::bench::Run{wish}.run();
  return 0;
}
