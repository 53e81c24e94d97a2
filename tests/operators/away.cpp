/// Who has to be away for clients to be told so.
#include <memory>
#include <string>

#include "io/timer.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

/// What a client that says something is told by the daemon itself.
std::string told(Bench& bench) {
  const auto client = bench.connect();
  client->read();
  const auto before = bench.clients.stats();
  client->send("hi\n");
  REQUIRE(run_until(bench.loop,
                    [&] { return bench.clients.stats().messages_in > before.messages_in; }));
  bool is_over = false;  // the time after which it is not told any more
  io::Timer patience{bench.loop, [&] { is_over = true; }};
  patience.start(core::kEndWithWords * 3);
  const auto is_told = [&] { return bench.clients.stats().messages_out > before.messages_out; };
  REQUIRE(run_until(bench.loop, [&] { return is_over || is_told(); }));
  if (is_told()) {
    REQUIRE(run_until(bench.loop, [&] { return client->received().ends_with('\n'); }));
  }
  client->reset();  // an end of file alone would make it an asker
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == before.sessions; }));
  return std::string{client->received()};
}

TEST_CASE("away: nobody is away where nobody is attached", "[operators][attendance][away]") {
  Bench bench;
  CHECK(told(bench).empty());
  {
    Operator ann{bench};
    (void)ann.result("hello");
    (void)ann.result("away", {{"text", "gone"}});
    CHECK(told(bench) == "gone\n");
    ann.leave();
    REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 0; }));
  }
  CHECK(told(bench).empty());
}

TEST_CASE("away: all operators have to be away, and the last one's text is sent",
          "[operators][attendance][away]") {
  Bench bench;
  Operator ann{bench};
  Operator bob{bench};
  (void)ann.result("hello", {{"name", "ann"}});
  (void)ann.result("subscribe");
  (void)bob.result("hello", {{"name", "bob"}});
  (void)bob.result("subscribe");
  CHECK(ann.result("away", {{"text", "ann is out"}}) == json::object());
  const auto gone = bob.wait_event("operator", 1);
  CHECK(gone["name"] == "ann");
  CHECK(gone["state"] == "away");
  CHECK(gone["text"] == "ann is out");
  CHECK(told(bench).empty());
  (void)bob.result("away", {{"text", "bob, too"}});
  CHECK(told(bench) == "bob, too\n");
  CHECK(ann.wait_event("sent")["operator"] == "bob");
  CHECK(ann.wait_event("sent")["automatic"] == true);
  // Said again, it is no news; another text is.
  const auto seq = bench.journal.last_seq();
  (void)bob.result("away", {{"text", "bob, too"}});
  CHECK(bench.journal.last_seq() == seq);
  (void)ann.result("away", {{"text", "ann is out for long"}});
  CHECK(told(bench) == "ann is out for long\n");
  CHECK(bob.result("back") == json::object());
  CHECK(bob.result("back") == json::object());
  CHECK(ann.wait_event("operator", 5)["state"] == "back");
  CHECK(told(bench).empty());
  bob.leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 1; }));
  CHECK(told(bench) == "ann is out for long\n");
}

TEST_CASE("away: an operator who only watches, or does not listen, does not count",
          "[operators][attendance][away]") {
  Bench bench;
  Operator ann{bench};
  (void)ann.result("subscribe");
  (void)ann.result("away", {{"text", "out"}});
  Operator script{bench};
  (void)script.result("hello", {{"name", "script"}});
  CHECK(told(bench) == "out\n");
  (void)script.result("subscribe", {{"watch", true}});
  CHECK(told(bench) == "out\n");
  (void)script.result("subscribe");
  CHECK(told(bench).empty());
}

TEST_CASE("away: its text is not empty, and short", "[operators][attendance][away]") {
  Bench bench;
  Operator ann{bench};
  CHECK(ann.error("away") == -32602);
  CHECK(ann.error("away", {{"text", " \n"}}) == -32602);
  CHECK(ann.error("away", {{"text", std::string(1025, 'x')}}) == -32602);
  CHECK(ann.result("away", {{"text", std::string(1024, 'x')}}) == json::object());
}

}  // namespace
}  // namespace chatd::test
