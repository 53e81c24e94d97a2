/// The listeners by themselves, on real sockets and without sessions.
#include "clients/doors.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "io/endpoint.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {
namespace {

constexpr auto kLine = core::DialectSetting::kLine;
constexpr auto kAuto = core::DialectSetting::kAuto;
constexpr auto kTelnet = core::DialectSetting::kTelnet;

using Listeners = std::vector<Listener>;

Listener at(const std::string& address, std::uint16_t port = 0,
            core::DialectSetting dialect = kLine) {
  return {{address, port}, dialect, 64};
}

/// An address that no machine has, so that nobody can listen there.
Listener impossible() {
  return at("192.0.2.1");
}

class Hall {
 public:
  explicit Hall(io::Loop& loop, Listeners listeners = {at("127.0.0.1")})
      : doors{loop,
              std::move(listeners),
              {[this](Doors::Visitor visitor) { visitors.push_back(std::move(visitor)); },
               [this](const std::string& why) { missing.push_back(why); }}} {}

  [[nodiscard]] std::uint16_t port(std::size_t listener = 0) const {
    return io::Endpoint::parse(doors.addresses().at(listener))->port;
  }

  std::vector<Doors::Visitor> visitors;
  std::vector<std::string> missing;
  Doors doors;
};

UniqueFd connected(const std::string& name) {
  auto endpoint = io::Endpoint::parse(name);
  sockaddr_storage address{};
  const auto length = endpoint->to_socket_address(address);
  UniqueFd socket{::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), to, *length) != 0) socket.reset();
  return socket;
}

/// Somebody else's socket, listening.
UniqueFd listening(std::uint16_t port = 0) {
  UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage address{};
  const auto length = io::Endpoint{"127.0.0.1", port}.to_socket_address(address);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), *length) == 0);
  REQUIRE(::listen(socket.get(), 64) == 0);
  return socket;
}

std::uint16_t port_of(const UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return ntohs(address.sin_port);
}

TEST_CASE("doors: whoever connects is passed on with what is known of the listener",
          "[clients][doors]") {
  io::Loop loop;
  Hall hall{loop, {at("127.0.0.1", 0, kLine), at("127.0.0.1", 0, kTelnet)}};
  REQUIRE(hall.doors.listen({}, false));
  const auto addresses = hall.doors.addresses();
  REQUIRE(addresses.size() == 2);
  const auto client = connected(addresses[1]);
  REQUIRE(run_until(loop, [&] { return hall.visitors.size() == 1; }));
  const Doors::Visitor& visitor = hall.visitors[0];
  CHECK(visitor.socket);
  CHECK(visitor.peer.to_string().starts_with("127.0.0.1:"));
  CHECK(visitor.configured->dialect == kTelnet);
  CHECK(hall.doors.name(visitor.listener) == addresses[1]);
  CHECK(hall.doors.passed().empty());
}

TEST_CASE("doors: where none can be opened, and that will not change, it is an error",
          "[clients][doors]") {
  io::Loop loop;
  const auto other = listening();
  const auto port = port_of(other);
  Hall hall{loop, {impossible(), at("127.0.0.1", port)}};
  auto opened = hall.doors.listen({}, false);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find(std::to_string(port)) != std::string::npos);
  CHECK(opened.error().code == EADDRINUSE);
  CHECK(hall.doors.addresses().empty());
  CHECK(hall.doors.missing().empty());
  CHECK(hall.missing.empty());
}

TEST_CASE("doors: what cannot be opened is missing where another one is open", "[clients][doors]") {
  io::Loop loop;
  const auto other = listening();
  const auto taken = "127.0.0.1:" + std::to_string(port_of(other));
  Hall hall{loop, {at("127.0.0.1", port_of(other)), at("127.0.0.2"), impossible()}};
  REQUIRE(hall.doors.listen({}, false));
  CHECK(hall.doors.addresses().size() == 1);
  CHECK(hall.doors.missing() == std::vector<std::string>{taken, "192.0.2.1:0"});
  CHECK(hall.missing.size() == 2);
}

TEST_CASE("doors: an address that is not there yet is waited for, even if it is the only one",
          "[clients][doors]") {
  io::Loop loop;
  Hall hall{loop, {impossible()}};
  REQUIRE(hall.doors.listen({}, false));
  CHECK(hall.doors.addresses().empty());
  CHECK(hall.doors.missing() == std::vector<std::string>{"192.0.2.1:0"});
  REQUIRE(hall.missing.size() == 1);
  CHECK(hall.missing[0] == "listen on 192.0.2.1:0: Cannot assign requested address");
}

