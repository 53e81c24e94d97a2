/// What operators hear of the time in which nobody listened.
#include "operators/unattended.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

void say(Bench& bench, Peer& client, int messages) {
  const auto all = bench.clients.stats().messages_in + static_cast<std::uint64_t>(messages);
  for (int i = 0; i < messages; ++i) client.send("hi\n");
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().messages_in == all; }));
}

TEST_CASE("unattended: messages are unread from when the last listener leaves until one comes",
          "[operators][unattended]") {
  Bench bench;
  auto client = bench.connect();
  say(bench, *client, 2);
  Operator ann{bench};
  CHECK(ann.result("hello", {{"name", "ann"}})["unread"] == 2);  // saying hello is not listening
  Operator bob{bench};
  (void)ann.result("subscribe");
  (void)bob.result("subscribe");
  say(bench, *client, 3);
  CHECK(ann.result("hello")["unread"] == 0);
  ann.leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 1; }));
  say(bench, *client, 1);
  CHECK(bob.result("hello")["unread"] == 0);  // one still listens
  const Seq heard = bench.journal.last_seq();
  bob.leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 0; }));
  say(bench, *client, 4);

  Operator eve{bench};
  const auto hello = eve.result("hello");
  CHECK(hello["unread"] == 4);
  CHECK(hello["attended"] == heard);
  (void)eve.result("subscribe", {{"since", heard}});
  CHECK(eve.wait_event("message", 4)["text"] == "hi");
  CHECK(eve.events().size() == bench.journal.last_seq() - heard);
}

}  // namespace
}  // namespace chatd::test
