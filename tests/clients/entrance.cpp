/// Who may come in: limits and bans together, what is said of them, and what is kept.
#include "clients/entrance.hpp"

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "io/endpoint.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {
namespace {

io::Peer peer_at(const std::string& address) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, 4711}.to_socket_address(storage);
  REQUIRE(length);
  return {storage, *length};
}

io::Network network(std::string_view text) {
  auto parsed = io::Network::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

Config::Limits limits(std::size_t sessions, std::size_t per_address) {
  Config::Limits limits;
  limits.connects_per_second = 0;
  limits.sessions = sessions;
  limits.sessions_per_address = per_address;
  return limits;
}

/// Asks and, if there is an obstacle, refuses at once; returns the reason.
std::optional<std::string> admit(Entrance& entrance, const io::Peer& peer) {
  const auto answer = entrance.admit(peer);
  if (answer.obstacle.empty()) return {};
  entrance.refuse(answer);
  return answer.obstacle;
}

class Gate {
 public:
  explicit Gate(std::size_t fits = 100)
      : entrance{loop,
                 fits,
                 nullptr,
                 accounts,
                 {[this](const BanChange& change) {
                    said.push_back(change.network.to_string() +
                                   (change.ban != nullptr ? " banned by " : " free by ") +
                                   std::string{change.by});
                  },
                  [this](Accounts::Number newcomer, Accounts::Number full) {
                    asked.push_back(
                        accounts.origin(newcomer).to_string() + " of " +
                        (full == Accounts::kNone ? "all" : accounts.origin(full).to_string()));
                    return somebody_goes;
                  }}} {
    entrance.set_limits(limits(100, 0));
  }

  io::Loop loop;
  std::vector<std::string> said;
  std::vector<std::string> asked;  ///< who was asked to make room
  bool somebody_goes = false;
  Accounts accounts;
  Entrance entrance;
};

const std::string kFull = "the limit of sessions is reached (limits.sessions)";
const std::string kFullFromAddress =
    "the limit of sessions from one address is reached (limits.sessions_per_address)";

TEST_CASE("entrance: visitors come in place of those who are away, not beyond the descriptors",
          "[clients][entrance]") {
  using Coming = Accounts::Coming;
  Gate gate{2};
  Entrance& entrance = gate.entrance;
  entrance.set_limits(limits(100, 0));
  const auto away = entrance.enter_away(peer_at("192.0.2.1"));
  CHECK(entrance.spare_descriptors() == 2);
  const auto client = entrance.admit(peer_at("192.0.2.2"));
  REQUIRE(client.obstacle.empty());
  CHECK_FALSE(client.extra);
  CHECK(entrance.admit(peer_at("192.0.2.3")).obstacle == kFull);
  const auto visitor = entrance.admit(peer_at("192.0.2.3"), Coming::kVisitor);
  REQUIRE(visitor.obstacle.empty());
  CHECK(visitor.extra);
  CHECK(entrance.spare_descriptors() == 0);
  CHECK(entrance.admit(peer_at("192.0.2.4"), Coming::kVisitor).obstacle == kFull);
  CHECK(entrance.lacks_session(visitor.account) == kFull);
  gate.somebody_goes = true;  // and makes room
  CHECK(entrance.lacks_session(visitor.account).empty());
  gate.somebody_goes = false;
  entrance.leave_away(away);
  CHECK(entrance.lacks_session(visitor.account).empty());
  // For whom room is made, though who makes it leaves later, there is a place.
  gate.somebody_goes = true;
  const auto late = entrance.admit(peer_at("192.0.2.5"), Coming::kVisitor);
  REQUIRE(late.obstacle.empty());
  CHECK_FALSE(late.extra);
}

TEST_CASE("entrance: whoever is refused is told to the caller with the reason, and counted",
          "[clients][entrance]") {
  Gate gate;
  Entrance& entrance = gate.entrance;
  const auto a = peer_at("192.0.2.1");
  entrance.set_limits(limits(3, 2));
  CHECK_FALSE(admit(entrance, a));
  CHECK_FALSE(admit(entrance, a));
  CHECK(admit(entrance, a) == kFullFromAddress);
  CHECK_FALSE(admit(entrance, peer_at("192.0.2.2")));
  CHECK(admit(entrance, peer_at("192.0.2.3")) == kFull);
  REQUIRE(entrance.ban(network("198.51.100.0/24"), Duration{0}, "ann"));
  CHECK(admit(entrance, peer_at("198.51.100.7")) == "its address is banned (198.51.100.0/24)");
  CHECK(entrance.refused() == 3);
  entrance.leave(gate.accounts.of(a));
  CHECK_FALSE(admit(entrance, a));
  CHECK(entrance.refused() == 3);
}

TEST_CASE("entrance: before somebody is refused, another is asked to make room",
          "[clients][entrance]") {
  Gate gate;
  Entrance& entrance = gate.entrance;
  entrance.set_limits(limits(2, 1));
  const auto a = peer_at("192.0.2.1");
  const auto b = peer_at("192.0.2.2");
  CHECK_FALSE(admit(entrance, a));
  CHECK(gate.asked.empty());
  CHECK(admit(entrance, a) == kFullFromAddress);
  gate.somebody_goes = true;
  CHECK_FALSE(admit(entrance, a));
  entrance.leave(gate.accounts.of(a));  // who made room
  CHECK_FALSE(admit(entrance, b));
  CHECK_FALSE(admit(entrance, peer_at("192.0.2.3")));
  CHECK(gate.asked == std::vector<std::string>{"192.0.2.1 of 192.0.2.1", "192.0.2.1 of 192.0.2.1",
                                               "192.0.2.3 of all"});
  CHECK(entrance.refused() == 1);
}

TEST_CASE("entrance: a limit that is reached may not be in a moment, a ban stays",
          "[clients][entrance]") {
  Gate gate{3};
  Entrance& entrance = gate.entrance;
  entrance.set_limits(limits(2, 1));
  CHECK(entrance.spare_descriptors() == 3);
  const auto a = peer_at("192.0.2.1");
  const auto may_pass = [&](const io::Peer& peer) {
    const auto answer = entrance.admit(peer);
    REQUIRE_FALSE(answer.obstacle.empty());
    return answer.may_pass;
  };
  REQUIRE_FALSE(admit(entrance, a));
  CHECK(may_pass(a));
  REQUIRE_FALSE(admit(entrance, peer_at("192.0.2.2")));
  CHECK(may_pass(peer_at("192.0.2.3")));
  REQUIRE(entrance.ban(network("192.0.2.1"), Duration{0}, "ann"));
  CHECK_FALSE(may_pass(a));
  CHECK(entrance.refused() == 0);
  CHECK(entrance.spare_descriptors() == 1);
  for (int i = 0; i < 3; ++i) entrance.readmit(a);
  CHECK(entrance.spare_descriptors() == 0);
}

TEST_CASE("entrance: whoever connects too often is refused, and asking again is not connecting",
          "[clients][entrance]") {
  Gate gate;
  Entrance& entrance = gate.entrance;
  auto config = limits(100, 0);
  config.connects_per_second = 1;
  entrance.set_limits(config);
  const auto a = peer_at("192.0.2.1");
  for (int i = 0; i < 5; ++i) CHECK_FALSE(admit(entrance, a));
  const auto answer = entrance.admit(a);
  CHECK(answer.obstacle == "its address connects too often (limits.connects_per_second)");
  CHECK_FALSE(answer.may_pass);
  CHECK_FALSE(admit(entrance, peer_at("192.0.2.2")));
  CHECK(entrance.admit(a, Accounts::Coming::kClient, true).obstacle.empty());
}

TEST_CASE("entrance: a user of the machine is limited and banned as an address is",
          "[clients][entrance]") {
  Gate gate;
  Entrance& entrance = gate.entrance;
  entrance.set_limits(limits(100, 2));
  const auto user = io::Peer::of_user(1000);
  CHECK_FALSE(admit(entrance, user));
  CHECK_FALSE(admit(entrance, user));
  CHECK(admit(entrance, user) == kFullFromAddress);
  CHECK_FALSE(admit(entrance, io::Peer::of_user(1001)));
  REQUIRE(entrance.ban(network("uid:1001"), Duration{0}, "ann"));
  CHECK(admit(entrance, io::Peer::of_user(1001)) == "its address is banned (uid:1001)");
}

TEST_CASE("entrance: the descriptor limit holds where it is lower", "[clients][entrance]") {
  Gate gate{1};
  CHECK_FALSE(admit(gate.entrance, peer_at("192.0.2.1")));
  CHECK(admit(gate.entrance, peer_at("192.0.2.2")) == kFull);
}

TEST_CASE("entrance: whoever is turned away after all leaves a place to another",
          "[clients][entrance]") {
  Gate gate{1};
  const auto a = peer_at("192.0.2.1");
  REQUIRE_FALSE(admit(gate.entrance, a));
  gate.entrance.turn_away(gate.accounts.of(a), "there is no descriptor");
  CHECK(gate.entrance.refused() == 1);
  CHECK_FALSE(admit(gate.entrance, a));
}

TEST_CASE("entrance: whoever is in already comes back, whatever the limits and bans are",
          "[clients][entrance]") {
  Gate gate{1};
  const auto a = peer_at("192.0.2.1");
  REQUIRE(gate.entrance.ban(network("192.0.2.1"), Duration{0}, "ann"));
  gate.entrance.readmit(a);
  gate.entrance.readmit(a);
  gate.entrance.leave(gate.accounts.of(a));
  CHECK(admit(gate.entrance, peer_at("192.0.2.2")) == kFull);
  gate.entrance.leave(gate.accounts.of(a));
  CHECK_FALSE(admit(gate.entrance, peer_at("192.0.2.2")));
  CHECK(gate.entrance.refused() == 1);
}

TEST_CASE("entrance: each change of a ban is said, with who has made it", "[clients][entrance]") {
  Gate gate;
  CHECK_FALSE(gate.entrance.keeps_bans());
  REQUIRE(gate.entrance.ban(network("192.0.2.1"), Duration{0}, "ann"));
  REQUIRE(gate.entrance.ban(network("192.0.2.1"), Duration{0}, "ben"));
  CHECK_FALSE(gate.entrance.unban(network("192.0.2.2"), "ben"));
  REQUIRE(gate.entrance.unban(network("192.0.2.1"), "cy"));
  CHECK(gate.said == std::vector<std::string>{"192.0.2.1 banned by ann", "192.0.2.1 banned by ben",
                                              "192.0.2.1 free by cy"});
  CHECK(gate.entrance.bans().all().empty());
}

TEST_CASE("entrance: a ban ends by itself, and that is said of nobody", "[clients][entrance]") {
  Gate gate;
  const auto a = peer_at("192.0.2.1");
  REQUIRE(gate.entrance.ban(network("192.0.2.1"), Duration{20}, "ann"));
  CHECK(admit(gate.entrance, a));
  REQUIRE(run_until(gate.loop, [&] { return gate.said.size() == 2; }));
  CHECK(gate.said[1] == "192.0.2.1 free by ");
  CHECK_FALSE(admit(gate.entrance, a));
}

TEST_CASE("entrance: bans and the count of the refused go on in the next process",
          "[clients][entrance]") {
  Gate before;
  REQUIRE(before.entrance.ban(network("192.0.2.0/24"), Duration{60'000}, "ann"));
  REQUIRE(before.entrance.ban(network("2001:db8::/32"), Duration{0}, "ben"));
  CHECK(admit(before.entrance, peer_at("192.0.2.9")));
  ByteWriter out;
  before.entrance.save(out);

  Gate after;
  ByteReader in{out.bytes()};
  const auto saved = Entrance::read(in);
  REQUIRE(in.finished());
  after.entrance.restore(saved);
  CHECK(after.said.empty());
  CHECK(after.entrance.refused() == 1);
  CHECK(after.entrance.bans().all().size() == 2);
  CHECK(after.entrance.bans().deadline() > after.loop.now());
  CHECK(admit(after.entrance, peer_at("2001:db8::1")));
  ByteWriter again;
  Gate third;
  third.entrance.restore(saved);
  third.entrance.save(again);
  CHECK(again.bytes() == out.bytes());
  for (std::size_t size = 0; size < out.bytes().size(); ++size) {
    ByteReader part{std::string_view{out.bytes()}.substr(0, size)};
    (void)Entrance::read(part);
    REQUIRE_FALSE(part.ok());
  }
}

}  // namespace
}  // namespace chatd::test
