/// Peers: how an address is written, and who is at the other end of a unix socket.
#include "io/peer.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "io/endpoint.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

io::Peer peer_at(const std::string& address, std::uint16_t port) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, port}.to_socket_address(storage);
  REQUIRE(length);
  return io::Peer{storage, *length};
}

TEST_CASE("peer: an address is written as people write it", "[io][peer]") {
  struct Row {
    std::string address;
    std::uint16_t port;
    std::string written;
  };
  const std::vector<Row> rows{
      {"192.0.2.1", 4711, "192.0.2.1:4711"},
      {"0.0.0.0", 1, "0.0.0.0:1"},
      {"255.255.255.255", 65535, "255.255.255.255:65535"},
      {"2001:db8::1", 4711, "[2001:db8::1]:4711"},
      {"::", 80, "[::]:80"},
      {"::1", 80, "[::1]:80"},
      {"::ffff:192.0.2.1", 80, "192.0.2.1:80"},
  };
  for (const auto& row : rows) {
    INFO(row.address);
    const io::Peer peer = peer_at(row.address, row.port);
    CHECK(peer.to_string() == row.written);
    CHECK(peer.has_address());
  }
}

TEST_CASE("peer: a unix socket is \"unix:\" and has no address", "[io][peer]") {
  CHECK(io::Peer{}.to_string() == "unix:");
  CHECK_FALSE(io::Peer{}.has_address());
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  const io::Peer peer{storage, sizeof(sa_family_t)};
  CHECK(peer.to_string() == "unix:");
  CHECK_FALSE(peer.has_address());
}

TEST_CASE("peer: an address that is cut short is not one", "[io][peer]") {
  sockaddr_storage storage{};
  storage.ss_family = AF_INET;
  CHECK_FALSE(io::Peer(storage, sizeof(sockaddr_in) - 1).has_address());
  storage.ss_family = AF_INET6;
  CHECK_FALSE(io::Peer(storage, sizeof(sockaddr_in6) - 1).has_address());
}

TEST_CASE("peer: a user of the machine is known by its number", "[io][peer]") {
  const auto user = io::Peer::of_user(1000);
  CHECK(user.to_string() == "uid:1000");
  CHECK(user.user() == uid_t{1000});
  CHECK_FALSE(user.has_address());
  CHECK(io::Peer::of_user(0).to_string() == "uid:0");
  CHECK_FALSE(io::Peer{}.user());
  CHECK_FALSE(peer_at("192.0.2.1", 1).user());
}

TEST_CASE("peer: the kernel says which user has connected", "[io][peer]") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  io::Peer peer;
  peer.learn_user(ends[0]);
  CHECK(peer.user() == ::getuid());
  ::close(ends[0]);
  ::close(ends[1]);
  io::Peer address = peer_at("192.0.2.1", 1);
  address.learn_user(-1);
  CHECK(address.to_string() == "192.0.2.1:1");
}

}  // namespace
}  // namespace chatd::test
