// Who is connected and whose they are, learned from what the daemon tells.
#include "console/roster.hpp"

#include <nlohmann/json.hpp>

#include "console/wire.hpp"
#include "support/catch.hpp"

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

TEST_CASE("roster: a client is surely the same by address, port and time alone",
          "[console][roster]") {
  const auto one = Origin{"192.0.2.1:4711", 1000};
  CHECK(one.is_surely(one));
  CHECK(one.is_surely({"192.0.2.1:4711", 1002}));
  CHECK(one.is_surely({"192.0.2.1:4711", 998}));
  CHECK_FALSE(one.is_surely({"192.0.2.1:4711", 1003}));
  CHECK_FALSE(one.is_surely({"192.0.2.1:4711", 997}));
  CHECK_FALSE(one.is_surely({"192.0.2.1:4711", std::nullopt}));
  CHECK_FALSE(one.is_surely({"192.0.2.1:4712", 1000}));
  CHECK_FALSE(Origin{"192.0.2.1:4711", std::nullopt}.is_surely(one));
  const auto from_unix = Origin{"unix:", 1000};
  CHECK_FALSE(from_unix.is_surely(from_unix));
  const auto of_user = Origin{"uid:1000", 1000};
  CHECK_FALSE(of_user.is_surely(of_user));
  CHECK_FALSE(Origin{}.is_surely(Origin{}));
}

TEST_CASE("roster: where a session comes from is known from events and from the list",
          "[console][roster]") {
  Roster roster;
  CHECK(roster.origin_of(1).address.empty());
  hear(roster, "connected",
       {{"session", 1}, {"address", "here:1"}, {"time", "2026-11-23T06:50:00.999Z"}});
  const auto heard = roster.origin_of(1);
  CHECK(heard.address == "here:1");
  roster.replace(decode_sessions(nlohmann::json::parse(
      R"([{"session":1,"address":"here:1","since":"2026-11-23T06:50:01.001Z"}])")));
  CHECK(roster.origin_of(1).is_surely(heard));
  hear(roster, "disconnected", {{"session", 1}});
  CHECK(roster.origin_of(1).address.empty());
}

TEST_CASE("roster: a word means a name, whatever its case, or the only one that begins so",
          "[console][roster]") {
  Roster roster;
  roster.replace(decode_sessions(nlohmann::json::parse(
      R"([{"session":1,"name":"anna"},{"session":2,"name":"Anna"},{"session":3,"name":"Andrew"},)"
      R"({"session":4,"name":"Zo\u00eb"},{"session":5,"name":"an"},{"session":6,"name":null}])")));
  using Ids = std::vector<SessionId>;
  CHECK(roster.meant_by("anna") == Ids{1});
  CHECK(roster.meant_by("Anna") == Ids{2});
  CHECK(roster.meant_by("ANNA") == Ids{1, 2});
  CHECK(roster.meant_by("an") == Ids{5});
  CHECK(roster.meant_by("ann") == Ids{1, 2});
  CHECK(roster.meant_by("and") == Ids{3});
  CHECK(roster.meant_by("zo") == Ids{4});
  CHECK(roster.meant_by("ZOE\u0308") == Ids{4});
  CHECK(roster.meant_by("b").empty());
  CHECK(roster.meant_by("").empty());
}

TEST_CASE("roster: who is there is known once it has been told", "[console][roster]") {
  Roster roster;
  hear(roster, "connected", {{"session", 1}});
  hear(roster, "claimed", {{"session", 1}, {"operator", "bo"}});
  CHECK(roster.is_anothers(1, "al"));
  OperatorInfo bo;
  bo.name = "bo";
  bo.state = "away";
  roster.set_operators({bo});
  CHECK_FALSE(roster.is_anothers(1, "al"));
  hear(roster, "operator", {{"name", "bo"}, {"state", "back"}});
  CHECK(roster.is_anothers(1, "al"));
  hear(roster, "operator", {{"name", "bo"}, {"state", "detached"}});
  CHECK_FALSE(roster.is_anothers(1, "al"));
  bo.state = "present";
  roster.set_operators({bo});
  CHECK(roster.is_anothers(1, "al"));
  // A claim that a command has made stays, but nobody is there who would answer.
  roster.set_operators({});
  CHECK_FALSE(roster.is_anothers(1, "al"));
}

TEST_CASE("roster: about whom something is noted, and which operators are there",
          "[console][roster]") {
  Roster roster;
  CHECK(roster.present().empty());
  roster.replace(decode_sessions(
      nlohmann::json::parse(R"([{"session":1,"notes":2},{"session":2,"notes":0}])")));
  CHECK(roster.has_notes(1));
  CHECK_FALSE(roster.has_notes(2));
  hear(roster, "noted", {{"session", 2}, {"operator", "bo"}, {"text", "x"}});
  hear(roster, "noted", {{"session", 3}, {"operator", "bo"}, {"text", "x"}});
  CHECK(roster.has_notes(2));
  CHECK_FALSE(roster.has_notes(3));  // it has left already
  hear(roster, "disconnected", {{"session", 2}});
  CHECK_FALSE(roster.has_notes(2));
  OperatorInfo bo;
  bo.name = "bo";
  bo.state = "present";
  roster.set_operators({bo});
  hear(roster, "operator", {{"name", "al"}, {"state", "attached"}});
  CHECK(roster.present() == std::vector<std::string>{"al", "bo"});
}

TEST_CASE("roster: a claim keeps others away for as long as its holder is there",
          "[console][roster]") {
  Roster roster;
  hear(roster, "connected", {{"session", 1}});
  CHECK_FALSE(roster.is_anothers(1, "al"));
  hear(roster, "claimed", {{"session", 1}, {"operator", "bo"}});
  CHECK(roster.is_anothers(1, "al"));
  CHECK_FALSE(roster.is_anothers(1, "bo"));
  CHECK(roster.claims() == std::map<SessionId, std::string>{{1, "bo"}});
  hear(roster, "operator", {{"name", "bo"}, {"state", "away"}, {"text", "x"}});
  CHECK_FALSE(roster.is_anothers(1, "al"));
  hear(roster, "operator", {{"name", "bo"}, {"state", "back"}});
  CHECK(roster.is_anothers(1, "al"));
  hear(roster, "operator", {{"name", "bo"}, {"state", "detached"}});
  CHECK_FALSE(roster.is_anothers(1, "al"));
}

}  // namespace chatd::console
