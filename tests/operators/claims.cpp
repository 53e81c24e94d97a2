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

TEST_CASE("claims: who is away or not here keeps nobody from taking over",
          "[operators][attendance][claims]") {
  Bench bench;
  auto one = bench.speaking_client();
  auto two = bench.speaking_client();
  auto three = bench.speaking_client();
  auto bob = named(bench, "bob");
  auto ann = named(bench, "ann");
  for (const int session : {1, 2, 3}) {
    (void)bob.result("claim", {{"session", session}, {"stay", true}});
  }
  CHECK(ann.error("claim", {{"session", 1}}) == 2);
  (void)bob.result("away", {{"text", "lunch"}});
  const auto refusal = [&](const std::string& method, const json& params) {
    return ann.call(method, params)["error"]["message"].get<std::string>();
  };
  const std::string away = "session 1 is claimed by bob; bob is away: claim it to take over";
  CHECK(refusal("send", {{"to", 1}, {"text", "x"}}) == away);
  CHECK(refusal("bye", {{"session", 1}}) == away);
  CHECK(refusal("kick", {{"session", 1}}) == away);
  CHECK(ann.result("claim", {{"session", 1}}) == json::object());
  const auto taken = bob.wait_event("claimed", 4);
  CHECK(taken["operator"] == "ann");
  CHECK(taken["from"] == "bob");
  // She is there, so he cannot take it back as easily.
  (void)bob.result("back");
  CHECK(bob.call("claim", {{"session", 1}})["error"]["message"] == "session 1 is claimed by ann");
  bob.leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 1; }));
  const std::string gone = "session 2 is claimed by bob; bob is not here: claim it to take over";
  CHECK(refusal("send", {{"to", 2}, {"text", "x"}}) == gone);
  CHECK(ann.result("claim", {{"session", 2}}) == json::object());
  // Neither a command that comes and goes nor a screen that shows what happens is a person.
  Operator tail{bench};
  (void)tail.result("hello", {{"name", "bob"}, {"quiet", true}});
  (void)tail.result("subscribe", {{"watch", true}});
  CHECK(ann.result("claim", {{"session", 3}}) == json::object());
}

TEST_CASE("claims: commands of the holder are the holder's", "[operators][attendance][claims]") {
  Bench bench;
  auto client = bench.speaking_client();
  auto ann = named(bench, "ann");
  (void)ann.result("claim", {{"session", 1}});
  {
    Operator command{bench};
    (void)command.result("hello", {{"name", "ann"}, {"quiet", true}});
    CHECK(command.result("send", {{"to", 1}, {"text", "x"}})["delivered"] == json{1});
    command.leave();
  }
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 1; }));
  CHECK(holder(ann) == "ann");
}

TEST_CASE("claims: one is given to an operator who is there", "[operators][attendance][claims]") {
  Bench bench;
  auto one = bench.speaking_client();
  auto two = bench.speaking_client();
  auto ann = named(bench, "ann");
  auto bob = named(bench, "bob");
  auto eve = named(bench, "eve");
  Operator tail{bench};
  (void)tail.result("hello", {{"name", "tail"}});
  (void)tail.result("subscribe", {{"watch", true}});
  (void)ann.result("claim", {{"session", 1}, {"stay", true}});
  CHECK(ann.result("give", {{"session", 1}, {"to", "bob"}}) == json::object());
  const auto given = eve.wait_event("claimed", 2);
  CHECK(given["operator"] == "bob");
  CHECK(given["from"] == "ann");
  CHECK(given["by"] == "ann");
  CHECK(holder(ann) == "bob");
  const auto seq = bench.journal.last_seq();
  CHECK(ann.result("give", {{"session", 1}, {"to", "bob"}}) == json::object());
  CHECK(bench.journal.last_seq() == seq);
  CHECK(eve.call("give", {{"session", 1}, {"to", "ann"}})["error"] ==
        json{{"code", 2}, {"message", "session 1 is claimed by bob"}});
  CHECK(eve.result("give", {{"session", 2}, {"to", "ann"}}) == json::object());
  CHECK_FALSE(bob.wait_event("claimed", 3).contains("from"));
  CHECK(bob.wait_event("claimed", 3)["by"] == "eve");

  for (const char* const nobody : {"carol", "tail"}) {
    CHECK(ann.call("give", {{"session", 1}, {"to", nobody}})["error"]["message"] ==
          "no operator is called " + std::string{nobody} + "; here: ann, bob, eve");
  }
  CHECK(ann.error("give", {{"session", 1}, {"to", ""}}) == -32602);
  CHECK(ann.error("give", {{"session", 1}, {"to", std::string(65, 'x')}}) == -32602);
  CHECK(ann.error("give", {{"session", 1}}) == -32602);
  CHECK(ann.error("give", {{"session", 9}, {"to", "bob"}}) == 1);
  // What is given does not stay.
  bob.leave();
  CHECK(ann.wait_event("released")["session"] == 1);
}

TEST_CASE("claims: the first answer claims a client, if the configuration says so",
          "[operators][attendance][claims]") {
  auto config = line_config();
  config.console.claim_on_answer = true;
  Bench bench{config};
  auto one = bench.speaking_client();
  auto two = bench.speaking_client();
  auto asker = bench.speaking_client();
  auto ann = named(bench, "ann");
  asker->end();
  (void)ann.wait_event("asking");
  auto bob = named(bench, "bob");
  const auto answers = [](Operator& from, const json& to) {
    return from.result("send", {{"to", to}, {"text", "x"}})["delivered"];
  };
  CHECK(answers(ann, "all") == json{1, 2});
  CHECK(answers(ann, {2}) == json{2});
  CHECK(answers(ann, 3) == json{3});
  CHECK(answers(ann, 1) == json{1});
  const auto claimed = bob.wait_event("claimed");
  CHECK(claimed["session"] == 1);
  CHECK(claimed["operator"] == "ann");
  CHECK(bob.error("send", {{"to", 1}, {"text", "x"}}) == 2);
  // A command claims for an operator who is there, and for nobody else.
  for (const char* const name : {"script", "bob"}) {
    Operator command{bench};
    (void)command.result("hello", {{"name", name}, {"quiet", true}});
    CHECK(answers(command, 2) == json{2});
    command.leave();
    REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 2; }));
  }
  CHECK(ann.wait_event("claimed", 2)["operator"] == "bob");
  CHECK(answers(bob, 2) == json{2});
  CHECK(bob.result("sessions").size() == 2);
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
  CHECK(bob.call("send", {{"to", 1}, {"text", "x"}})["error"]["message"] ==
        "session 1 is claimed by ann");
  CHECK(bob.error("claim", {{"session", 1}}) == 2);
  CHECK(bob.error("give", {{"session", 1}, {"to", "bob"}}) == 2);
  auto ann = named(bench, "ann");
  CHECK(ann.result("send", {{"to", 1}, {"text", "x"}})["delivered"] == json{1});
}

}  // namespace
}  // namespace chatd::test
