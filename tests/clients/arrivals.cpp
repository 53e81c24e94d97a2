/// What connections turn out to be, on real sockets; what takes seconds is in reception.cpp, and
/// TLS in tests/e2e/test_tls.py.
#include "clients/arrivals.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"
#include "support/folder.hpp"
#include "support/tls_client.hpp"

namespace chatd::test {
namespace {

Config auto_config() {
  Config config = line_config();
  config.listen = {Listener{{"127.0.0.1", 0}}};
  return config;
}

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

void wait(io::Loop& loop, Duration time) {
  bool is_over = false;
  io::Timer timer{loop, [&] { is_over = true; }};
  timer.start(time);
  REQUIRE(run_until(loop, [&] { return is_over; }));
}

/// A client that outlives the loop on which it has connected.
UniqueFd connected(Bench& bench) {
  auto endpoint = io::Endpoint::parse(bench.clients.doors().addresses().front());
  REQUIRE(endpoint);
  sockaddr_storage address{};
  auto length = endpoint->to_socket_address(address);
  REQUIRE(length);
  UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), *length) == 0);
  return socket;
}

/// Another process, which goes on with the clients of a first one. That one does nothing more.
struct Successor {
  Successor(Clients& before, const Config& config)
      : clients{loop, config, 10'000, journal}, turn_end{loop, [this] {
                                                           clients.connections().read_waiting(
                                                               false);
                                                           clients.connections().flush();
                                                         }} {
    ByteWriter out;
    std::vector<int> numbers;
    before.save(out, numbers);
    std::vector<UniqueFd> descriptors;
    for (const int number : numbers) descriptors.emplace_back(::dup(number));
    ByteReader in{out.bytes()};
    REQUIRE(clients.restore(in, descriptors));
    REQUIRE(clients.listen());
  }

  io::Loop loop;
  Journal journal{2UL << 20U};
  Clients clients;
  io::TurnEnd turn_end;
};

TEST_CASE("arrivals: nobody is a session before it is known what it is", "[clients][arrivals]") {
  Bench bench{auto_config()};
  Operator op{bench};
  op.result("subscribe");
  auto silent = bench.connect();
  auto page = bench.connect();
  page->read();
  page->send(kGet);
  REQUIRE(run_until(bench.loop, [&] { return page->ended(); }));
  CHECK(page->received().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(bench.clients.stats().sessions == 0);
  CHECK(bench.clients.stats().requests == 1);
  silent->send("hello\n");
  CHECK(op.wait_event("message")["text"] == "hello");
  CHECK(op.events().size() == 2);  // connected, message
}

TEST_CASE("arrivals: whoever leaves without a word was none", "[clients][arrivals]") {
  Bench bench{auto_config()};
  auto client = bench.connect();
  run_pending(bench.loop);
  CHECK(bench.clients.accounts().sessions() == 1);
  client->leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.accounts().sessions() == 0; }));
  CHECK(bench.clients.stats().accepted == 0);
  CHECK(bench.clients.stats().refused == 0);
}

TEST_CASE("arrivals: a question that ends with its connection's half is heard",
          "[clients][arrivals]") {
  Bench bench{auto_config()};
  Operator op{bench};
  op.result("subscribe");
  auto client = bench.connect();
  client->read();
  client->send("GET it?");
  client->end();
  CHECK(op.wait_event("asking")["session"] == 1);
  op.result("send", {{"to", 1}, {"text", "yes"}});
  REQUIRE(run_until(bench.loop, [&] { return client->ended(); }));
  CHECK(client->received() == "yes");
}

TEST_CASE("arrivals: they take places, and give way to others when they are not new",
          "[clients][arrivals]") {
  auto config = auto_config();
  config.limits.sessions = 2;
  Bench bench{config};
  // Two that have begun a request, and could take ten seconds for it.
  std::vector<std::unique_ptr<Peer>> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(bench.connect());
    slow.back()->read();
    slow.back()->send("GET / HTTP/1.1\r\n");
  }
  run_pending(bench.loop);
  CHECK(bench.clients.accounts().sessions() == 2);
  wait(bench.loop, Arrivals::kNew);
  auto client = bench.connect();
  client->send("hello\n");
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().messages_in == 1; }));
  REQUIRE(run_until(bench.loop, [&] { return slow[0]->ended(); }));
  run_pending(bench.loop);
  CHECK_FALSE(slow[1]->ended());
}

