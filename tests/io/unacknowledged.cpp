#include "io/unacknowledged.hpp"

#include <sys/socket.h>

#include <array>

#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::io::counts_bytes;
using chatd::io::unacknowledged;
using chatd::io::unread;
using chatd::test::tcp_pair;
using chatd::test::unix_pair;

namespace {

std::size_t fill(int socket) {
  const std::array<char, 4096> part{};
  std::size_t sum = 0;
  for (ssize_t sent = 0; sent >= 0; sum += sent > 0 ? static_cast<std::size_t>(sent) : 0) {
    sent = ::send(socket, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  return sum;
}

}  // namespace

TEST_CASE("unacknowledged: bytes and an end of file over TCP", "[io][unacknowledged]") {
  auto [ours, theirs] = tcp_pair(2048);
  CHECK(counts_bytes(ours.get()));
  CHECK(unacknowledged(ours.get()) == 0);
  const std::size_t given = fill(ours.get());
  const std::size_t owed = unacknowledged(ours.get());
  CHECK(owed > 0);
  CHECK(owed < given);
  ::shutdown(ours.get(), SHUT_WR);
  CHECK(unacknowledged(ours.get()) == owed + 1);
  chatd::test::reset_connection(theirs);
  CHECK(unacknowledged(ours.get()) == owed + 1);
}

TEST_CASE("unacknowledged: what has arrived is unread until it is read", "[io][unacknowledged]") {
  for (auto& [ours, theirs] : {tcp_pair(2048), unix_pair()}) {
    CHECK(unread(ours.get()) == 0);
    REQUIRE(::send(theirs.get(), "hello", 5, 0) == 5);
    CHECK(unread(ours.get()) == 5);
    char buffer[8];
    REQUIRE(::recv(ours.get(), buffer, 4, 0) == 4);
    CHECK(unread(ours.get()) == 1);
    REQUIRE(::recv(ours.get(), buffer, 4, 0) == 1);
    ::shutdown(theirs.get(), SHUT_WR);
    CHECK(unread(ours.get()) == 0);
  }
  CHECK(unread(-1) == 0);
}

TEST_CASE("unacknowledged: at least the bytes on a unix socket, until they are read",
          "[io][unacknowledged]") {
  auto [ours, theirs] = unix_pair();
  CHECK_FALSE(counts_bytes(ours.get()));
  CHECK(unacknowledged(ours.get()) == 0);
  REQUIRE(::send(ours.get(), "hello", 5, 0) == 5);
  CHECK(unacknowledged(ours.get()) >= 5);
  char buffer[8];
  REQUIRE(::recv(theirs.get(), buffer, 4, 0) == 4);
  CHECK(unacknowledged(ours.get()) > 0);
  REQUIRE(::recv(theirs.get(), buffer, 4, 0) == 1);
  CHECK(unacknowledged(ours.get()) == 0);
  ::shutdown(ours.get(), SHUT_WR);
  CHECK(unacknowledged(ours.get()) == 0);
}

TEST_CASE("unacknowledged: nothing, after a unix peer has left", "[io][unacknowledged]") {
  auto [ours, theirs] = unix_pair();
  REQUIRE(::send(ours.get(), "hello", 5, 0) == 5);
  theirs.reset();
  CHECK(unacknowledged(ours.get()) == 0);
}
