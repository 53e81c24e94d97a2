#include "service/notify.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>

#include "service/wait_for.hpp"

using chatd::UniqueFd;
using chatd::service::Notify;

TEST_CASE("notify: a manager may have a socket without a file", "[service][notify]") {
  const auto name = "chatd-test-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const UniqueFd manager{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  REQUIRE(::bind(manager.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);

  const Notify notify{"@" + name};
  REQUIRE(notify.has_manager());
  REQUIRE(notify.say("READY=1"));
  char said[100];
  REQUIRE(::recv(manager.get(), said, sizeof said, MSG_DONTWAIT) == 7);
  CHECK(std::string(said, 7) == "READY=1");
}

TEST_CASE("notify: without a manager nothing is said", "[service][notify]") {
  for (const std::string& address :
       {std::string{}, std::string{"/"}, std::string(200, 'x'), std::string{"/nobody/is/there"}}) {
    const Notify notify{address};
    CHECK_FALSE(notify.has_manager());
    CHECK(notify.say("READY=1"));
  }
}

TEST_CASE("notify: a signal does not end a wait", "[service][notify]") {
  using namespace std::chrono_literals;
  static std::atomic<int> signals;
  struct sigaction act {};  // without SA_RESTART, as libuv's is not for poll() anyway
  act.sa_handler = [](int) { ++signals; };
  struct sigaction before {};
  REQUIRE(::sigaction(SIGUSR1, &act, &before) == 0);
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const UniqueFd ours{ends[0]};
  std::thread other{[waiting = ::pthread_self(), theirs = UniqueFd{ends[1]}]() mutable {
    // One that comes before the wait ends nothing either; so there are some.
    for (int sent = 0; sent < 20; ++sent) {
      ::pthread_kill(waiting, SIGUSR1);
      std::this_thread::sleep_for(5ms);
    }
    theirs.reset();
  }};
  CHECK(chatd::service::wait_for(ours.get(), 0, 60s));
  CHECK(signals > 0);
  other.join();
  // And it ends in time.
  std::array<int, 2> idle{};
  REQUIRE(::pipe2(idle.data(), O_CLOEXEC) == 0);
  const UniqueFd reading{idle[0]};
  const UniqueFd writing{idle[1]};
  CHECK_FALSE(chatd::service::wait_for(reading.get(), POLLIN, 1ms));
  REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
}