TEST_CASE("arrivals: a connection that a browser opens before its first request is its spare one",
          "[clients][arrivals]") {
  Bench bench{auto_config()};
  auto spare = bench.connect();
  run_pending(bench.loop);
  auto page = bench.connect();
  page->read();
  page->send(kGet);
  REQUIRE(run_until(bench.loop, [&] { return page->ended(); }));
  wait(bench.loop, Reception::kSilence + Duration{100});
  CHECK(bench.clients.stats().accepted == 0);
}

TEST_CASE("arrivals: a browser's spare connection is one in the next process, too",
          "[clients][arrivals]") {
  const auto config = auto_config();
  Bench bench{config};
  const auto spare = connected(bench);
  {
    auto page = bench.connect();
    page->read();
    page->send(kGet);
    REQUIRE(run_until(bench.loop, [&] { return page->ended(); }));
  }
  Successor next{bench.clients, config};
  wait(next.loop, Reception::kSilence + Duration{100});
  CHECK(next.clients.stats().accepted == 0);
  ::send(spare.get(), "hello\n", 6, MSG_NOSIGNAL);
  REQUIRE(run_until(next.loop, [&] { return next.clients.stats().messages_in == 1; }));
}

TEST_CASE("arrivals: a request that comes late is one in the next process, too",
          "[clients][arrivals]") {
  const auto config = auto_config();
  Bench bench{config};
  const auto silent = connected(bench);
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 1; }));
  Successor next{bench.clients, config};
  CHECK(next.clients.stats().sessions == 1);
  const std::string_view get{kGet};
  ::send(silent.get(), get.data(), get.size(), MSG_NOSIGNAL);
  REQUIRE(run_until(next.loop, [&] { return next.clients.stats().requests == 1; }));
  CHECK(next.clients.stats().sessions == 0);
  CHECK(next.clients.stats().messages_in == 0);
}

TEST_CASE("arrivals: a proxy is asked who it brings, and nobody else", "[clients][arrivals]") {
  auto config = auto_config();
  config.listen.front().proxy_from = {*io::Network::parse("127.0.0.1")};
  config.limits.sessions_per_address = 1;
  Bench bench{config};
  Operator op{bench};
  op.result("subscribe");
  auto one = bench.connect();
  one->send("PROXY TCP4 192.0.2.1 192.0.2.9 4711 80\r\none\n");
  CHECK(op.wait_event("connected")["address"] == "192.0.2.1:4711");
  auto two = bench.connect();  // its limit is that of who is behind the proxy
  two->send("PROXY TCP4 192.0.2.2 192.0.2.9 4711 80\r\ntwo\n");
  CHECK(op.wait_event("connected", 2)["address"] == "192.0.2.2:4711");
  auto again = bench.connect();
  again->read();
  again->send("PROXY TCP4 192.0.2.1 192.0.2.9 4712 80\r\nagain\n");
  REQUIRE(run_until(bench.loop, [&] { return again->ended(); }));
  CHECK(bench.clients.stats().refused == 1);
  auto plain = bench.connect();
  plain->read();
  plain->send("hello\n");
  REQUIRE(run_until(bench.loop, [&] { return plain->ended(); }));
  CHECK(bench.clients.stats().sessions == 2);
}

TEST_CASE("arrivals: whoever is behind a proxy does not make room for itself",
          "[clients][arrivals]") {
  auto config = auto_config();
  config.listen.front().proxy_from = {*io::Network::parse("127.0.0.1")};
  config.limits.sessions = 1;
  config.limits.sessions_per_address = 1;
  Bench bench{config};
  Operator op{bench};
  op.result("subscribe");
  auto client = bench.connect();
  run_pending(bench.loop);
  wait(bench.loop, Arrivals::kNew + Duration{10});  // it could give way to another
  // The proxy's own address: that place is the one that it needs.
  client->send("PROXY TCP4 127.0.0.1 192.0.2.9 4711 80\r\nhello\n");
  CHECK(op.wait_event("message")["text"] == "hello");
  CHECK(bench.clients.accounts().sessions() == 1);
  CHECK(bench.clients.stats().refused == 0);
}

