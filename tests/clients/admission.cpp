/// Admission and Peer together, because which addresses count as one is half of it.
/// The clock is the test's.
#include "clients/admission.hpp"

#include <string>

#include "io/endpoint.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

Peer peer_at(const std::string& address, std::uint16_t port = 4711) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, port}.to_socket_address(storage);
  REQUIRE(length);
  return Peer{storage, *length};
}

using Answer = Admission::Answer;

TEST_CASE("admission: no session beyond the limit comes in, and a freed place is used again",
          "[clients][admission]") {
  Admission admission;
  admission.set_limits(2, 0);
  const Peer a = peer_at("192.0.2.1");
  CHECK(admission.admit(a) == Answer::kYes);
  CHECK(admission.admit(a) == Answer::kYes);
  CHECK(admission.admit(a) == Answer::kTooMany);
  admission.leave(a);
  CHECK(admission.admit(a) == Answer::kYes);
  CHECK(admission.admit(a) == Answer::kTooMany);
}

TEST_CASE("admission: each address has a limit of its own, whatever the port",
          "[clients][admission]") {
  Admission admission;
  admission.set_limits(100, 2);
  CHECK(admission.admit(peer_at("192.0.2.1", 1)) == Answer::kYes);
  CHECK(admission.admit(peer_at("192.0.2.1", 2)) == Answer::kYes);
  CHECK(admission.admit(peer_at("192.0.2.1", 3)) == Answer::kTooManyFromAddress);
  CHECK(admission.admit(peer_at("192.0.2.2", 1)) == Answer::kYes);
  admission.leave(peer_at("192.0.2.1", 1));
  CHECK(admission.admit(peer_at("192.0.2.1", 3)) == Answer::kYes);
}

TEST_CASE("admission: an IPv6 address counts by its /64, a mapped one as IPv4",
          "[clients][admission]") {
  Admission admission;
  admission.set_limits(100, 1);
  CHECK(admission.admit(peer_at("2001:db8:0:1::1")) == Answer::kYes);
  CHECK(admission.admit(peer_at("2001:db8:0:1:ffff:ffff:ffff:ffff")) ==
        Answer::kTooManyFromAddress);
  CHECK(admission.admit(peer_at("2001:db8:0:2::1")) == Answer::kYes);
  CHECK(admission.admit(peer_at("::ffff:192.0.2.1")) == Answer::kYes);
  CHECK(admission.admit(peer_at("192.0.2.1")) == Answer::kTooManyFromAddress);
  // Two mapped addresses share the upper 64 bits and are still two.
  CHECK(admission.admit(peer_at("::ffff:192.0.2.2")) == Answer::kYes);
  // 32.1.13.184 are the first bytes of 2001:db8::/32.
  CHECK(admission.admit(peer_at("32.1.13.184")) == Answer::kYes);
}

TEST_CASE("admission: unix sockets have no limit but that of all sessions",
          "[clients][admission]") {
  Admission admission;
  admission.set_limits(3, 1);
  const Peer here;
  for (int i = 0; i < 3; ++i) CHECK(admission.admit(here) == Answer::kYes);
  CHECK(admission.admit(here) == Answer::kTooMany);
  admission.leave(here);
  CHECK(admission.admit(peer_at("192.0.2.1")) == Answer::kYes);
}

TEST_CASE("admission: a refusal takes no place", "[clients][admission]") {
  Admission admission;
  admission.set_limits(2, 1);
  const Peer a = peer_at("192.0.2.1");
  CHECK(admission.admit(a) == Answer::kYes);
  for (int i = 0; i < 10; ++i) CHECK(admission.admit(a) == Answer::kTooManyFromAddress);
  CHECK(admission.admit(peer_at("192.0.2.2")) == Answer::kYes);
  for (int i = 0; i < 10; ++i) CHECK(admission.admit(a) == Answer::kTooMany);
  admission.leave(a);
  CHECK(admission.admit(a) == Answer::kYes);
}

TEST_CASE("admission: lower limits hold for whoever comes next", "[clients][admission]") {
  Admission admission;
  admission.set_limits(10, 5);
  const Peer a = peer_at("192.0.2.1");
  for (int i = 0; i < 3; ++i) CHECK(admission.admit(a) == Answer::kYes);
  admission.set_limits(10, 2);
  CHECK(admission.admit(a) == Answer::kTooManyFromAddress);
  admission.leave(a);
  CHECK(admission.admit(a) == Answer::kTooManyFromAddress);
  admission.leave(a);
  CHECK(admission.admit(a) == Answer::kYes);
  admission.set_limits(1, 0);
  CHECK(admission.admit(peer_at("192.0.2.2")) == Answer::kTooMany);
}

}  // namespace
}  // namespace chatd::test
