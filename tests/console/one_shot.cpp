// Operations for scripts, against a fake daemon.
#include "console/one_shot.hpp"

#include "fake_daemon.hpp"
#include "support/catch.hpp"

namespace chatd::console {

using nlohmann::json;

namespace {

/// What a tail asks a daemon for whose last event is 17.
json asked_by_tail(std::optional<std::uint64_t> since) {
  io::Loop loop;
  test::FakeDaemon daemon{loop};
  daemon.answers["hello"]["seq"] = 17;
  daemon.answers["subscribe"] = test::refusal(4, "that is enough for a test");
  OneShot wish;
  wish.command.verb = Verb::kTail;
  wish.command.number = since;
  CHECK(run_one_shot(loop, wish, daemon.connect(),
                     [&]() -> Result<UniqueFd> { return daemon.connect(); }) == ExitCode::kRefused);
  REQUIRE(daemon.asked_for("subscribe").size() == 1);
  return daemon.asked_for("subscribe").front();
}

}  // namespace

TEST_CASE("tail: without --since it begins when the others hear of it", "[console][one-shot]") {
  CHECK(asked_by_tail({}) == json{{"since", 17}, {"watch", true}});
}

TEST_CASE("tail: with --since it goes on from there", "[console][one-shot]") {
  CHECK(asked_by_tail(4) == json{{"since", 4}, {"watch", true}});
  CHECK(asked_by_tail(17) == json{{"since", 17}, {"watch", true}});
}

TEST_CASE("tail: it follows a daemon that counts from 1 again from its first event",
          "[console][one-shot]") {
  CHECK(asked_by_tail(18) == json{{"since", 0}, {"watch", true}});
}

namespace {

/// How chatctl ends if that is what the daemon answers.
ExitCode ends_with(Verb verb, const std::string& method, const json& answer, bool as_json) {
  io::Loop loop;
  test::FakeDaemon daemon{loop};
  daemon.answers[method] = answer;
  OneShot wish;
  wish.json = as_json;
  wish.command.verb = verb;
  wish.command.text = "x";
  wish.command.everyone = true;
  if (verb == Verb::kKick) wish.command.address = "192.0.2.0/24";
  return run_one_shot(loop, wish, daemon.connect(),
                      [&]() -> Result<UniqueFd> { return daemon.connect(); });
}

}  // namespace

TEST_CASE("one-shot: its exit code tells of any refusal", "[console][one-shot]") {
  const json refused{{{"session", 3}, {"reason", "claimed by bo"}}};
  const json none = json::array();
  for (const bool as_json : {false, true}) {
    const auto sent = [&](const json& delivered, const json& held, const json& refusals) {
      return ends_with(Verb::kSend, "send",
                       {{"delivered", delivered}, {"held", held}, {"refused", refusals}}, as_json);
    };
    CHECK(sent({1}, none, none) == ExitCode::kDone);
    CHECK(sent(none, none, none) == ExitCode::kDone);
    CHECK(sent({1}, none, refused) == ExitCode::kPartly);
    CHECK(sent(none, {1}, refused) == ExitCode::kPartly);
    CHECK(sent(none, none, refused) == ExitCode::kRefused);
    const auto kicked = [&](const json& ids, const json& refusals) {
      return ends_with(Verb::kKick, "kick", {{"kicked", ids}, {"refused", refusals}}, as_json);
    };
    CHECK(kicked({1, 2}, none) == ExitCode::kDone);
    CHECK(kicked({1, 2}, refused) == ExitCode::kPartly);
    CHECK(kicked(none, refused) == ExitCode::kRefused);
    CHECK(kicked(none, none) == ExitCode::kNoSession);
    const auto banned = [&](const json& refusals) {
      return ends_with(Verb::kBan, "ban",
                       {{"sessions", none}, {"kicked", none}, {"refused", refusals}}, as_json);
    };
    CHECK(banned(none) == ExitCode::kDone);
    CHECK(banned(refused) == ExitCode::kPartly);
  }
}

TEST_CASE("one-shot: history and search ask for whom it was said", "[console][one-shot]") {
  const auto asked = [](Verb verb, std::optional<SessionId> session, const std::string& called) {
    io::Loop loop;
    test::FakeDaemon daemon{loop};
    OneShot wish;
    wish.command.verb = verb;
    wish.command.text = verb == Verb::kSearch ? "x" : "";
    wish.command.session = session;
    wish.command.called = called;
    CHECK(run_one_shot(loop, wish, daemon.connect(),
                       [&]() -> Result<UniqueFd> { return daemon.connect(); }) == ExitCode::kDone);
    CHECK(daemon.asked_for("sessions").empty());
    return daemon.asked_for(verb == Verb::kSearch ? "search" : "history").front();
  };
  CHECK(asked(Verb::kHistory, {}, "") == json{{"limit", 20}});
  CHECK(asked(Verb::kHistory, 3, "") == json{{"limit", 20}, {"session", 3}});
  CHECK(asked(Verb::kHistory, {}, "Zoe") == json{{"limit", 20}, {"name", "Zoe"}});
  CHECK(asked(Verb::kSearch, 3, "") == json{{"limit", 20}, {"session", 3}, {"text", "x"}});
  CHECK(asked(Verb::kSearch, {}, "Zoe") == json{{"limit", 20}, {"name", "Zoe"}, {"text", "x"}});
}

TEST_CASE("one-shot: a name means the only session that is called so", "[console][one-shot]") {
  const auto said_bye = [](const std::string& called) {
    io::Loop loop;
    test::FakeDaemon daemon{loop};
    daemon.answers["sessions"] = {test::session_json(3, "Zoe"), test::session_json(4, "Bo"),
                                  test::session_json(7, "Bo"), test::session_json(9)};
    OneShot wish;
    wish.command.verb = Verb::kBye;
    wish.command.called = called;
    const ExitCode code = run_one_shot(loop, wish, daemon.connect(),
                                       [&]() -> Result<UniqueFd> { return daemon.connect(); });
    return std::pair{code, daemon.asked_for("bye")};
  };
  const std::vector<json> nobody;
  CHECK(said_bye("Zoe") == std::pair{ExitCode::kDone, std::vector{json{{"session", 3}}}});
  CHECK(said_bye("zoe") == std::pair{ExitCode::kNoSession, nobody});
  CHECK(said_bye("Bo") == std::pair{ExitCode::kNoSession, nobody});
  CHECK(said_bye("Z") == std::pair{ExitCode::kNoSession, nobody});
}

TEST_CASE("one-shot: no answer within the time is an exit code of its own", "[console][one-shot]") {
  for (const Verb verb : {Verb::kList, Verb::kStop, Verb::kHistory, Verb::kTail, Verb::kAsk}) {
    io::Loop loop;
    test::FakeDaemon daemon{loop};
    daemon.silent = true;
    OneShot wish;
    wish.command.verb = verb;
    wish.command.session = 3;
    wish.command.text = "x";
    wish.timeout = std::chrono::seconds{1};
    if (verb == Verb::kAsk) {  // whose time-out is the client's
      daemon.silent = false;
      daemon.answers["sessions"] = {test::session_json(3)};
      daemon.answers["send"]["delivered"] = {3};
    }
    CHECK(run_one_shot(loop, wish, daemon.connect(), [&]() -> Result<UniqueFd> {
            return daemon.connect();
          }) == ExitCode::kTimedOut);
    CHECK(daemon.asked_for("stop").empty());
  }
}

TEST_CASE("one-shot: it comes and goes quietly, but for a tail", "[console][one-shot]") {
  const auto hellos = [](Verb verb, const json& answer) {
    io::Loop loop;
    test::FakeDaemon daemon{loop};
    daemon.answers["hello"] = answer;
    daemon.answers["subscribe"] = test::refusal(4, "that is enough for a test");
    OneShot wish;
    wish.command.verb = verb;
    wish.name = "bo";
    (void)run_one_shot(loop, wish, daemon.connect(),
                       [&]() -> Result<UniqueFd> { return daemon.connect(); });
    return daemon.asked_for("hello");
  };
  using Asked = std::vector<json>;
  const json welcome{{"operator", "bo"}, {"seq", 0}};
  const json quiet{{"name", "bo"}, {"quiet", true}};
  const json loud{{"name", "bo"}};
  CHECK(hellos(Verb::kStop, welcome) == Asked{quiet});
  CHECK(hellos(Verb::kTail, welcome) == Asked{loud});
  CHECK(hellos(Verb::kList, welcome).empty());
  // A daemon of an earlier version does not know the word.
  CHECK(hellos(Verb::kStop, test::refusal(-32602, "not known")) == Asked{quiet, loud});
  CHECK(hellos(Verb::kTail, test::refusal(-32602, "not good")) == Asked{loud});
}

}  // namespace chatd::console