TEST_CASE("arrivals: whoever is banned before it is known what it is does not come in",
          "[clients][arrivals]") {
  Bench bench{auto_config()};
  Operator op{bench};
  auto silent = bench.connect();
  silent->read();
  run_pending(bench.loop);
  REQUIRE(bench.clients.accounts().sessions() == 1);
  op.result("ban", {{"address", "127.0.0.1"}});
  silent->send("hello\n");
  REQUIRE(run_until(bench.loop, [&] { return silent->ended(); }));
  CHECK(bench.clients.stats().accepted == 0);
  CHECK(bench.clients.stats().refused == 1);
}

TEST_CASE("arrivals: handshakes that could begin at once take several turns",
          "[clients][arrivals][tls]") {
  const Folder folder;
  const auto issued = issue({.common_name = "localhost"});
  make_file(folder / "certificate", 0600, issued.certificate());
  make_file(folder / "key", 0600, issued.key_text());
  auto config = auto_config();
  config.limits.sessions_per_address = 0;
  config.listen.front().tls.pairs = {{folder / "certificate", folder / "key"}};
  Bench bench{config};
  // As many as may be under way, and as many that wait for them, of as many addresses as needed.
  TlsClient client{{}};
  const std::string hello = client.receive({});
  std::vector<std::unique_ptr<Peer>> stuck;
  std::vector<std::unique_ptr<Peer>> waiting;
  for (std::size_t i = 0; i < 2 * Arrivals::kMostHandshakes; ++i) {
    auto& all = i < Arrivals::kMostHandshakes ? stuck : waiting;
    const auto address = "127.0.1." + std::to_string(1 + i % Arrivals::kMostHandshakes / 16);
    all.push_back(bench.connect(0, 0, address.c_str()));
    all.back()->read();
    all.back()->send(hello);
  }
  const auto answered = [](const std::vector<std::unique_ptr<Peer>>& peers) {
    return std::ranges::count_if(peers, [](const auto& each) { return !each->received().empty(); });
  };
  REQUIRE(run_until(bench.loop, [&] { return answered(stuck) == std::ssize(stuck); }));
  // All of their places are free at once.
  for (auto& each : stuck) each->reset();
  std::ptrdiff_t most = 0;
  std::ptrdiff_t before = 0;
  REQUIRE(run_until(bench.loop, [&] {
    const auto now = answered(waiting);
    most = std::max(most, now - std::exchange(before, now));
    return now == std::ssize(waiting);
  }));
  CHECK(most < std::ssize(waiting) / 2);
}

TEST_CASE("arrivals: the small networks of a large one shake hands as one",
          "[clients][arrivals][tls]") {
  const Folder folder;
  const auto issued = issue({.common_name = "localhost"});
  make_file(folder / "certificate", 0600, issued.certificate());
  make_file(folder / "key", 0600, issued.key_text());
  auto config = auto_config();
  config.listen.front().proxy_from = {*io::Network::parse("127.0.0.1")};
  config.listen.front().tls.pairs = {{folder / "certificate", folder / "key"}};
  Bench bench{config};
  TlsClient client{{}};
  const std::string hello = client.receive({});
  const Time begun = bench.loop.update_now();
  std::vector<std::unique_ptr<Peer>> all;
  for (std::size_t i = 0; i <= Arrivals::kMostOfOne; ++i) {
    all.push_back(bench.connect());
    all.back()->read();
    all.back()->send("PROXY TCP6 2001:db8:0:" + std::to_string(i) + "::1 2001:db8::9 4711 80\r\n" +
                     hello);
  }
  const auto answered = [&] {
    return std::ranges::count_if(all, [](const auto& each) { return !each->received().empty(); });
  };
  REQUIRE(run_until(bench.loop, [&] { return answered() >= std::ssize(all) - 1; }));
  run_pending(bench.loop);
  const auto so_far = answered();
  // Later one of them gives way.
  if (bench.loop.update_now() - begun < Arrivals::kNew) CHECK(so_far == std::ssize(all) - 1);
  CHECK(run_until(bench.loop, [&] { return answered() == std::ssize(all); }));
}

TEST_CASE("arrivals: all leave when the daemon stops", "[clients][arrivals]") {
  Bench bench{auto_config()};
  auto silent = bench.connect();
  silent->read();
  run_pending(bench.loop);
  bool done = false;
  bench.clients.stop([&] { done = true; });
  REQUIRE(run_until(bench.loop, [&] { return done && silent->ended(); }));
}

}  // namespace
}  // namespace chatd::test
