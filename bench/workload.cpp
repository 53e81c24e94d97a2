#include "workload.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <string_view>
#include <vector>

#include "crowd.hpp"
#include "latency.hpp"
#include "operator.hpp"
#include "sockets.hpp"
#include "stretch.hpp"
#include "text.hpp"
#include "usage.hpp"

namespace chatd::bench {
namespace {

/// The operator's numbers in the poller; clients count from 0.
constexpr std::uint32_t kOperator = 0xFFFF'0000;
/// How many connect before they are waited for: fewer than a backlog.
constexpr std::uint32_t kConnectAtOnce = 256;
/// Of those who shake hands fewer: nobody waits behind others, for whom these may have to give way.
constexpr std::uint32_t kShakeHandsAtOnce = 16;
constexpr std::size_t kReadBytes = 64UL * 1024;
constexpr int kPatienceMs = 10'000;

Framing framing_in(const Wish& wish) {
  if (wish.way.websocket) return {{'\x81', static_cast<char>(kTextBytes)}, ""};
  return {"", wish.original ? "" : "\n"};
}

Framing framing_out(const Wish& wish) {
  if (wish.way.page) return {R"({"type":"say","id":"{}","text":")", R"("})"};
  return {"", wish.original || wish.way.websocket ? "" : "\n"};
}

class Run {
 public:
  explicit Run(const Wish& wish)
      : wish_{wish},
        connect_at_once_{wish.way.tls ? kShakeHandsAtOnce : kConnectAtOnce},
        crowd_{poller_, framing_in(wish), framing_out(wish), wish.way},
        operator_{poller_, kOperator,
                  [this](std::uint64_t session, std::string_view text) { heard(session, text); }},
        stretch_{wish.pid, wish.hold} {
    if (wish.control.empty()) {
      operator_.attach_to_console(wish.console_input, wish.console_output);
    } else {
      operator_.attach_to_control(wish.control);
      turn_until([&] { return operator_.unanswered() == 0; });
    }
  }

  void broadcast();
  void questions();
  void fan_in();
  void visits();
  void handshakes();
  void idle();
  void stall();

 private:
  void heard(std::uint64_t session, std::string_view text);
  void connect_silently(std::uint32_t count);
  void greet(std::uint32_t first);
  void set_up();
  void end(std::uint64_t units);
  void rest(std::uint64_t ms);
  void turn();
  template <class Done>
  void turn_until(Done done);
  std::uint32_t take_quiet();

