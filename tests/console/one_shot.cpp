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

}  // namespace chatd::console
