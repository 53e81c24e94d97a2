// Requests and their answers, events, and what happens when the daemon goes.
#include "console/control_client.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "console/wire.hpp"
#include "fake_daemon.hpp"
#include "support/catch.hpp"

namespace chatd::console {

using test::FakeDaemon;
using test::run_until;

namespace {

struct Heard {
  io::Loop loop;
  std::vector<std::string> events;
  std::vector<std::string> nonsense;
  std::optional<std::string> lost;
  FakeDaemon daemon{loop};
  ControlClient client{loop,
                       {[this](const Event& event, const nlohmann::json&) {
                          events.push_back(event.method + " " + event.text);
                        },
                        [this](const Error& error) { lost = error.message; },
                        [this](std::string_view sentence) { nonsense.emplace_back(sentence); }}};

  Heard() { REQUIRE(client.attach(daemon.connect())); }

  // The outcome of one request: "result" or the error's code.
  std::string outcome(const std::function<void(ControlClient::ReplyCallback)>& ask) {
    std::string said;
    ask([&](const Reply& reply) {
      said = reply.error ? std::to_string(reply.error->code) : "result";
    });
    REQUIRE(run_until(loop, [&] { return !said.empty(); }));
    return said;
  }
};

}  // namespace

TEST_CASE("client: each method is asked as the protocol says", "[console][client]") {
  Heard heard;
  const auto nobody_cares = [](const Reply&) {};
  heard.client.hello("anna", false, nobody_cares);
  heard.client.hello("", true, nobody_cares);
  heard.client.subscribe(7, false, nobody_cares);
  heard.client.subscribe({}, true, nobody_cares);
  heard.client.send(3, "a\n\"b\"\xff", nobody_cares);
  heard.client.send_all("x", nobody_cares);
  heard.client.bye(3, nobody_cares);
  heard.client.kick(3, "", nobody_cares);
  heard.client.kick(3, "why", nobody_cares);
  heard.client.name(3, "Zo\u00eb", nobody_cares);
  heard.client.give(3, "bob", nobody_cares);
  heard.client.note(3, "a\xff", nobody_cares);
  heard.client.notes(3, nobody_cares);
  heard.client.ops("who takes 3?", nobody_cares);
  heard.client.writing(3, nobody_cares);
  heard.client.operators(nobody_cares);
  heard.client.desk(nobody_cares);
  REQUIRE(run_until(heard.loop, [&] { return heard.client.unanswered() == 0; }));
  using nlohmann::json;
  const std::vector<std::pair<std::string, json>> wanted{
      {"hello", {{"name", "anna"}}},
      {"hello", {{"quiet", true}}},
      {"subscribe", {{"since", 7}}},
      {"subscribe", {{"watch", true}}},
      {"send", {{"to", 3}, {"text", "a\n\"b\"\ufffd"}}},
      {"send", {{"to", "all"}, {"text", "x"}}},
      {"bye", {{"session", 3}}},
      {"kick", {{"session", 3}}},
      {"kick", {{"session", 3}, {"reason", "why"}}},
      {"name", {{"session", 3}, {"name", "Zo\u00eb"}}},
      {"give", {{"session", 3}, {"to", "bob"}}},
      {"note", {{"session", 3}, {"text", "a\ufffd"}}},
      {"notes", {{"session", 3}}},
      {"ops", {{"text", "who takes 3?"}}},
      {"writing", {{"session", 3}}},
      {"operators", json::object()},
      {"desk", json::object()},
  };
  REQUIRE(heard.daemon.asked.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CHECK(heard.daemon.asked[i]["method"] == wanted[i].first);
    CHECK(heard.daemon.asked[i]["params"] == wanted[i].second);
    CHECK(heard.daemon.asked[i]["jsonrpc"] == "2.0");
  }
}

TEST_CASE("client: notes are read from an answer, and their number from the list of sessions",
          "[console][client]") {
  const auto notes = decode_notes(nlohmann::json::parse(
      R"([{"time":"2026-11-29T16:33:25.156Z","operator":"ann","text":"a regular"},{}])"));
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].time == "2026-11-29T16:33:25.156Z");
  CHECK(notes[0].operator_name == "ann");
  CHECK(notes[0].text == "a regular");
  CHECK(decode_notes(nlohmann::json::object()).empty());
  const auto sessions = decode_sessions(
      nlohmann::json::parse(R"([{"session":3,"notes":2},{"session":4},{"session":5,"notes":[]}])"));
  REQUIRE(sessions.size() == 3);
  CHECK(sessions[0].notes == 2);
  CHECK(sessions[1].notes == 0);
  CHECK(sessions[2].notes == 0);
}