TEST_CASE("doors: a reload goes by what is missing already, and tries it at once",
          "[clients][doors]") {
  io::Loop loop;
  auto other = listening();
  const auto port = port_of(other);
  Hall hall{loop, {at("127.0.0.1", port), at("127.0.0.2")}};
  REQUIRE(hall.doors.listen({}, false));
  REQUIRE(hall.doors.apply({at("127.0.0.1", port, kTelnet), at("127.0.0.3"), at("127.0.0.2")}));
  CHECK(hall.doors.addresses().size() == 2);
  CHECK(hall.doors.missing().size() == 1);
  CHECK(hall.missing.size() == 1);  // said once
  // What is missing anew is refused, and so is a daemon that would listen nowhere.
  CHECK_FALSE(hall.doors.apply({at("127.0.0.1", port), at("127.0.0.2"), impossible()}));
  CHECK_FALSE(hall.doors.apply({at("127.0.0.1", port)}));
  CHECK(hall.doors.addresses().size() == 2);
  CHECK(hall.doors.missing().size() == 1);
  other.reset();
  REQUIRE(hall.doors.apply({at("127.0.0.1", port, kTelnet)}));
  CHECK(hall.doors.addresses() == std::vector{"127.0.0.1:" + std::to_string(port)});
  CHECK(hall.doors.missing().empty());
}

TEST_CASE("doors: a reload that fails changes nothing", "[clients][doors]") {
  io::Loop loop;
  Hall hall{loop, {at("127.0.0.1", 0, kLine), at("127.0.0.2", 0, kLine)}};
  REQUIRE(hall.doors.listen({}, false));
  const auto before = hall.doors.addresses();
  // One would be changed, one closed, one opened.
  CHECK_FALSE(hall.doors.apply({at("127.0.0.1", 0, kTelnet), at("127.0.0.3"), impossible()}));
  CHECK(hall.doors.addresses() == before);
  for (const auto& address : before) {
    hall.visitors.clear();
    const auto client = connected(address);
    REQUIRE(run_until(loop, [&] { return hall.visitors.size() == 1; }));
    CHECK(hall.visitors[0].configured->dialect == kLine);
  }
}

TEST_CASE("doors: a listener that stays keeps its socket, and is served as it is configured now",
          "[clients][doors]") {
  io::Loop loop;
  Hall hall{loop};
  REQUIRE(hall.doors.listen({}, false));
  const auto before = hall.doors.addresses();
  REQUIRE(hall.doors.apply({at("127.0.0.1", 0, kTelnet)}));
  CHECK(hall.doors.addresses() == before);
  const auto client = connected(before[0]);
  REQUIRE(run_until(loop, [&] { return hall.visitors.size() == 1; }));
  CHECK(hall.visitors[0].configured->dialect == kTelnet);
}

TEST_CASE("doors: an address may overlap with one that goes", "[clients][doors]") {
  const auto port = free_port();
  REQUIRE(port != 0);
  io::Loop loop;
  Hall hall{loop, {at("127.0.0.1", port)}};
  REQUIRE(hall.doors.listen({}, false));
  REQUIRE(hall.doors.apply({at("0.0.0.0", port)}));
  CHECK(hall.doors.addresses() == std::vector{"0.0.0.0:" + std::to_string(port)});
  CHECK(connected("127.0.0.1:" + std::to_string(port)));
}

TEST_CASE("doors: a closed listener keeps its index, and one at the same address gets it",
          "[clients][doors]") {
  io::Loop loop;
  Hall hall{loop};
  REQUIRE(hall.doors.listen({}, false));
  const auto name = hall.doors.addresses()[0];
  const auto index = hall.doors.index_of(name);
  REQUIRE(hall.doors.apply({at("127.0.0.2")}));
  CHECK(hall.doors.name(index) == name);
  const auto other = hall.doors.addresses()[0];
  CHECK(hall.doors.index_of(other) != index);
  CHECK(hall.doors.index_of(name) == index);
}

TEST_CASE("doors: where sessions go on, a missing listener is said once and comes back",
          "[clients][doors]") {
  io::Loop loop;
  auto other = listening();
  const auto port = port_of(other);
  Hall hall{loop, {at("127.0.0.1", port), at("127.0.0.2")}};
  REQUIRE(hall.doors.listen({}, true));
  CHECK(hall.doors.addresses().size() == 1);
  REQUIRE(hall.missing.size() == 1);
  CHECK(hall.missing[0].find(std::to_string(port)) != std::string::npos);
  other.reset();
  REQUIRE(run_until(loop, [&] { return hall.doors.addresses().size() == 2; }));
  CHECK(hall.doors.addresses()[1] == "127.0.0.1:" + std::to_string(port));
  CHECK(hall.missing.size() == 1);
}

