#include "io/loop.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/descriptor.hpp"
#include "io/signal.hpp"
#include "io/timer.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::Duration;
using chatd::kNever;
using chatd::io::Loop;
using chatd::io::Readiness;
using chatd::io::Signal;
using chatd::io::Timer;
using chatd::io::TurnEnd;
using chatd::test::run_until;

TEST_CASE("loop: with nothing to wait for it ends its one turn and returns", "[io][loop]") {
  Loop loop;
  std::string order;
  loop.at_turn_end([&] { order += 'a'; });
  loop.at_turn_end([&] { order += 'b'; });
  loop.run();
  CHECK(order == "ab");
}

TEST_CASE("loop: a turn that is stopped is ended all the same", "[io][loop]") {
  Loop loop;
  bool pending = false;
  bool flushed = false;
  loop.at_turn_end([&] { flushed = pending; });
  Timer timer{loop, [&] {
                pending = true;
                loop.stop();
              }};
  timer.start(Duration{0});
  REQUIRE(run_until(loop, [&] { return pending; }));
  CHECK(flushed);
}

TEST_CASE("loop: stopped at the last turn's end, it can be run again", "[io][loop]") {
  Loop loop;
  loop.at_turn_end([&] { loop.stop(); });
  loop.run();
  loop.run();
  Loop other;
  bool fired = false;
  Timer timer{other, [&] { fired = true; }};
  other.stop();
  timer.start(Duration{0});
  CHECK(run_until(other, [&] { return fired; }));
}

TEST_CASE("loop: a TurnEnd that is gone is not called", "[io][loop]") {
  Loop loop;
  int first = 0;
  int second = 0;
  std::optional<TurnEnd> last;
  const TurnEnd killer{loop, [&] {
                         ++first;
                         last.reset();
                       }};
  last.emplace(loop, [&] { ++second; });
  loop.run();
  CHECK(first == 1);
  CHECK(second == 0);
}

TEST_CASE("loop: work found after its own turn end has its turn at once", "[io][loop]") {
  Loop loop;
  bool work = false;
  int done = 0;
  int found = 0;
  loop.at_turn_end([&] {
    if (std::exchange(work, false)) ++done;
  });
  loop.at_turn_end([&] {
    if (found == 5) return;
    ++found;
    work = true;
    loop.turn_again();
  });
  // Nothing else wakes the loop; it would wait for the guard.
  REQUIRE(run_until(loop, [&] { return done == 5; }));
}

TEST_CASE("loop: what has come is heard before what is due, in the first turn, too", "[io][loop]") {
  Loop loop;
  std::string order;
  auto [ours, theirs] = chatd::test::unix_pair();
  REQUIRE(::send(theirs.get(), "x", 1, 0) == 1);
  std::optional<Readiness> reading;
  reading.emplace(loop, ours.get(), chatd::io::kReadable, [&] {
    order += 'r';
    reading->stop();
  });
  reading->start();
  Timer timer{loop, [&] { order += 't'; }};
  timer.start_at(loop.now() - Duration{1000});
  REQUIRE(run_until(loop, [&] { return order.size() == 2; }));
  CHECK(order == "rt");
}

TEST_CASE("loop: the longest turn is known, whatever made it long", "[io][loop]") {
  constexpr std::uint64_t kBusyNs = 20'000'000;
  const auto be_busy = [] {
    const std::uint64_t until = uv_hrtime() + kBusyNs;
    while (uv_hrtime() < until) {
    }
  };
  Loop loop;
  bool done = false;
  std::optional<Timer> timer;
  std::optional<Signal> signal;
  SECTION("a timer") {
    timer.emplace(loop, [&] {
      be_busy();
      done = true;
    });
    timer->start(Duration{1});
  }
  SECTION("a descriptor, by way of a signal") {
    signal.emplace(loop, SIGUSR2, [&] {
      be_busy();
      done = true;
    });
    ::raise(SIGUSR2);
  }
  SECTION("the end of the turn") {
    loop.at_turn_end([&] {
      if (!std::exchange(done, true)) be_busy();
    });
  }
  REQUIRE(run_until(loop, [&] { return done; }));
  // The beginning is known to the millisecond where libuv alone has seen it.
  CHECK(loop.longest_turn_ms() >= 18);
}

TEST_CASE("loop: one that ends with an open handle ends the process", "[io][loop]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    static uv_timer_t forgotten;
    {
      Loop loop;
      uv_timer_init(loop.raw(), &forgotten);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("timer: timers go off in the order of their times, each once", "[io][timer]") {
  Loop loop;
  std::string order;
  Timer late{loop, [&] { order += 'l'; }};
  Timer early{loop, [&] { order += 'e'; }};
  Timer moved{loop, [&] { order += 'm'; }};
  Timer never{loop, [&] { order += 'n'; }};
  Timer stopped{loop, [&] { order += 's'; }};
  const auto now = loop.now();
  moved.start_at(now);
  late.start_at(now + Duration{9});
  early.start_at(now + Duration{3});
  never.start_at(now + Duration{1});
  stopped.start(Duration{1});
  moved.start_at(now + Duration{6});
  never.start_at(kNever);
  stopped.stop();
  CHECK(run_until(loop, [&] { return order.size() == 3; }));
  CHECK(order == "eml");
  CHECK(loop.now() >= now + Duration{9});
}

TEST_CASE("timer: one whose time has passed goes off at once", "[io][timer]") {
  Loop loop;
  bool fired = false;
  Timer timer{loop, [&] { fired = true; }};
  timer.start_at(loop.now() - Duration{1000});
  CHECK(run_until(loop, [&] { return fired; }));
}

TEST_CASE("timer: one that starts itself again at once leaves the others their turn",
          "[io][timer]") {
  Loop loop;
  int fired = 0;
  bool other = false;
  std::optional<Timer> restless;
  restless.emplace(loop, [&] {
    // Without its limit this is an endless loop inside libuv.
    if (++fired == 100'000) std::abort();
    restless->start_at(loop.now());
  });
  restless->start(Duration{0});
  Signal signal{loop, SIGUSR2, [&] { other = true; }};
  ::raise(SIGUSR2);
  CHECK(run_until(loop, [&] { return other && fired > 1; }));
}

TEST_CASE("timer: may be destroyed inside its own callback", "[io][timer]") {
  Loop loop;
  bool fired = false;
  std::unique_ptr<Timer> timer;
  const std::string kept(100, 'x');
  std::string seen;
  timer = std::make_unique<Timer>(loop, [&, kept] {
    timer.reset();
    seen = kept;
    fired = true;
  });
  timer->start(Duration{0});
  CHECK(run_until(loop, [&] { return fired; }));
  CHECK(seen == kept);
}

TEST_CASE("timer: does not keep the loop running", "[io][timer]") {
  Loop loop;
  bool fired = false;
  Timer timer{loop, [&] { fired = true; }};
  timer.start(Duration{3'600'000});
  loop.run();
  CHECK_FALSE(fired);
}

TEST_CASE("signal: calls back each time and does not keep the loop running", "[io][signal]") {
  Loop loop;
  int hangups = 0;
  const Signal signal{loop, SIGHUP, [&] { ++hangups; }};
  loop.run();
  ::raise(SIGHUP);
  REQUIRE(run_until(loop, [&] { return hangups == 1; }));
  ::raise(SIGHUP);
  CHECK(run_until(loop, [&] { return hangups == 2; }));
}
