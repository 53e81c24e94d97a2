#include "io/held_signals.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "io/loop.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {
namespace {

TEST_CASE("held signals: they wait for whoever takes them, and come once", "[io][signals]") {
  io::hold_signals();
  CHECK_FALSE(io::is_held(SIGTERM));
  ::raise(SIGTERM);
  ::kill(::getpid(), SIGHUP);
  ::kill(::getpid(), SIGHUP);
  CHECK(io::is_held(SIGTERM));
  CHECK(io::is_held(SIGHUP));
  CHECK_FALSE(io::is_held(SIGINT));
  std::vector<int> taken;
  io::Loop loop;
  {
    const io::HeldSignals signals{loop, [&](int signal, bool) { taken.push_back(signal); }};
    REQUIRE(run_until(loop, [&] { return taken.size() == 2; }));
    CHECK_FALSE(io::is_held(SIGTERM));
    // Of another thread, which holds them too.
    std::thread{[] { ::kill(::getpid(), SIGUSR2); }}.join();
    REQUIRE(run_until(loop, [&] { return taken.size() == 3; }));
  }
  CHECK(taken.back() == SIGUSR2);
  // Nobody takes them: they wait for the next one.
  ::raise(SIGINT);
  run_pending(loop);
  CHECK(io::is_held(SIGINT));
  const io::HeldSignals signals{loop, [&](int signal, bool) { taken.push_back(signal); }};
  REQUIRE(run_until(loop, [&] { return taken.size() == 4; }));
  CHECK(taken.back() == SIGINT);
  io::release_signals();
}

}  // namespace
}  // namespace chatd::test