TEST_CASE("doors: a missing listener that is configured no more is not tried again",
          "[clients][doors]") {
  io::Loop loop;
  auto other = listening();
  Hall hall{loop, {at("127.0.0.1", port_of(other)), at("127.0.0.2")}};
  REQUIRE(hall.doors.listen({}, true));
  const auto before = hall.doors.addresses();
  REQUIRE(hall.doors.apply({at("127.0.0.2")}));
  other.reset();
  bool tried = false;
  io::Timer later{loop, [&] { tried = true; }};
  later.start(Doors::kTryAgain + Duration{100});
  REQUIRE(run_until(loop, [&] { return tried; }));
  CHECK(hall.doors.addresses() == before);
}

TEST_CASE("doors: a unix socket whose file was removed is opened again by a reload",
          "[clients][doors]") {
  io::Loop loop;
  const auto path = "/tmp/chatd-doors-" + std::to_string(::getpid());
  Hall hall{loop, {at("unix:" + path)}};
  REQUIRE(hall.doors.listen({}, false));
  CHECK(connected("unix:" + path));
  std::filesystem::remove(path);
  CHECK_FALSE(connected("unix:" + path));
  REQUIRE(hall.doors.apply({at("unix:" + path)}));
  CHECK(connected("unix:" + path));
  CHECK(hall.doors.addresses().size() == 1);
  hall.doors.close();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("doors: sockets that are passed are all there are; the configuration says how to serve",
          "[clients][doors]") {
  io::Loop loop;
  auto known = listening();
  auto unknown = listening();
  const auto port = port_of(known);
  const auto descriptor = known.get();
  Hall hall{loop, {at("127.0.0.1", port, kTelnet), at("127.0.0.2")}};
  std::vector<UniqueFd> passed;
  passed.push_back(std::move(known));
  passed.push_back(std::move(unknown));
  const auto opened = hall.doors.listen(std::move(passed), false);
  REQUIRE(opened);
  const auto addresses = hall.doors.addresses();
  REQUIRE(addresses.size() == 2);
  const auto all = hall.doors.passed();
  CHECK(std::find(all.begin(), all.end(), descriptor) != all.end());
  const auto dialect_of = [&](const std::string& address) {
    hall.visitors.clear();
    const auto client = connected(address);
    REQUIRE(run_until(loop, [&] { return hall.visitors.size() == 1; }));
    return hall.visitors[0].configured->dialect;
  };
  CHECK(dialect_of(addresses[0]) == kTelnet);
  CHECK(dialect_of(addresses[1]) == kAuto);
  REQUIRE(hall.doors.apply({at("127.0.0.1", port, kLine)}));
  CHECK(hall.doors.addresses() == addresses);
  CHECK(dialect_of(addresses[0]) == kLine);
}

/// What `hall` leaves, with copies of its descriptors.
std::string saved(const Hall& hall, std::vector<UniqueFd>& copies) {
  ByteWriter out;
  std::vector<int> descriptors;
  hall.doors.save(out, descriptors);
  for (const int fd : descriptors) copies.emplace_back(::dup(fd));
  return out.bytes();
}

TEST_CASE("doors: the next process goes on with the sockets that are still wanted",
          "[clients][doors]") {
  io::Loop loop;
  std::vector<UniqueFd> descriptors;
  std::vector<std::string> before;
  std::string bytes;
  {
    Hall hall{loop, {at("127.0.0.1"), at("127.0.0.2")}};
    REQUIRE(hall.doors.listen({}, false));
    before = hall.doors.addresses();
    bytes = saved(hall, descriptors);
  }
  Hall next{loop, {at("127.0.0.2"), at("127.0.0.3")}};
  ByteReader in{bytes};
  CHECK(next.doors.restore(in, descriptors) == before);
  REQUIRE(in.finished());
  const auto waits = connected(before[1]);  // before anybody listens there anew
  REQUIRE(next.doors.listen({}, true));
  const auto after = next.doors.addresses();
  REQUIRE(after.size() == 2);
  CHECK(after[0] == before[1]);
  CHECK(run_until(loop, [&] { return next.visitors.size() == 1; }));
  CHECK_FALSE(connected(before[0]));
  CHECK(next.missing.empty());
}

TEST_CASE("doors: what was written down and is cut short is refused", "[clients][doors]") {
  io::Loop loop;
  Hall hall{loop};
  REQUIRE(hall.doors.listen({}, false));
  std::vector<UniqueFd> none;
  const auto bytes = saved(hall, none);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::vector<UniqueFd> descriptors;
    const auto same = saved(hall, descriptors);
    Hall next{loop};
    ByteReader in{std::string_view{same}.substr(0, size)};
    (void)next.doors.restore(in, descriptors);
    REQUIRE_FALSE(in.ok());
  }
}

}  // namespace
}  // namespace chatd::test
