// Who is connected and whose they are, learned from what the daemon tells.
#include "console/roster.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "console/wire.hpp"

namespace chatd::console {
namespace {

void hear(Roster& roster, const char* method, const nlohmann::json& params) {
  roster.apply(decode_event(method, params));
}

}  // namespace

TEST_CASE("roster: a claim is known from the list and from events, and ends with the session",
          "[console][roster]") {
  Roster roster;
  roster.replace(decode_sessions(nlohmann::json::parse(
      R"([{"session":1,"name":null,"claimed_by":"bo"},{"session":2,"claimed_by":null}])")));
  CHECK(roster.claimed_by(1) == "bo");
  CHECK(roster.claimed_by(2).empty());
  CHECK(roster.claimed_by(3).empty());

  hear(roster, "claimed", {{"session", 2}, {"operator", "al"}});
  hear(roster, "claimed", {{"session", 1}, {"operator", "al"}, {"from", "bo"}});
  CHECK(roster.claimed_by(1) == "al");
  CHECK(roster.claimed_by(2) == "al");
  hear(roster, "released", {{"session", 2}, {"operator", "al"}});
  CHECK(roster.claimed_by(2).empty());
  hear(roster, "disconnected", {{"session", 1}});
  CHECK(roster.claimed_by(1).empty());
  hear(roster, "claimed", {{"session", 1}, {"operator", "al"}});
  CHECK(roster.claimed_by(1).empty());

  hear(roster, "claimed", {{"session", 2}, {"operator", "al"}});
  roster.replace({});
  CHECK(roster.claimed_by(2).empty());
}

}  // namespace chatd::console