  const Wish& wish_;
  std::uint32_t connect_at_once_;
  Poller poller_;
  Crowd crowd_;
  Operator operator_;
  Latency latency_;
  Stretch stretch_;
  std::vector<std::uint64_t> began_;       ///< by client: when its question was asked
  std::vector<std::uint32_t> next_;        ///< by client: the number that is expected of it
  std::vector<std::uint32_t> unheard_;     ///< by client: messages under way
  std::deque<std::uint32_t> quiet_;        ///< clients with nothing under way, longest first
  std::uint64_t hellos_ = 0;               ///< that the operator has heard
  std::uint64_t messages_ = 0;             ///< other messages that it has heard
  std::uint64_t got_ = 0;                  ///< texts that clients have got
  std::vector<std::uint32_t> turn_ready_;  ///< clients that got something in this turn
  std::vector<std::uint32_t> turn_heard_;  ///< clients that the operator has heard in it
  std::uint64_t turn_began_ = 0;
};

/// Answers questions; notes all else.
void Run::heard(std::uint64_t session, std::string_view text) {
  const auto said = Text::read(text);
  if (said && said->kind == Kind::kHello) {
    ++hellos_;
    return;
  }
  if (!said || said->who >= crowd_.size()) lost("the operator hears '" + std::string{text} + "'");
  if (said->number != next_[said->who]++) {
    lost("client " + std::to_string(said->who) + " is heard out of order");
  }
  ++messages_;
  if (wish_.workload == "questions") {
    operator_.tell(session, Text{{Kind::kAnswer, said->who, said->number}}.view());
  } else {
    turn_heard_.push_back(said->who);
  }
}

void Run::turn() {
  turn_ready_.clear();
  turn_heard_.clear();
  bool any = false;
  poller_.wait(kPatienceMs, [&](std::uint32_t number, std::uint32_t) {
    if (!any) turn_began_ = clock_ns();
    any = true;
    if (number >= kOperator) {
      operator_.ready();
    } else if (const auto complete = crowd_.read(number); complete > 0) {
      got_ += complete;
      turn_ready_.push_back(number);
    }
  });
  if (!any) lost("nothing comes any more, something is lost");
  operator_.flush();
}

template <class Done>
void Run::turn_until(Done done) {
  while (!done()) turn();
}

std::uint32_t Run::take_quiet() {
  const auto client = quiet_.front();
  quiet_.pop_front();
  return client;
}

void Run::connect_silently(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) crowd_.connect(wish_.port);
  crowd_.open();
  for (auto client = crowd_.size() - count; client < crowd_.size(); ++client) {
    quiet_.push_back(client);
  }
  began_.resize(crowd_.size());
  next_.resize(crowd_.size());
  unheard_.resize(crowd_.size());
}

/// The clients from `first` on say hello, and are heard.
void Run::greet(std::uint32_t first) {
  for (std::uint32_t i = first; i < crowd_.size(); ++i) crowd_.say(i, Kind::kHello, 0);
  turn_until([&] { return hellos_ == crowd_.size(); });
}

void Run::set_up() {
  while (crowd_.size() < wish_.clients) {
    const auto first = crowd_.size();
    connect_silently(std::min(connect_at_once_, wish_.clients - first));
    greet(first);
  }
}

void Run::end(std::uint64_t units) {
  turn_until([&] { return operator_.unanswered() == 0; });
  stretch_.end(units, latency_);
}

/// in_flight broadcasts at once to everybody; the next ones when everybody has all of them.
void Run::broadcast() {
  set_up();
  crowd_.expect(Kind::kBroadcast);
  const std::uint64_t rounds = std::max(1U, wish_.units / (wish_.clients * wish_.in_flight));
  stretch_.begin();
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    for (std::uint32_t i = 0; i < wish_.in_flight; ++i) {
      const auto number = static_cast<std::uint32_t>((round - 1) * wish_.in_flight + i);
      operator_.tell_all(Text{{Kind::kBroadcast, 0, number}}.view());
    }
    const auto began = clock_ns();
    operator_.flush();
    while (got_ < round * wish_.in_flight * wish_.clients) {
      turn();
      for (std::size_t i = 0; i < turn_ready_.size(); ++i) latency_.add(turn_began_ - began);
    }
  }
  end(got_);
}

/// in_flight questions at once, of the clients that have been quiet longest; the operator
/// answers each to the one who asked.
void Run::questions() {
  set_up();
  crowd_.expect(Kind::kAnswer);
  const auto at_once = std::min(wish_.in_flight, wish_.clients);
  const auto units = std::max(wish_.units, at_once);
  std::uint32_t asked = 0;
  const auto ask = [&] {
    const auto client = take_quiet();
    began_[client] = clock_ns();
    crowd_.say(client, Kind::kQuestion, crowd_.got(client));
    ++asked;
  };
  stretch_.begin();
  while (asked < at_once) ask();
  while (got_ < units) {
    turn();
    for (const auto client : turn_ready_) {
      latency_.add(clock_ns() - began_[client]);
      quiet_.push_back(client);
      if (asked < units) ask();
    }
  }
  end(got_);
}

