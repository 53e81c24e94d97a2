/// The server's listeners and limits, on real sockets.
#include "clients/clients.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

TEST_CASE("clients: the listeners have real ports, and each session says which it came by",
          "[clients]") {
  auto config = line_config();
  config.listen.push_back({{"127.0.0.1", 0}, core::DialectSetting::kLine, 64});
  Bench bench{config};
  const auto addresses = bench.clients.doors().addresses();
  REQUIRE(addresses.size() == 2);
  CHECK(addresses[0] != addresses[1]);
  auto first = bench.connect(0);
  auto second = bench.connect(1);
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 2; }));
  std::vector<std::string> listeners;
  for (const auto& session : bench.clients.sessions().list()) listeners.push_back(session.listener);
  std::sort(listeners.begin(), listeners.end());
  auto sorted = addresses;
  std::sort(sorted.begin(), sorted.end());
  CHECK(listeners == sorted);
}

TEST_CASE("clients: whoever is over a limit is closed without a byte, and counted", "[clients]") {
  auto config = line_config();
  config.limits.sessions_per_address = 2;
  Bench bench{config};
  auto first = bench.connect();
  auto second = bench.connect();
  auto third = bench.connect();
  third->read();
  REQUIRE(run_until(bench.loop, [&] { return third->ended() || third->error() != 0; }));
  CHECK(third->received().empty());
  CHECK(bench.clients.stats().sessions == 2);
  CHECK(bench.clients.stats().accepted == 2);
  CHECK(bench.clients.stats().refused == 1);
  // A freed place is used again.
  first->leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 1; }));
  run_pending(bench.loop);
  auto fourth = bench.connect();
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 2; }));
}

TEST_CASE("clients: a reload adds and removes listeners, and sessions stay", "[clients]") {
  Bench bench;
  auto client = bench.speaking_client();
  client->read();
  const auto before = bench.clients.doors().addresses();
  auto config = line_config();
  config.listen[0].endpoint.address = "127.0.0.2";
  REQUIRE(bench.clients.apply(config));
  const auto after = bench.clients.doors().addresses();
  REQUIRE(after.size() == 1);
  CHECK(after[0].starts_with("127.0.0.2:"));
  auto newcomer = bench.connect();
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 2; }));
  CHECK(bench.clients.sessions().send({false, {1}}, "still", "anna").receipt.delivered.size() == 1);
  CHECK(run_until(bench.loop, [&] { return client->received() == "still\n"; }));
  CHECK(bench.clients.sessions().list()[0].listener == before[0]);
}

TEST_CASE("clients: a listener that stays keeps its port through a reload", "[clients]") {
  Bench bench;
  const auto before = bench.clients.doors().addresses();
  REQUIRE(bench.clients.apply(line_config()));
  CHECK(bench.clients.doors().addresses() == before);
}

TEST_CASE("clients: a reload with a listener that cannot be opened changes nothing", "[clients]") {
  Bench bench;
  const auto before = bench.clients.doors().addresses();
  auto config = line_config();
  config.limits.sessions = 1;
  config.listen.push_back({{"192.0.2.1", 0}, core::DialectSetting::kLine, 64});  // not ours
  auto refused = bench.clients.apply(config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("192.0.2.1") != std::string::npos);
  CHECK(bench.clients.doors().addresses() == before);
  auto first = bench.connect();
  auto second = bench.connect();
  CHECK(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 2; }));
}

TEST_CASE("clients: lower limits hold at once for whoever comes next", "[clients]") {
  Bench bench;
  auto first = bench.speaking_client();
  auto config = line_config();
  config.limits.sessions = 1;
  REQUIRE(bench.clients.apply(config));
  auto second = bench.connect();
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().refused == 1; }));
  CHECK(bench.clients.stats().sessions == 1);
}

TEST_CASE("clients: when it stops every client gets what was queued, then an end of file",
          "[clients]") {
  Bench bench;
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(bench.speaking_client());
    clients.back()->read();
  }
  CHECK(bench.clients.sessions().send({true, {}}, "last word", "anna").receipt.delivered.size() ==
        20);
  bool done = false;
  bench.clients.stop([&] { done = true; });
  for (auto& client : clients) {
    REQUIRE(run_until(bench.loop, [&] { return client->ended(); }));
    CHECK(client->received() == "last word\n");
    client->leave();
  }
  CHECK(run_until(bench.loop, [&] { return done; }));
  CHECK(bench.clients.stats().sessions == 0);
  CHECK(bench.clients.stats().lost == 0);
}

TEST_CASE("clients: descriptors are back where they were when all have gone", "[clients]") {
  Bench bench;
  run_pending(bench.loop);
  const auto before = open_descriptors();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Peer>> clients;
    for (int i = 0; i < 50; ++i) clients.push_back(bench.connect());
    REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 50; }));
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (i % 2 == 0) {
        clients[i]->leave();
      } else {
        clients[i]->reset();
      }
    }
    REQUIRE(run_until(bench.loop, [&] {
      return bench.clients.stats().sessions == 0 && open_descriptors() == before;
    }));
  }
  CHECK(bench.clients.stats().accepted == 150);
}

}  // namespace
}  // namespace chatd::test
