/// Claims on the control socket: who has them, and when they end.
#include <string>

#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

/// An operator of that name, and all that it hears.
Operator named(Bench& bench, const std::string& name) {
  Operator one{bench};
  CHECK(one.result("hello", {{"name", name}})["operator"] == name);
  (void)one.result("subscribe");
  return one;
}

json holder(Operator& one) {
  return one.result("sessions")[0]["claimed_by"];
}

TEST_CASE("claims: others are refused with the holder's name", "[operators][attendance][claims]") {
  Bench bench;
  auto client = bench.speaking_client();
  auto ann = named(bench, "ann");
  auto bob = named(bench, "bob");
  CHECK(holder(ann) == nullptr);
  CHECK(ann.result("claim", {{"session", 1}}) == json::object());
  CHECK(holder(bob) == "ann");
  const json claimed = {{"code", 2}, {"message", "session 1 is claimed by ann"}};
  CHECK(bob.call("send", {{"to", 1}, {"text", "x"}})["error"] == claimed);
  CHECK(bob.call("bye", {{"session", 1}})["error"] == claimed);
  CHECK(bob.call("kick", {{"session", 1}})["error"] == claimed);
  CHECK(bob.call("claim", {{"session", 1}})["error"] == claimed);
  CHECK(bob.call("release", {{"session", 1}})["error"] == claimed);
  const auto to_some = bob.result("send", {{"to", {1}}, {"text", "x"}});
  CHECK(to_some["refused"] == json{{{"session", 1}, {"reason", "claimed by ann"}}});
  CHECK(bob.result("send", {{"to", "all"}, {"text", "x"}})["delivered"] == json{1});
  CHECK(bob.error("claim", {{"session", 7}}) == 1);
  CHECK(bob.error("release", {{"session", 7}}) == 1);
  CHECK(bob.error("claim", {{"session", 1}, {"force", "yes"}}) == -32602);

  CHECK(bob.result("claim", {{"session", 1}, {"force", true}}) == json::object());
  const auto taken = ann.wait_event("claimed", 2);
  CHECK(taken["operator"] == "bob");
  CHECK(taken["from"] == "ann");
  CHECK_FALSE(ann.wait_event("claimed", 1).contains("from"));
  CHECK(bob.result("release", {{"session", 1}}) == json::object());
  CHECK(ann.wait_event("released")["operator"] == "bob");
  CHECK(holder(ann) == nullptr);
}

TEST_CASE("claims: of several sessions that are to end, those of others stay and are listed",
          "[operators][requests][claims]") {
  Bench bench;
  auto one = bench.speaking_client();
  auto two = bench.speaking_client();
  auto three = bench.speaking_client();
  auto ann = named(bench, "ann");
  auto bob = named(bench, "bob");
  (void)ann.result("claim", {{"session", 2}});
  CHECK(bob.result("kick", {{"session", {3, 2, 9}}, {"reason", "noise"}}) ==
        json{{"kicked", {3}},
             {"refused",
              {{{"session", 2}, {"reason", "claimed by ann"}},
               {{"session", 9}, {"reason", "no such session"}}}}});
  const auto gone = ann.wait_event("disconnected");
  CHECK(gone["session"] == 3);
  CHECK(gone["reason"] == "kicked by bob: noise");
  CHECK(ann.result("kick", {{"session", {2}}}) ==
        json{{"kicked", {2}}, {"refused", json::array()}});
  CHECK(bob.result("kick", {{"session", json::array()}}) ==
        json{{"kicked", json::array()}, {"refused", json::array()}});
  CHECK(bob.result("sessions").size() == 1);
}

TEST_CASE("claims: they end with the holder's connection, except those that stay",
          "[operators][attendance][claims]") {
  Bench bench;
  auto one = bench.speaking_client();
  auto two = bench.speaking_client();
  auto bob = named(bench, "bob");
  auto ann = named(bench, "ann");
  (void)ann.result("claim", {{"session", 1}});
  (void)ann.result("claim", {{"session", 2}, {"stay", true}});
  ann.leave();
  CHECK(bob.wait_event("released")["session"] == 1);
  CHECK(holder(bob) == nullptr);
  CHECK(bob.result("sessions")[1]["claimed_by"] == "ann");
  CHECK(bob.error("send", {{"to", 2}, {"text", "x"}}) == 2);
  auto again = named(bench, "ann");
  CHECK(again.result("send", {{"to", 2}, {"text", "x"}})["delivered"] == json{2});
  CHECK(again.result("release", {{"session", 2}}) == json::object());
}

TEST_CASE("claims: an operator who takes another name leaves them behind",
          "[operators][attendance][claims]") {
  Bench bench;
  auto client = bench.speaking_client();
  auto ann = named(bench, "ann");
  (void)ann.result("claim", {{"session", 1}});
  (void)ann.result("hello", {{"name", "ann"}});
  CHECK(holder(ann) == "ann");
  (void)ann.result("hello", {{"name", "anna"}});
  CHECK(ann.wait_event("released")["operator"] == "ann");
  CHECK(holder(ann) == nullptr);
}

TEST_CASE("claims: a connection that has done nothing gives its name to one that asks for it",
          "[operators][attendance][claims]") {
  Bench bench;
  Operator first{bench};
  Operator second{bench};
  const std::string user = first.result("hello")["operator"];
  const std::string other = second.result("hello")["operator"];
  CHECK(other == user + "-2");
  first.leave();
  second.leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 0; }));
  // They come back in the other order.
  Operator back{bench};
  Operator late{bench};
  CHECK(back.result("hello", {{"name", other}})["operator"] == other);
  CHECK(late.result("hello", {{"name", user}})["operator"] == user);
  // Not once it is known by that name.
  Operator third{bench};
  CHECK(third.result("hello", {{"name", user}})["operator"] == user + "-3");
}

TEST_CASE("claims: those of operators who had to leave wait for them",
          "[operators][attendance][claims]") {
  Bench bench;
  auto client = bench.speaking_client();
  {
    auto ann = named(bench, "ann");
    (void)ann.result("claim", {{"session", 1}});
    bench.operators.await_return();
    ann.leave();
    REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 0; }));
  }
  auto bob = named(bench, "bob");
  CHECK(bob.error("send", {{"to", 1}, {"text", "x"}}) == 2);
  auto ann = named(bench, "ann");
  CHECK(ann.result("send", {{"to", 1}, {"text", "x"}})["delivered"] == json{1});
}

}  // namespace
}  // namespace chatd::test
