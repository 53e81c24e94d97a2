// What operators type, as a table of lines and what they mean.
#include "console/command.hpp"
#include "console/help.hpp"
#include "support/catch.hpp"

#include <map>

namespace chatd::console {

namespace {

std::vector<SessionId> find(std::string_view name, bool /*whole*/) {
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
      {"@3 hello", {kSend, 3, "hello"}},
      {"@3  two blanks", {kSend, 3, " two blanks"}},
      {"@anna hello", {kSend, 3, "hello"}},
      {"@3 bye", {kSend, 3, "bye"}},
      {"@3\nline", {kSend, 3, "line"}},
      {"/all hello", {kSend, {}, "hello", true}},
      {"/all  two blanks ", {kSend, {}, " two blanks ", true}},
      {"/claim", {kClaim, {}, ""}},
      {"/claim 3", {kClaim, 3, ""}},
      {"/claim --force", {kClaim, {}, "", false, true}},
      {"/claim --force anna", {kClaim, 3, "", false, true}},
      {"/claim 3 --force", {kClaim, 3, "", false, true}},
      {"/release", {kRelease, {}, ""}},
      {"/release 3", {kRelease, 3, ""}},
      {"/give 3 bob", {kGive, 3, "bob"}},
      {"/give anna old bob", {kGive, 3, "old bob"}},
      {"/note anna  has paid ", {kNote, 3, "has paid"}},
      {"/note 3 has paid", {kNote, 3, "has paid"}},
      {"/note has paid", {kNote, {}, "has paid"}},
      {"/note 3 ", {kNote, 3, ""}},
      {"/note", {kNote, {}, ""}},
      {"/reply", {kReply, {}, ""}},
      {"/reply hours", {kReply, {}, "hours"}},
      {"/r hours", {kReply, {}, "hours"}},
      {"/only", {kOnly, {}, ""}},
      {"/mute", {kMute, {}, ""}},
      {"/mute anna", {kMute, 3, ""}},
      {"/who", {kWho, {}, ""}},
      {"/ops lunch?", {kOps, {}, "lunch?"}},
      {"/history", {kHistory, {}, ""}},
      {"/history 3", {kHistory, 3, ""}},
      {"/history anna 50", {kHistory, 3, "", false, false, 50}},
      {"/history all", {kHistory, {}, "", true}},
      {"/history all 5", {kHistory, {}, "", true, false, 5}},
      {"/search  two words ", {kSearch, {}, "two words"}},
      {"/search --client anna two words", {kSearch, 3, "two words"}},
      {"/search --client gone x", {kSearch, {}, "x", false, false, {}, {}, "", "gone"}},
      {"/history gone 5", {kHistory, {}, "", false, false, 5, {}, "", "gone"}},
      {"/more", {kMore, {}, ""}},
      {"/ban 192.0.2.0/24", {kBan, {}, "192.0.2.0/24"}},
      {"/ban ::1 10m", {kBan, {}, "::1", false, false, 600}},
      {"/ban ::1 --now", {kBan, {}, "::1", false, true}},
      {"/ban --now ::1 10m", {kBan, {}, "::1", false, true, 600}},
      {"/unban ::1", {kUnban, {}, "::1"}},
      {"/bans", {kBans, {}, ""}},
      {"/origins", {kOrigins, {}, ""}},
      {"/away back at nine", {kAway, {}, "back at nine"}},
      {"/back", {kBack, {}, ""}},
      {"/list", {kList, {}, ""}},
      {"/list ", {kList, {}, ""}},
      {"/focus", {kFocus, {}, ""}},
      {"/focus 12", {kFocus, 12, ""}},
      {"/focus  12 ", {kFocus, 12, ""}},
      {"/kick 3", {kKick, 3, ""}},
      {"/kick 3 for a reason", {kKick, 3, "for a reason"}},
      {"/kick anna", {kKick, 3, ""}},
      {"/kick 3,4,12 noise", {kKick, {}, "noise", false, false, {}, {3, 4, 12}}},
      {"/kick 192.0.2.0/24", {kKick, {}, "", false, false, {}, {}, "192.0.2.0/24"}},
      {"/kick 2001:db8::/48 noise", {kKick, {}, "noise", false, false, {}, {}, "2001:db8::/48"}},
      {"/kick ::ffff:192.0.2.1", {kKick, {}, "", false, false, {}, {}, "::ffff:192.0.2.1"}},
      {"/kick uid:1000", {kKick, {}, "", false, false, {}, {}, "uid:1000"}},
      {"/name 3 Zoe of York", {kName, 3, "Zoe of York"}},
      {"/name 3", {kName, 3, ""}},
      {"/name 3   ", {kName, 3, ""}},
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
      {"/REL", "/REL may mean several commands: /release, /reload"},
      {"/tail", "unknown command /tail"},
      {"/stop", "unknown command /stop"},
      {"/claim --forse", "no session is called '--forse'"},
      {"/history 3 many", "'many' is not a number from 1 on; usage: /history [ID|all] [N]"},
      {"/history 3 0", "'0' is not a number from 1 on; usage: /history [ID|all] [N]"},
      {"/history 3 4 5", "usage: /history"},
      {"/search", "usage: /search [--client ID] WORDS"},
      {"/history bo", "4, 7"},
      {"/ban", "usage: /ban ADDRESS[/BITS] [DURATION] [--now]"},
      {"/ban ::1 10m now", "usage: /ban ADDRESS[/BITS] [DURATION] [--now]"},
      {"/ban ::1 10", "'10' is not a duration, such as 30s, 10m"},
      {"/ban ::1 0m", "is not a duration"},
      {"/unban ::1 10m", "usage: /unban"},
      {"/away", "usage: /away TEXT"},
      {"/give 3", "usage: /give ID NAME"},
      {"/ops", "usage: /ops TEXT"},
      {"/etc/passwd", "unknown command"},
      {"/list 3", "usage: /list"},
      {"/kick", "usage: /kick ID,...|ADDRESS[/BITS] [REASON]"},
      {"/kick 3,0", "no session is called '3,0'"},
      {"/kick 3, 4", "no session is called '3,'"},
      {"/kick uid:", "no session is called 'uid:'"},
      {"/kick bo x", "4, 7"},
      {"/kick 0", "is not a session id"},
      {"/kick 99999999999999999999", "is not a session id"},
      {"/name", "usage: /name ID [NAME]"},
      {"/all", "usage: /all TEXT"},
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

TEST_CASE("command: the arguments of a script mean the same", "[console][command]") {
  using enum Verb;
  using Words = std::vector<std::string>;
  const std::vector<std::pair<Words, Command>> table{
      {{"list"}, {kList, {}, ""}},
      {{"send", "3", "two", "words"}, {kSend, 3, "two words"}},
      {{"send", "all", " as it is "}, {kSend, {}, " as it is ", true}},
      {{"send", "3", "--json"}, {kSend, 3, "--json"}},
      {{"bye", "3"}, {kBye, 3, ""}},
      {{"kick", "3", "a", "reason"}, {kKick, 3, "a reason"}},
      {{"kick", "3,4"}, {kKick, {}, "", false, false, {}, {3, 4}}},
      {{"kick", "anna", "noise"}, {kKick, {}, "noise", false, false, {}, {}, "", "anna"}},
      {{"bye", "anna"}, {kBye, {}, "", false, false, {}, {}, "", "anna"}},
      {{"send", "bo of york", "x"}, {kSend, {}, "x", false, false, {}, {}, "", "bo of york"}},
      {{"ask", "3", "two", "words"}, {kAsk, 3, "two words"}},
      {{"ask", "anna", " as it is "}, {kAsk, {}, " as it is ", false, false, {}, {}, "", "anna"}},
      {{"history", "anna", "5"}, {kHistory, {}, "", false, false, 5, {}, "", "anna"}},
      {{"search", "--client", "3", "a"}, {kSearch, 3, "a"}},
      {{"search", "--client", "anna", "a", "b"},
       {kSearch, {}, "a b", false, false, {}, {}, "", "anna"}},
      {{"kick", "10.0.0.0/8", "a", "reason"},
       {kKick, {}, "a reason", false, false, {}, {}, "10.0.0.0/8"}},
      {{"name", "3", ""}, {kName, 3, ""}},
      {{"claim", "--force", "3"}, {kClaim, 3, "", false, true}},
      {{"give", "3", "bob"}, {kGive, 3, "bob"}},
      {{"note", "3", "has", "paid"}, {kNote, 3, "has paid"}},
      {{"note", "3"}, {kNote, 3, ""}},
      {{"ops", "lunch?"}, {kOps, {}, "lunch?"}},
      {{"history"}, {kHistory, {}, ""}},
      {{"history", "3", "5"}, {kHistory, 3, "", false, false, 5}},
      {{"search", "a", "b"}, {kSearch, {}, "a b"}},
      {{"ban", "10.0.0.0/8", "2h"}, {kBan, {}, "10.0.0.0/8", false, false, 7200}},
      {{"ban", "10.0.0.0/8", "2h", "--now"}, {kBan, {}, "10.0.0.0/8", false, true, 7200}},
      {{"tail"}, {kTail, {}, ""}},
      {{"tail", "--since", "0"}, {kTail, {}, "", false, false, 0}},
      {{"completion", "fish"}, {kCompletion, {}, "fish"}},
      {{"talk", "[::1]:99"}, {kTalk, {}, "[::1]:99"}},
      {{"talk", "localhost", "99"}, {kTalk, {}, "localhost", false, false, 99}},
      {{"talk", "--ca", "a", "tls:h", "--certificate", "b", "--key", "c"},
       {kTalk, {}, "tls:h", false, false, {}, {}, {}, {}, "a", "b", "c"}},
  };
  for (const auto& [words, command] : table) {
    const Parsed parsed = parse_script(words);
    INFO(words.front() << " " << words.back());
    REQUIRE(std::holds_alternative<Command>(parsed));
    CHECK(std::get<Command>(parsed) == command);
  }
  const std::vector<std::pair<Words, std::string>> refusals{
      {{"lsit"}, "did you mean list?"},
      {{"away", "x"}, "type /away TEXT"},
      {{"rel"}, "unknown command 'rel'; chatctl --help lists everything"},
      {{"bye"}, "usage: chatctl bye ID"},
      {{"talk"}, "usage: chatctl talk [tls:]HOST[:PORT] [PORT] [--ca FILE]"},
      {{"talk", "h", "0"}, "'0' is not a port from 1 to 65535"},
      {{"talk", "h", "65536"}, "'65536' is not a port from 1 to 65535"},
      {{"talk", "h", "1", "x"}, "usage: chatctl talk"},
      {{"talk", "tls:h", "--ca"}, "--ca: the name of a file is missing"},
      {{"talk", "tls:h", "--ca", ""}, "--ca: the name of a file is missing"},
      {{"bye", "3", "4"}, "usage: chatctl bye ID"},
      {{"bye", ""}, "is not a session id"},
      {{"bye", "0"}, "is not a session id"},
      {{"ask", "3"}, "usage: chatctl ask ID TEXT..."},
      {{"note"}, "usage: chatctl note ID [TEXT]"},
      {{"note", "3", ""}, "not noted: the text is empty"},
      {{"search", "--client"}, "usage: chatctl search [--client ID] WORDS"},
      {{"search", "--client", "3"}, "usage: chatctl search [--client ID] WORDS"},
      {{"claim"}, "usage: chatctl claim ID [--force]"},
      {{"send", "3"}, "usage: chatctl send ID|all TEXT..."},
      {{"tail", "--since"}, "is not the number of an event"},
      {{"tail", "--since", "x"}, "is not the number of an event"},
      {{"completion", "csh"}, "usage: chatctl completion bash|zsh|fish"},
      {{"completion"}, "usage: chatctl completion bash|zsh|fish"},
  };
  for (const auto& [words, hint] : refusals) {
    const Parsed parsed = parse_script(words);
    INFO(words.front() << " " << words.back());
    REQUIRE(std::holds_alternative<Refusal>(parsed));
    CHECK(std::get<Refusal>(parsed).message.find(hint) != std::string::npos);
  }
}

TEST_CASE("command: durations have a unit", "[console][command]") {
  CHECK(parse_duration("30s") == 30);
  CHECK(parse_duration("10m") == 600);
  CHECK(parse_duration("2h") == 7200);
  CHECK(parse_duration("1d") == 86'400);
  CHECK(parse_duration("1w") == 604'800);
  for (const char* word : {"1s", "90s", "5m", "36h", "8d", "2w"}) {
    CHECK(duration_word(*parse_duration(word)) == word);
  }
  for (const char* bad : {"", "m", "10", "0s", "-1s", "1 h", "10x", "1h30m", "99999999999999h"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad));
  }
}

TEST_CASE("command: the lines that the guard guards are those for whoever is in focus",
          "[console][command]") {
  for (const char* line : {"hello", "//list", "bye", "/bye", " /list", "/claim", "/claim --force",
                           "/release", "/note has paid", "/reply hours"}) {
    CHECK(understood(line).needs_focus());
  }
  for (const char* line : {"", "@3 hello", "/all x", "/bye 3", "/list", "/kick 3", "/quit",
                           "/claim 3", "/history", "/note 3 has paid", "/note 3", "/reply"}) {
    CHECK_FALSE(understood(line).needs_focus());
  }
}

TEST_CASE("command: what does something to clients has to know who they are",
          "[console][command]") {
  for (const char* line :
       {"hello", "@3 x", "/all x", "/bye", "/bye 3", "/kick 3", "/kick ::1", "/name 3 x", "/claim",
        "/release 3", "/give 3 bob", "/note x", "/reply hours", "/ops x", "/away x"}) {
    INFO(line);
    CHECK(understood(line).is_for_somebody());
  }
  for (const char* line : {"", "/list", "/focus 3", "/history 3", "/reply", "/back", "/quit"}) {
    INFO(line);
    CHECK_FALSE(understood(line).is_for_somebody());
  }
}

TEST_CASE("command: a line names whom it goes to as soon as that word stands there",
          "[console][command]") {
  struct Row {
    std::string line;
    std::string upto;
    std::vector<SessionId> meant;
  };
  const std::vector<Row> table{
      {"", "", {}},
      {"hello", "", {}},
      {"//kick 3", "", {}},
      {"@", "", {}},
      {"@ 3", "", {}},
      {"@3", "@3", {3}},
      {"@3 hello @4", "@3", {3}},
      {"@anna\nhello", "@anna", {3}},
      {"@bo x", "@bo", {4, 7}},
      {"@nobody x", "@nobody", {}},
      {"/", "", {}},
      {"/nonsense 3", "", {}},
      {"/kick", "", {}},
      {"/kick ", "", {}},
      {"/kick anna", "/kick anna", {3}},
      {"/KICK  3,5 why", "/KICK  3,5", {3, 5}},
      {"/kick 192.0.2.0/24", "/kick 192.0.2.0/24", {}},
      {"/bye 3", "/bye 3", {3}},
      {"/claim --force anna", "/claim --force anna", {3}},
      {"/name anna Zoe", "/name anna", {3}},
      {"/give 3 anna", "/give 3", {3}},
      {"/note anna has paid", "/note anna", {3}},
      {"/note 3", "/note 3", {3}},
      {"/all anna", "", {}},
      {"/focus anna", "", {}},
      {"/list", "", {}},
  };
  for (const auto& [line, upto, meant] : table) {
    const Address address = address_of(line);
    INFO(line);
    CHECK(address.upto == upto);
    CHECK(meant_by(address, find) == meant);
  }
  CHECK(address_of("/note anna x").whole);
  CHECK_FALSE(address_of("/kick anna").whole);
}

TEST_CASE("command: what cannot be undone is typed as a whole, whatever the case",
          "[console][command]") {
  for (const char* word : {"k", "kic", "KIC", "by", "al", "q", "Qui"}) {
    INFO(word);
    const Meant meant = meant_command(word);
    CHECK(meant.spec == nullptr);
    CHECK(unknown_command(word).find("has to be typed as a whole") != std::string::npos);
  }
  for (const char* word : {"kick", "KICK", "Bye", "All", "ban", "BAN", "quit"}) {
    INFO(word);
    CHECK(meant_command(word).spec != nullptr);
  }
  // Not another command than it was meant to be.
  CHECK(meant_command("a").spec == nullptr);
  CHECK(meant_command("ba").spec == nullptr);
}

TEST_CASE("command: help shows every command of the table, aligned", "[console][command]") {
  const auto lines = help_lines(0);
  for (const CommandSpec& spec : commands()) {
    const std::string usage = usage_of(spec, Place::kTyped);
    const bool there = std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(std::string{"  "}.append(usage).append("  ")) == 0 &&
             line.find(spec.help) != std::string::npos;
    });
    INFO(usage);
    CHECK(there == spec.typed());
  }
}

TEST_CASE("command: help fits a narrow terminal, and every word of it is there",
          "[console][command]") {
  const auto words_of = [](const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines) {
      for (const char c : line) {
        if (c != ' ') all += c;
      }
    }
    return all;
  };
  for (const std::size_t width : {40U, 60U, 80U, 200U}) {
    const auto lines = help_lines(width);
    CHECK(words_of(lines) == words_of(help_lines(0)));
    for (const std::string& line : lines) {
      INFO(width << ": " << line);
      CHECK(line.size() <= width);
    }
  }
}

TEST_CASE("command: a command may be typed by its beginning, whatever the case",
          "[console][command]") {
  CHECK(meant_command("li").spec->word == "list");
  CHECK(meant_command("LIST").spec->word == "list");
  CHECK(meant_command("ban").spec->word == "ban");
  CHECK(meant_command("").spec == nullptr);
  CHECK(meant_command("sto").spec == nullptr);
  const Meant several = meant_command("REL");
  CHECK(several.spec == nullptr);
  CHECK(several.candidates == std::vector<std::string_view>{"release", "reload"});
  CHECK(unknown_command("rel") == "/rel may mean several commands: /release, /reload");
  CHECK(unknown_command("lsit") == "unknown command /lsit; did you mean /list?");
}

TEST_CASE("help: what one needs every day fits a terminal, and no command is missing",
          "[console][command]") {
  for (const CommandSpec& spec : commands()) {
    INFO(spec.word);
    if (spec.typed()) CHECK(is_in_short_help(spec.word));
    if (!spec.typed()) continue;
    // Each has an example that the console understands.
    const auto lines = help_lines_of("/" + std::string{spec.word}, 0);
    CHECK(lines.front().find(usage_of(spec, Place::kTyped)) != std::string::npos);
    CHECK(lines.size() > 1);
  }
  const auto all = short_help_lines(80);
  CHECK(all.size() <= 22);  // of the usual 24 rows
  for (const std::size_t width : {20U, 40U, 80U, 200U}) {
    for (const std::string& line : short_help_lines(width)) {
      INFO(width << ": " << line);
      CHECK(line.size() <= std::max<std::size_t>(width, 24));
    }
  }
  CHECK(help_lines_of("/kick", 80) == help_lines_of("ki", 80));
  CHECK(help_lines_of("all", 80) == help_lines(80));
  CHECK(help_lines_of("rel", 80).front().find("may mean several") != std::string::npos);
}

}  // namespace chatd::console
