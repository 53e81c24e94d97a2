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

}  // namespace chatd::console