/// in_flight messages in one write, of a few clients at once: those that have been quiet
/// longest.
void Run::fan_in() {
  set_up();
  constexpr std::uint32_t kAtOnce = 128;
  const auto at_once = std::min(kAtOnce, wish_.clients);
  const auto all = std::max(wish_.units / wish_.in_flight, at_once);
  std::uint32_t writes = 0;
  const auto say = [&] {
    const auto client = take_quiet();
    began_[client] = clock_ns();
    unheard_[client] = wish_.in_flight;
    crowd_.say(client, Kind::kQuestion, next_[client], wish_.in_flight);
    ++writes;
  };
  stretch_.begin();
  while (writes < at_once) say();
  while (messages_ < std::uint64_t{all} * wish_.in_flight) {
    turn();
    for (const auto client : turn_heard_) {
      if (--unheard_[client] > 0) continue;
      latency_.add(clock_ns() - began_[client]);
      quiet_.push_back(client);
      if (writes < all) say();
    }
  }
  end(messages_);
}

/// in_flight clients at once connect, say one message and bye in one write, and leave when
/// they see the end.
void Run::visits() {
  std::vector<int> sockets(wish_.in_flight, -1);
  began_.resize(wish_.in_flight);
  std::uint32_t begun = 0;
  std::uint32_t over = 0;
  const auto visit = [&](std::uint32_t place) {
    began_[place] = clock_ns();
    sockets[place] = connect_tcp(wish_.port, begun);
    std::string words{Text{{Kind::kHello, begun++, 0}}.view()};
    send_all(sockets[place], words + "\nbye\n");
    poller_.add(sockets[place], place);
  };
  stretch_.begin();
  for (std::uint32_t place = 0; place < wish_.in_flight; ++place) visit(place);
  while (over < begun) {
    poller_.wait(kPatienceMs, [&](std::uint32_t number, std::uint32_t) {
      if (number >= kOperator) {
        operator_.ready();
        return;
      }
      char byte = 0;
      const auto count = ::recv(sockets[number], &byte, 1, 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count != 0) give_up("go on: a visitor sees no clean end");
      ::close(sockets[number]);
      latency_.add(clock_ns() - began_[number]);
      ++over;
      if (begun < wish_.units) visit(number);
    });
  }
  turn_until([&] { return hellos_ == over; });
  end(over);
}

/// TLS alone, one after the other: each client shakes hands and leaves.
void Run::handshakes() {
  TlsClients clients;
  stretch_.begin();
  for (std::uint32_t number = 0; number < wish_.units; ++number) {
    const auto began = clock_ns();
    const int socket = connect_tcp(wish_.port, number);
    clients.begin(socket);
    clients.finish(number);
    latency_.add(clock_ns() - began);
    clients.forget(number);
    ::close(socket);
  }
  stretch_.end(wish_.units, latency_);
}

/// Listens for that long, and waits for nothing in particular.
void Run::rest(std::uint64_t ms) {
  const auto until = clock_ns() + ms * 1'000'000;
  while (clock_ns() < until) {
    poller_.wait(10, [&](std::uint32_t number, std::uint32_t) {
      if (number >= kOperator) {
        operator_.ready();
      } else {
        (void)crowd_.read(number);  // tickets, pings, what a page is told of itself
      }
    });
  }
}

