// What operators type, as a table of lines and what they mean.
#include "console/command.hpp"

#include <catch2/catch.hpp>
#include <map>

namespace chatd::console {

namespace {

std::vector<SessionId> find(std::string_view name) {
  if (name == "anna") return {3};
  if (name == "bo") return {4, 7};
  return {};
}

Command understood(std::string_view line) {
  const Parsed parsed = parse(line, find);
  INFO("line: " << line);
  const auto* refusal = std::get_if<Refusal>(&parsed);
  INFO("refused: " << (refusal == nullptr ? "" : refusal->message));
  REQUIRE(std::holds_alternative<Command>(parsed));
  return std::get<Command>(parsed);
}

std::string refused(std::string_view line) {
  const Parsed parsed = parse(line, find);
  INFO("line: " << line);
  REQUIRE(std::holds_alternative<Refusal>(parsed));
  return std::get<Refusal>(parsed).message;
}

}  // namespace

TEST_CASE("command: what each line means", "[console][command]") {
  using enum Verb;
  const std::vector<std::pair<std::string, Command>> table{
      {"", {kNothing, {}, ""}},
      {"hello", {kSay, {}, "hello"}},
      {" /list", {kSay, {}, " /list"}},
      {"Bye", {kSay, {}, "Bye"}},
      {"bye now", {kSay, {}, "bye now"}},
      {"//list", {kSay, {}, "/list"}},
      {"//", {kSay, {}, "/"}},
      {"///x", {kSay, {}, "//x"}},
      {"a@3 b", {kSay, {}, "a@3 b"}},
      {"several\nlines", {kSay, {}, "several\nlines"}},
      {"bye", {kBye, {}, ""}},
      {" bye ", {kBye, {}, ""}},
      {"/bye", {kBye, {}, ""}},
      {"/bye 3", {kBye, 3, ""}},
      {"/bye anna", {kBye, 3, ""}},
      {"@3 hello", {kSayTo, 3, "hello"}},
      {"@3  two blanks", {kSayTo, 3, " two blanks"}},
      {"@anna hello", {kSayTo, 3, "hello"}},
      {"@3 bye", {kSayTo, 3, "bye"}},
      {"@3\nline", {kSayTo, 3, "line"}},
      {"/all hello", {kAll, {}, "hello"}},
      {"/list", {kList, {}, ""}},
      {"/list ", {kList, {}, ""}},
      {"/focus", {kFocus, {}, ""}},
      {"/focus 12", {kFocus, 12, ""}},
      {"/focus  12 ", {kFocus, 12, ""}},
      {"/kick 3", {kKick, 3, ""}},
      {"/kick 3 for a reason", {kKick, 3, "for a reason"}},
      {"/name 3 Zoe of York", {kName, 3, "Zoe of York"}},
      {"/stats", {kStats, {}, ""}},
      {"/reload", {kReload, {}, ""}},
      {"/help", {kHelp, {}, ""}},
      {"/quit", {kQuit, {}, ""}},
  };
  for (const auto& [line, command] : table) {
    const Command got = understood(line);
    INFO("line: " << line << ", text: " << got.text);
    CHECK(got == command);
  }
}

TEST_CASE("command: what is not understood is refused with what would be right",
          "[console][command]") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"/lsit", "did you mean /list?"},
      {"/kik 3", "did you mean /kick?"},
      {"/xyzzy", "/help"},
      {"/", "unknown command /"},
      {"/ list", "unknown command /"},
      {"/LIST", "did you mean /list?"},
      {"/claim 3", "unknown command /claim"},
      {"/etc/passwd", "unknown command"},
      {"/list 3", "usage: /list"},
      {"/kick", "usage: /kick ID [reason]"},
      {"/kick bo x", "4, 7"},
      {"/kick 0", "no session id"},
      {"/kick 99999999999999999999", "no session id"},
      {"/name 3", "usage: /name ID NAME"},
      {"/name 3   ", "usage: /name ID NAME"},
      {"/all", "usage: /all text"},
      {"/focus 3 4", "usage: /focus"},
      {"/focus nobody", "no session is called 'nobody'"},
      {"/bye 3 4", "usage: /bye"},
      {"@", "to whom?"},
      {"@ 3 hello", "to whom?"},
      {"@3", "nothing to send"},
      {"@3 ", "nothing to send"},
      {"@3x hello", "not sent"},
      {"@nobody hello", "no session is called 'nobody'"},
      {"@bo hello", "say which id"},
      {"@-1 hello", "not sent"},
  };
  for (const auto& [line, hint] : table) {
    const std::string message = refused(line);
    INFO("line: " << line << ", message: " << message);
    CHECK(message.find(hint) != std::string::npos);
  }
}

TEST_CASE("command: what was mistyped is repeated escaped and cut", "[console][command]") {
  CHECK(refused("/a\x1b[2J").find('\x1b') == std::string::npos);
  CHECK(refused("@a\x1b[2J x").find('\x1b') == std::string::npos);
  CHECK(refused("/" + std::string(100000, 'x')).size() < 200);
}

TEST_CASE("command: the lines that the guard guards are those for whoever is in focus",
          "[console][command]") {
  for (const char* line : {"hello", "//list", "bye", "/bye", " /list"}) {
    CHECK(understood(line).needs_focus());
  }
  for (const char* line : {"", "@3 hello", "/all x", "/bye 3", "/list", "/kick 3", "/quit"}) {
    CHECK_FALSE(understood(line).needs_focus());
  }
}

TEST_CASE("command: help shows every command of the table, aligned", "[console][command]") {
  const auto lines = help_lines();
  for (const CommandSpec& spec : commands()) {
    const bool there = std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(std::string{"  "}.append(spec.usage).append("  ")) == 0 &&
             line.find(spec.help) != std::string::npos;
    });
    INFO(spec.usage);
    CHECK(there);
  }
}

}  // namespace chatd::console