TEST_CASE("client: a refusal arrives with its code, and a request too long never leaves",
          "[console][client]") {
  Heard heard;
  heard.daemon.answers["bye"] = test::refusal(1, "no such session: 9");
  CHECK(heard.outcome([&](auto callback) { heard.client.bye(9, callback); }) == "1");
  CHECK(heard.outcome([&](auto callback) {
    heard.client.send(1, std::string(1024 * 1024, 'x'), callback);
  }) == std::to_string(kTooLongCode));
  CHECK(heard.outcome([&](auto callback) { heard.client.stats(callback); }) == "result");
  CHECK(heard.daemon.asked.size() == 2);
}

TEST_CASE("client: lines cut anywhere give the same events", "[console][client]") {
  Heard heard;
  const std::string line =
      R"({"jsonrpc":"2.0","method":"message","params":{"session":1,"text":"hello"}})"
      "\n";
  std::string bytes;
  for (int i = 0; i < 3; ++i) bytes += line;
  for (const char byte : bytes) {
    heard.daemon.say_raw({&byte, 1});
    test::run_pending(heard.loop);
  }
  CHECK(heard.events == std::vector<std::string>(3, "message hello"));
}

TEST_CASE("client: nonsense from the daemon is told of and does no harm", "[console][client]") {
  Heard heard;
  const std::vector<std::string> lines{"",
                                       "nonsense",
                                       "[]",
                                       "{}",
                                       "null",
                                       R"({"method":5})",
                                       R"({"method":"message"})",
                                       "\x1b[2J",
                                       R"({"id":77,"result":1})",
                                       R"({"id":null,"error":{"code":3,"message":"go\u001b"}})",
                                       std::string(1000, '[')};
  for (const std::string& line : lines) heard.daemon.say_raw(line + "\n");
  REQUIRE(run_until(heard.loop, [&] { return heard.nonsense.size() == lines.size(); }));
  for (const std::string& sentence : heard.nonsense) {
    CHECK(sentence.find('\x1b') == std::string::npos);
    CHECK(sentence.size() < 500);
  }
  CHECK(heard.events.empty());
  CHECK(heard.outcome([&](auto callback) { heard.client.stats(callback); }) == "result");
}

TEST_CASE("client: every request is answered when the daemon goes, and one may attach again",
          "[console][client]") {
  Heard heard;
  heard.daemon.silent = true;
  std::vector<int> codes;
  for (int i = 0; i < 3; ++i) {
    heard.client.stats([&](const Reply& reply) { codes.push_back(reply.error->code); });
  }
  REQUIRE(run_until(heard.loop, [&] { return heard.daemon.asked.size() == 3; }));
  heard.daemon.hang_up();
  REQUIRE(run_until(heard.loop, [&] { return heard.lost.has_value(); }));
  CHECK(codes == std::vector<int>(3, kLostCode));
  CHECK_FALSE(heard.client.attached());
  heard.client.stats([&](const Reply& reply) { codes.push_back(reply.error->code); });
  CHECK(codes.size() == 4);

  heard.daemon.silent = false;
  REQUIRE(heard.client.attach(heard.daemon.connect()));
  CHECK(heard.outcome([&](auto callback) { heard.client.stats(callback); }) == "result");
}

TEST_CASE("client: paused it hears nothing, resumed everything", "[console][client]") {
  Heard heard;
  heard.client.pause();
  for (int i = 0; i < 100; ++i) heard.daemon.message(1, "x");
  test::run_pending(heard.loop);
  CHECK(heard.events.empty());
  heard.client.resume();
  REQUIRE(run_until(heard.loop, [&] { return heard.events.size() == 100; }));
}

}  // namespace chatd::console