/// The memory of a silent session and of one that has spoken, and the CPU time of idle ones.
void Run::idle() {
  constexpr std::uint64_t kSettleMs = 2500;  // after a second a silent one may be spoken to
  constexpr std::uint64_t kLookMs = 3000;
  // What the daemon keeps for operators who come back has its full size before.
  constexpr std::uint32_t kAtOnce = 128;
  connect_silently(1);
  for (std::uint32_t said = 0; said < 8192; said += kAtOnce) {
    crowd_.say(0, Kind::kHello, said, kAtOnce);
    turn_until([&] { return hellos_ == said + kAtOnce; });
  }
  hellos_ = 0;
  rest(kSettleMs);
  const auto empty = memory_bytes(wish_.pid);
  while (crowd_.size() < wish_.clients) {
    connect_silently(std::min(connect_at_once_, wish_.clients - crowd_.size()));
    rest(1);
  }
  rest(kSettleMs);
  const auto silent = memory_bytes(wish_.pid);
  for (std::uint32_t first = 0; first < crowd_.size(); first += kConnectAtOnce) {
    const auto last = std::min(first + kConnectAtOnce, crowd_.size());
    for (auto client = first; client < last; ++client) crowd_.say(client, Kind::kHello, 0);
    turn_until([&] { return hellos_ == last; });
  }
  rest(kSettleMs);
  const auto spoken = memory_bytes(wish_.pid);
  const auto cpu = cpu_ns(wish_.pid);
  stretch_.hold("ready");
  rest(kLookMs);
  const auto used = cpu_ns(wish_.pid) - cpu;
  stretch_.hold("done");
  const auto each = [&](std::uint64_t bytes) {
    return (static_cast<double>(bytes) - static_cast<double>(empty)) / (wish_.clients - 1);
  };
  std::printf(R"({"units":%u,"silent_bytes":%.1f,"spoken_bytes":%.1f,"idle_cpu_us":%.1f})"
              "\n",
              wish_.clients, each(silent), each(spoken), static_cast<double>(used) / 1e3);
}

/// Broadcasts to everybody while one client has stopped reading: what it costs in memory,
/// whether that is given back, and how long the others wait.
void Run::stall() {
  set_up();
  crowd_.expect(Kind::kBroadcast);
  // What the daemon keeps for operators who come back has its full size before.
  constexpr std::uint32_t kBefore = 8000;
  std::uint32_t number = 0;
  const auto broadcast = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      operator_.tell_all(Text{{Kind::kBroadcast, 0, number++}}.view());
    }
    const auto began = clock_ns();
    operator_.flush();
    turn_until([&] { return got_ == std::uint64_t{number} * wish_.clients; });
    return clock_ns() - began;
  };
  while (number < kBefore) broadcast(wish_.in_flight);
  const int stalled = connect_tcp(wish_.port, crowd_.size(), 4096);
  send_all(stalled, std::string{Text{{Kind::kHello, 0, 0}}.view()} + "\n");
  turn_until([&] { return hellos_ == crowd_.size() + 1; });
  const auto before = memory_bytes(wish_.pid);
  auto most = before;
  stretch_.begin();
  for (std::uint32_t round = 1; number < kBefore + wish_.units / wish_.clients; ++round) {
    latency_.add(broadcast(wish_.in_flight));
    if (round % 16 == 0) most = std::max(most, memory_bytes(wish_.pid));
  }
  turn_until([&] { return operator_.unanswered() == 0; });
  stretch_.hold("done");
  // It was cut off, or the measurement says nothing: what it got, and then the end.
  std::string input(kReadBytes, '\0');
  ssize_t count = 0;
  while ((count = ::recv(stalled, input.data(), input.size(), 0)) > 0) continue;
  if (count < 0 && errno == EAGAIN) lost("the client that does not read is still connected");
  ::close(stalled);
  rest(1500);
  std::printf(R"({"units":%llu,"grown_bytes":%lld,"kept_bytes":%lld,"p50_us":%.1f,"max_us":%.1f})"
              "\n",
              static_cast<unsigned long long>(got_), static_cast<long long>(most - before),
              static_cast<long long>(memory_bytes(wish_.pid)) - static_cast<long long>(before),
              latency_.percentile_us(0.5), latency_.percentile_us(1));
}

}  // namespace

void run(const Wish& wish) {
  Run work{wish};
  if (wish.workload == "broadcast") {
    work.broadcast();
  } else if (wish.workload == "questions") {
    work.questions();
  } else if (wish.workload == "fan-in") {
    work.fan_in();
  } else if (wish.workload == "visits") {
    work.visits();
  } else if (wish.workload == "handshakes") {
    work.handshakes();
  } else if (wish.workload == "idle") {
    work.idle();
  } else if (wish.workload == "stall") {
    work.stall();
  } else {
    errno = 0;
    give_up("do what I do not know: " + wish.workload);
  }
}

}  // namespace chatd::bench
