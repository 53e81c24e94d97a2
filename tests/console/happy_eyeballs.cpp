// Connecting to the first of several addresses: ones that refuse, that never answer, that
// answer. Time is told by what has not happened: where a wait would be too long, it is an
// hour.
#include "console/happy_eyeballs.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "io/timer.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::console {

namespace {

using io::Endpoint;

constexpr Duration kHour{3'600'000};
constexpr Duration kAtOnce{1};

UniqueFd make_socket() {
  return UniqueFd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

Endpoint name_of(const UniqueFd& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return Endpoint::of(storage, length);
}

/// A socket at a port of 127.0.0.1, which nobody else gets as long as it lives. It refuses
/// until it listens.
struct Server {
  Server() {
    sockaddr_storage storage{};
    auto length = Endpoint{"127.0.0.1", 0}.to_socket_address(storage);
    REQUIRE(length);
    const auto* name = reinterpret_cast<const sockaddr*>(&storage);
    REQUIRE(::bind(socket.get(), name, *length) == 0);
    address = name_of(socket);
  }
  void listen(int backlog) { REQUIRE(::listen(socket.get(), backlog) == 0); }
  [[nodiscard]] UniqueFd accept() const {
    return UniqueFd{::accept(socket.get(), nullptr, nullptr)};
  }

  UniqueFd socket = make_socket();
  Endpoint address;
};

struct Answering : Server {
  Answering() { listen(8); }
};

/// Its queue is full, so that the kernel drops whatever else wants to connect.
struct Silent : Server {
  Silent() {
    listen(0);
    sockaddr_storage storage{};
    auto length = address.to_socket_address(storage);
    REQUIRE(length);
    const auto* name = reinterpret_cast<const sockaddr*>(&storage);
    for (;;) {
      UniqueFd filler = make_socket();
      (void)::connect(filler.get(), name, *length);
      pollfd ready{filler.get(), POLLOUT, 0};
      const bool taken = ::poll(&ready, 1, 100) == 1;
      // One that was not taken would come again, and take the room that somebody makes.
      if (!taken) return;
      fillers.push_back(std::move(filler));
      REQUIRE(fillers.size() < 16);
    }
  }
  std::vector<UniqueFd> fillers;
};

Endpoint reached(std::variant<Reached, AllUnreached>& outcome) {
  REQUIRE(std::holds_alternative<Reached>(outcome));
  return std::get<Reached>(outcome).address;
}

std::vector<int> errors_of(const std::variant<Reached, AllUnreached>& outcome) {
  REQUIRE(std::holds_alternative<AllUnreached>(outcome));
  std::vector<int> errors;
  for (const Unreached& each : std::get<AllUnreached>(outcome)) errors.push_back(each.error);
  return errors;
}

}  // namespace

TEST_CASE("happy eyeballs: families take turns, beginning with the first",
          "[console][happy-eyeballs]") {
  const auto ordered = [](const std::vector<std::string>& addresses) {
    std::vector<Endpoint> given;
    for (const std::string& each : addresses) given.push_back({each, 1});
    std::vector<std::string> order;
    for (const Endpoint& each : interleaved(given)) order.push_back(each.address);
    return order;
  };
  using List = std::vector<std::string>;
  CHECK(ordered({}).empty());
  CHECK(ordered({"::1", "::2", "::3", "1.1.1.1", "2.2.2.2"}) ==
        List{"::1", "1.1.1.1", "::2", "2.2.2.2", "::3"});
  CHECK(ordered({"1.1.1.1", "::1", "::2", "::3"}) == List{"1.1.1.1", "::1", "::2", "::3"});
  CHECK(ordered({"1.1.1.1", "2.2.2.2", "::1"}) == List{"1.1.1.1", "::1", "2.2.2.2"});
  CHECK(ordered({"1.1.1.1", "2.2.2.2"}) == List{"1.1.1.1", "2.2.2.2"});
}

TEST_CASE("happy eyeballs: the first that answers is taken, and the next not even tried",
          "[console][happy-eyeballs]") {
  io::Loop loop;
  const Answering first;
  const Answering second;
  auto outcome = reach(loop, {first.address, second.address}, kHour);
  CHECK(reached(outcome) == first.address);
  const UniqueFd theirs = first.accept();
  REQUIRE(theirs);
  const auto& ours = std::get<Reached>(outcome).socket;
  CHECK(::send(ours.get(), "x", 1, 0) == 1);
  CHECK(!second.accept());
}

TEST_CASE("happy eyeballs: after one that refuses the next follows without a delay",
          "[console][happy-eyeballs]") {
  io::Loop loop;
  const Server refusing;
  const Server another;
  const Answering answering;
  auto outcome = reach(loop, {refusing.address, another.address, answering.address}, kHour);
  CHECK(reached(outcome) == answering.address);
}

TEST_CASE("happy eyeballs: one that never answers holds the next up for the delay alone",
          "[console][happy-eyeballs]") {
  io::Loop loop;
  const Silent silent;
  const Answering answering;
  const std::size_t before = test::open_descriptors();
  auto outcome = reach(loop, {silent.address, answering.address}, kAtOnce);
  CHECK(reached(outcome) == answering.address);
  // The attempt that is not decided has been given up.
  CHECK(test::open_descriptors() == before + 1);
}

TEST_CASE("happy eyeballs: an attempt that began earlier may still win",
          "[console][happy-eyeballs]") {
  io::Loop loop;
  Silent silent;
  const Server refusing;
  // The kernel asks again after a second, and by then there is room.
  io::Timer room{loop, [&] {
                   while (silent.accept()) {
                   }
                 }};
  room.start(Duration{10});
  auto outcome = reach(loop, {silent.address, refusing.address}, kAtOnce);
  CHECK(reached(outcome) == silent.address);
}

TEST_CASE("happy eyeballs: if nobody answers, each address has its reason",
          "[console][happy-eyeballs]") {
  io::Loop loop;
  const Server refusing;
  const std::size_t before = test::open_descriptors();
  CHECK(errors_of(reach(loop, {refusing.address, refusing.address}, kHour)) ==
        std::vector{ECONNREFUSED, ECONNREFUSED});
  CHECK(errors_of(reach(loop, {{"unix:/nobody/is/here", 0}}, kHour)) == std::vector{ENOENT});
  CHECK(errors_of(reach(loop, {}, kHour)).empty());
  CHECK(test::open_descriptors() == before);
}

}  // namespace chatd::console
