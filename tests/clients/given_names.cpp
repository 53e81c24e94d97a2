/// What clients are called by where they come from.
#include "clients/given_names.hpp"

#include "io/endpoint.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

io::Peer peer_at(const std::string& address) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, 4711}.to_socket_address(storage);
  REQUIRE(length);
  return io::Peer{storage, *length};
}

TEST_CASE("given names: the most specific network counts", "[clients][names]") {
  const GivenNames names{{{"192.0.2.0/24", "lab"},
                          {"192.0.2.7", "printer"},
                          {"192.0.0.0/16", "house"},
                          {"2001:db8::/32", "six"},
                          {"uid:1000", "ann"},
                          {"0.0.0.0/0", "somebody"}}};
  CHECK(names.of(peer_at("192.0.2.7")) == "printer");
  CHECK(names.of(peer_at("192.0.2.8")) == "lab");
  CHECK(names.of(peer_at("192.0.3.7")) == "house");
  CHECK(names.of(peer_at("198.51.100.1")) == "somebody");
  CHECK(names.of(peer_at("::ffff:192.0.2.7")) == "printer");
  CHECK(names.of(peer_at("2001:db8::1")) == "six");
  CHECK(names.of(peer_at("2001:db9::1")).empty());
  CHECK(names.of(io::Peer::of_user(1000)) == "ann");
  CHECK(names.of(io::Peer::of_user(1001)).empty());
  CHECK(names.of(io::Peer{}).empty());
  CHECK(names.of(peer_at("192.0.2.7"), "door") == "printer");
  CHECK(GivenNames{{}}.of(peer_at("192.0.2.7")).empty());
}

TEST_CASE("given names: that of a certificate counts before any network", "[clients][names]") {
  const GivenNames names{{{"verified:door.example", "door"}, {"0.0.0.0/0", "somebody"}}};
  CHECK(names.of(peer_at("192.0.2.7"), "door.example") == "door");
  CHECK(names.of(io::Peer{}, "door.example") == "door");
  CHECK(names.of(peer_at("192.0.2.7"), "door") == "somebody");
  CHECK(names.of(peer_at("192.0.2.7")) == "somebody");
}

}  // namespace
}  // namespace chatd::test
