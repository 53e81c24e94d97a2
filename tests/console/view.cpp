// Events in, lines out.
#include "console/view.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "console/table.hpp"
#include "console/wire.hpp"
#include "support/catch.hpp"

namespace chatd::console {

using Lines = std::vector<std::string>;

namespace {

Roster roster_with_names() {
  Roster roster;
  roster.replace({{3, "", "", "", "", "", "", 0, 0, 0},
                  {4, "anna", "", "", "", "", "", 0, 0, 0},
                  {5, std::string{"\x1b[2J\xe2\x80"} + '\xae', "", "", "", "", "", 0, 0, 0}});
  return roster;
}

Event event_of(const std::string& notification) {
  const auto document = nlohmann::json::parse(notification);
  return decode_event(document["method"].get<std::string>(), document["params"]);
}

Lines texts(const std::vector<Line>& lines) {
  Lines all;
  for (const Line& line : lines) all.push_back(line.text);
  return all;
}

Lines shown(const std::string& notification, Timestamps timestamps = Timestamps::kNone) {
  return texts(View{false, timestamps}.event(event_of(notification), roster_with_names(), "root"));
}

}  // namespace

TEST_CASE("view: what each event looks like", "[console][view]") {
  const std::vector<std::pair<std::string, Lines>> table{
      {R"({"method":"connected","params":{"seq":1,"session":3,"address":"127.0.0.1:5","listener":"127.0.0.1:8080"}})",
       {"[3]* connected from 127.0.0.1:5 to 127.0.0.1:8080"}},
      {R"({"method":"connected","params":{"session":3,"address":"192.0.2.7:4711",)"
       R"("listener":"0.0.0.0:8080","verified":"ann","via":"10.0.0.1:555",)"
       R"("tls":"TLSv1.3 TLS_AES_128_GCM_SHA256"}})",
       {"[3]* connected from 192.0.2.7:4711 to 0.0.0.0:8080, verified as ann, over TLSv1.3, "
        "by way of 10.0.0.1:555"}},
      {R"({"method":"connected","params":{"session":3,"address":"192.0.2.7:4711","tls":"TLSv1.2"}})",
       {"[3]* connected from 192.0.2.7:4711, over TLSv1.2"}},
      {R"({"method":"message","params":{"seq":1,"session":3,"text":"hello"}})", {"[3] hello"}},
      {R"({"method":"message","params":{"seq":1,"session":4,"text":"one\n[7] two\n"}})",
       {"[4 anna] one", "[4 anna] [7] two", "[4 anna] "}},
      {R"({"method":"message","params":{"seq":1,"session":3,"text":"long","cut":true}})",
       {"[3] long", "[3]* the message was longer; it is cut here"}},
      {R"({"method":"sent","params":{"session":3,"operator":"root","text":"hi","state":"sent"}})",
       {"[3]< hi"}},
      {R"({"method":"sent","params":{"session":3,"operator":"bo","text":"a\nb","state":"sent"}})",
       {"[3]< bo: a", "[3]< bo: b"}},
      {R"({"method":"sent","params":{"session":3,"operator":"root","text":"hi","state":"held"}})",
       {"[3]< hi", "[3]* held until it has spoken"}},
      {R"({"method":"sent","params":{"session":3,"operator":"root","text":"hi","state":"lost"}})",
       {"[3]< hi", "[3]* not delivered"}},
      {R"({"method":"sent","params":{"session":[3,4],"operator":"root","text":"hi","state":"sent"}})",
       {"[3]< hi", "[4 anna]< hi"}},
      {R"({"method":"sent","params":{"session":[1,2,3,4,5,6],"operator":"root","text":"hi","state":"held"}})",
       {"< to 6 clients: hi", "* held until they have spoken"}},
      {R"({"method":"delivered","params":{"session":3,"ref":7}})",
       {"[3]* the held message has been delivered"}},
      {R"({"method":"disconnected","params":{"session":3,"reason":"said bye"}})",
       {"[3]* disconnected: said bye"}},
      {R"({"method":"disconnected","params":{"session":3,"reason":"kicked","lost":2}})",
       {"[3]* disconnected: kicked; 2 messages did not reach it"}},
      {R"({"method":"named","params":{"session":4,"name":"anna","operator":"root"}})",
       {"[4 anna]* is now called anna"}},
      {R"({"method":"named","params":{"session":3,"name":"","operator":"bo"}})",
       {"[3]* its name was removed by bo"}},
      {R"({"method":"named","params":{"session":4,"name":"an\u001bna"}})",
       {"[4 anna]* calls itself an\\x1bna"}},
      {R"({"method":"named","params":{"session":4,"name":"lab\u001b","automatic":true}})",
       {"[4 anna]* is called lab\\x1b by the configuration"}},
      {R"({"method":"operator","params":{"name":"bo","state":"attached"}})",
       {"* operator bo attached"}},
      {R"({"method":"operator","params":{"name":"root","state":"attached"}})", {}},
      {R"({"method":"operator","params":{"name":"bo","state":"away","text":"back at 9"}})",
       {"* operator bo away: back at 9"}},
      {R"({"method":"operator","params":{"name":"bo","state":"back"}})", {"* operator bo back"}},
      {R"({"method":"claimed","params":{"session":4,"operator":"bo"}})",
       {"[4 anna]* is claimed by bo"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"root"}})", {"[3]* is yours now"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"root","from":"bo"}})",
       {"[3]* is yours now, taken from bo"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"bo","from":"root"}})",
       {"[3]* was yours; taken from you by bo"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"bo","from":"al"}})",
       {"[3]* is claimed by bo, taken from al"}},
      {R"({"method":"released","params":{"session":3,"operator":"bo"}})",
       {"[3]* is released by bo"}},
      {R"({"method":"released","params":{"session":3,"operator":"root"}})", {"[3]* is released"}},
      {R"({"method":"noted","params":{"session":4,"operator":"bo","text":"a\u001b\nregular"}})",
       {"[4 anna]* note by bo: a\\x1b", "[4 anna]* note by bo: regular"}},
      {R"({"method":"noted","params":{"session":3,"operator":"root","text":"x"}})",
       {"[3]* note by root: x"}},
      {R"({"method":"banned","params":{"address":"192.0.2.0/24","operator":"bo"}})",
       {"* 192.0.2.0/24 is banned by bo"}},
      {R"({"method":"unbanned","params":{"address":"::1","operator":"bo"}})",
       {"* ::1 is unbanned by bo"}},
      {R"({"method":"unbanned","params":{"address":"::1"}})", {"* the ban of ::1 has ended"}},
      {R"({"method":"sent","params":{"session":3,"operator":"root","text":"later",)"
       R"("state":"sent","automatic":true}})",
       {"[3]< root (away): later"}},
      {R"({"method":"ops","params":{"seq":1,"operator":"[3]","text":"who takes\n[3] 3?\u001b"}})",
       {"* [3] to the operators: who takes", "* [3] to the operators: [3] 3?\\x1b"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"bo","by":"ann","from":"ann"}})",
       {"[3]* is given to bo by ann"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"root","by":"ann"}})",
       {"[3]* is given to you by ann"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"bo","by":"root","from":"root"}})",
       {"[3]* is given to bo"}},
      {R"({"method":"claimed","params":{"session":3,"operator":"bo","by":"ann","from":"root"}})",
       {"[3]* was yours; given to bo by ann"}},
      {R"({"method":"warning","params":{"seq":1,"text":"transcripts cannot be written"}})",
       {"* warning: transcripts cannot be written"}},
      {R"({"method":"warning","params":{"seq":1,"text":"two files:\n[3] one\u001b"}})",
       {"* warning: two files:", "* warning: [3] one\\x1b"}},
      {R"({"method":"warning","params":{"seq":1}})", {"* warning: "}},
      {R"({"method":"lagged","params":{"lost":120}})", {"* 120 events were missed"}},
      {R"({"method":"moved","params":{"session":3}})", {"[3]* moved"}},
      {R"({"method":"message","params":{"session":"three","text":5}})", {"[0] "}},
  };
  for (const auto& [notification, lines] : table) {
    INFO(notification);
    CHECK(shown(notification) == lines);
  }
}

TEST_CASE("view: every event of the table has a sentence of its own", "[console][view]") {
  std::set<std::string> all;
  for (const EventWord& row : kEventWords) {
    INFO(row.word);
    nlohmann::json params{{"seq", 1}, {"session", 3}, {"operator", "bo"}};
    // Every member that the table names, so that a sentence that is made of it can be told.
    for (std::string_view members = row.members; !members.empty();) {
      std::string member{members.substr(0, members.find(' '))};
      members.remove_prefix(std::min(members.size(), member.size() + 1));
      if (member.ends_with('?')) member.pop_back();
      if (!params.contains(member)) params[member] = "some " + member;
    }
    params["lost"] = 7;
    const nlohmann::json event{{"method", row.word}, {"params", params}};
    const Lines lines = shown(event.dump());
    if (row.audience == Audience::kOthers) {  // that is told in the prompt
      CHECK(lines.empty());
      continue;
    }
    REQUIRE(lines.size() == 1);
    const std::string word{row.word};
    CHECK(lines.front() != "* " + word);
    CHECK(lines.front() != "[3]* " + word);
    CHECK(all.insert(lines.front()).second);
    // The text of an event is never left out.
    if (params.contains("text") && !params.contains("name")) {
      CHECK(lines.front().ends_with("some text"));
    }
  }
}

TEST_CASE("view: nothing that came from outside reaches a line unescaped", "[console][view]") {
  const std::vector<std::pair<std::string, std::string>> hostile{
      {R"(\u001b[2J)", R"(\x1b[2J)"},       {R"(a\u0000b)", R"(a\x00b)"},
      {R"(\u202eevil)", R"(\u202eevil)"},   {R"(a\u200bb)", R"(a\u200bb)"},
      {R"(\u0085[7] x)", R"(\x85[7] x)"},   {R"(a\r[7] x)", R"(a\x0d[7] x)"},
      {R"(\udb40\udc41)", R"(\U000e0041)"}, {"%s%n{}", "%s%n{}"},
  };
  for (const auto& row : hostile) {
    const std::string& json = row.first;
    const std::string& text = row.second;
    const auto in = [&](const std::string& before, const std::string& after) {
      return shown(before + json + after).front();
    };
    CHECK(in(R"({"method":"message","params":{"session":3,"text":")", "\"}}") == "[3] " + text);
    CHECK(in(R"({"method":"disconnected","params":{"session":3,"reason":")", "\"}}") ==
          "[3]* disconnected: " + text);
    CHECK(in(R"({"method":"connected","params":{"session":3,"address":")", "\"}}") ==
          "[3]* connected from " + text);
    CHECK(in(R"({"method":"connected","params":{"session":3,"address":"a","via":")", "\"}}") ==
          "[3]* connected from a, by way of " + text);
    CHECK(in(R"({"method":"connected","params":{"session":3,"address":"a","verified":")", "\"}}") ==
          "[3]* connected from a, verified as " + text);
    CHECK(in(R"({"method":"sent","params":{"session":3,"text":"x","operator":")", "\"}}") ==
          "[3]< " + text + ": x");
    CHECK(in(R"({"method":"operator","params":{"state":"attached","name":")", "\"}}") ==
          "* operator " + text + " attached");
    CHECK(in(R"({"method":"operator","params":{"name":"bo","state":"away","text":")", "\"}}") ==
          "* operator bo away: " + text);
    CHECK(in(R"({"method":"claimed","params":{"session":3,"operator":")", "\"}}") ==
          "[3]* is claimed by " + text);
    CHECK(in(R"({"method":"claimed","params":{"session":3,"operator":"bo","from":")", "\"}}") ==
          "[3]* is claimed by bo, taken from " + text);
    CHECK(in(R"({"method":"warning","params":{"text":")", "\"}}") == "* warning: " + text);
    CHECK(in(R"({"method":"banned","params":{"operator":"bo","address":")", "\"}}") ==
          "* " + text + " is banned by bo");
  }
  CHECK(shown(R"({"method":"message","params":{"session":5,"text":"x"}})").front() ==
        R"([5 \x1b[2J\u202e] x)");
}

TEST_CASE("view: times are the operator's own", "[console][view]") {
  ::setenv("TZ", "UTC-2", 1);
  ::tzset();
  const std::string message =
      R"({"method":"message","params":{"time":"2026-11-23T23:50:00.123Z","session":3,"text":"a\nb"}})";
  CHECK(shown(message, Timestamps::kTime) == Lines{"01:50:00 [3] a", "01:50:00 [3] b"});
  CHECK(shown(message, Timestamps::kDateTime).front() == "2026-11-24 01:50:00 [3] a");
  CHECK(shown(message, Timestamps::kNone).front() == "[3] a");
  CHECK(
      shown(
          R"({"method":"banned","params":{"address":"::1","operator":"bo","until":"2026-11-23T23:50:00.123Z"}})")
          .front() == "* ::1 is banned by bo until 2026-11-24 01:50:00");
  for (const char* bad : {"", "yesterday", "2026-11-23T23:50", "2026-11-23 23:50:00+01:00 "}) {
    CHECK(local_time(bad, true).empty());
  }
}

TEST_CASE("view: rows hang under the prefix of their line", "[console][view]") {
  struct Row {
    std::string_view notification;
    std::string_view prefix;  ///< as wide as the indent
  };
  const auto row = GENERATE(values<Row>({
      {R"({"method":"message","params":{"session":3,"text":"x\ny"}})", "[3] "},
      {R"({"method":"message","params":{"session":4,"text":"x"}})", "[4 anna] "},
      {R"({"method":"sent","params":{"session":3,"operator":"root","text":"x","state":"sent"}})",
       "[3]< "},
      {R"({"method":"sent","params":{"session":3,"operator":"bo","text":"x","state":"sent"}})",
       "[3]< bo: "},
      {R"({"method":"disconnected","params":{"session":4,"reason":"x"}})", "[4 anna]* "},
      {R"({"method":"operator","params":{"name":"bo","state":"away","text":"x"}})", "* "},
      {R"({"method":"claimed","params":{"session":3,"operator":"bo","from":"root"}})", "[3]* "},
      {R"({"method":"warning","params":{"text":"x"}})", "* "},
      {R"({"method":"nobody knows","params":{}})", "* "},
  }));
  const std::string time = R"("time":"2026-11-23T23:50:00.123Z",)";
  std::string notification{row.notification};
  notification.insert(notification.find(R"("params":{)") + 10,
                      notification.ends_with("{}}") ? time.substr(0, time.size() - 1) : time);
  CAPTURE(notification);
  for (const bool color : {false, true}) {
    const auto hangs = [&](Timestamps timestamps) {
      std::vector<std::size_t> all;
      for (const Line& line :
           View{color, timestamps}.event(event_of(notification), roster_with_names(), "root")) {
        all.push_back(line.hang);
      }
      return all;
    };
    for (const auto hang : hangs(Timestamps::kNone)) CHECK(hang == row.prefix.size());
    for (const auto hang : hangs(Timestamps::kTime)) CHECK(hang == 9 + row.prefix.size());
    for (const auto hang : hangs(Timestamps::kDateTime)) CHECK(hang == 20 + row.prefix.size());
  }
}

TEST_CASE("view: colour changes nothing but colour", "[console][view]") {
  const View view{true, Timestamps::kNone};
  const auto line = [&](const std::string& notification, Target focus = {}) {
    return view.event(event_of(notification), roster_with_names(), "root", focus).front().text;
  };
  const std::string message = R"({"method":"message","params":{"session":3,"text":"x"}})";
  CHECK(line(message) == "\x1b[95m[3]\x1b[0m x");
  CHECK(line(message, Target{4}) == "\x1b[95m[3]\x1b[0m x");
  CHECK(line(message, Target{3}) == "\x1b[1;95m[3]\x1b[0m \x1b[1mx\x1b[0m");
  CHECK(line(R"({"method":"sent","params":{"session":3,"operator":"bo","text":"x"}})") ==
        "\x1b[95m[3]\x1b[0m\x1b[33m< bo:\x1b[0m x");
  CHECK(line(R"({"method":"claimed","params":{"session":3,"operator":"bo","from":"root"}})") ==
        "\x1b[1;4;33m[3]* was yours; taken from you by bo\x1b[0m");
  CHECK(line(R"({"method":"warning","params":{"text":"x"}})") == "\x1b[1;4;33m* warning: x\x1b[0m");
  CHECK(view.prompt(Target{4}, roster_with_names()) ==
        "\001\x1b[1;36m\002[4 anna]\001\x1b[0m\002 > ");
}

TEST_CASE("view: each client has a colour that stays", "[console][view]") {
  const auto lead = [](SessionId session, bool many) {
    const Event event = event_of(R"({"method":"message","params":{"session":)" +
                                 std::to_string(session) + R"(,"text":"x"}})");
    const std::string line =
        View{true, Timestamps::kNone, many}.event(event, roster_with_names(), "root").front().text;
    return line.substr(0, line.find('[' + std::to_string(session)));
  };
  for (const bool many : {false, true}) {
    std::set<std::string> all;
    for (SessionId id = 100; id < 200; ++id) {
      all.insert(lead(id, many));
      CHECK(lead(id, many) == lead(id, many));
    }
    CHECK(all.size() == (many ? 7 : 4));
    CHECK(lead(1, many) != lead(2, many));
  }
}

TEST_CASE("view: a word to look out for makes a line stand out, with colours and without",
          "[console][view]") {
  const Event event = event_of(R"({"method":"message","params":{"session":3,"text":"x\ny"}})");
  const Roster roster = roster_with_names();
  CHECK(texts(View{false, Timestamps::kNone}.event(event, roster, "root", Target{3}, true)) ==
        Lines{"[3]! x", "[3]! y"});
  const auto colored = View{true, Timestamps::kNone}.event(event, roster, "root", {}, true);
  CHECK(colored.front().text == "\x1b[1;95m[3]\x1b[0m\x1b[1;4;33m!\x1b[0m \x1b[1mx\x1b[0m");
  CHECK(colored.front().hang == 5);
}

TEST_CASE("view: without colours the client in focus stands out by a mark", "[console][view]") {
  const View view{false, Timestamps::kNone};
  const Event event =
      event_of(R"({"method":"message","params":{"session":3,"text":"x\ny","cut":true}})");
  const auto lines = [&](Target focus) {
    return texts(view.event(event, roster_with_names(), "root", focus));
  };
  CHECK(lines(Target{3}) ==
        Lines{"[3]| x", "[3]| y", "[3]* the message was longer; it is cut here"});
  CHECK(lines(Target{4}) == Lines{"[3] x", "[3] y", "[3]* the message was longer; it is cut here"});
}

TEST_CASE("view: no two kinds of line differ by red and green alone", "[console][view]") {
  const View view{true, Timestamps::kNone};
  std::string all =
      view.prompt(Target{4}, roster_with_names()) + view.note("x") + view.problem("x").front();
  for (const char* notification :
       {R"({"method":"message","params":{"session":3,"text":"x"}})",
        R"({"method":"sent","params":{"session":3,"operator":"bo","text":"x","state":"lost"}})",
        R"({"method":"connected","params":{"session":3,"address":"x"}})"}) {
    for (const Line& line :
         view.event(event_of(notification), roster_with_names(), "root", Target{3})) {
      all += line.text;
    }
  }
  for (SessionId id = 1; id < 20; ++id) {
    for (const bool many : {false, true}) {
      all += View{true, Timestamps::kNone, many}.prompt(Target{id}, roster_with_names());
    }
  }
  for (const std::string of_256 = "38;5;"; all.find(of_256) != std::string::npos;) {
    all.replace(all.find(of_256), of_256.size() + 2, "-");
  }
  for (const char* color : {"31", "32", "91", "92"}) {
    for (const char* before : {"[", ";"}) {
      CHECK(all.find(before + std::string{color} + "m") == std::string::npos);
    }
  }
}

TEST_CASE("view: the prompt tells what is unread, whose the client is, and who is away",
          "[console][view]") {
  const View view{false, Timestamps::kNone};
  Roster roster = roster_with_names();
  std::vector<View::Waiting> waiting;
  std::size_t more = 0;
  const auto prompt = [&](Target focus, std::size_t width = 80, bool away = false,
                          std::string_view writing = {}) {
    return view.prompt(focus, roster, {waiting, more, "root", writing, away, false, width});
  };
  CHECK(prompt({}) == "> ");
  CHECK(prompt(Target{3}) == "[3] > ");
  CHECK(prompt(Target{4}) == "[4 anna] > ");
  waiting = {{7, "", 7, false}, {8, "bob", 8, false}, {9, "Zo\u00eb B", 9, false}};
  more = 2;
  CHECK(prompt({}, 120) == "(7:7 bob:8 Zo\u00eb:9 +2) > ");
  CHECK(prompt(Target{3}, 120) == "[3] (7:7 bob:8 Zo\u00eb:9 +2) > ");
  CHECK(prompt(Target{3}) == "[3] (7:7 bob:8 +3) > ");
  CHECK(prompt(Target{3}, 40) == "[3] (+5) > ");
  CHECK(prompt(Target{3}, 20) == "[3] > ");
  CHECK(prompt(Target{3}, 120, true) == "[3] (7:7 bob:8 Zo\u00eb:9 +2, away) > ");
  CHECK(prompt(Target{3}, 0, false, "bo") == "[3] (bo is writing, 7:7 bob:8 Zo\u00eb:9 +2) > ");
  // Who has left is told as having left, and no name can be taken for something else.
  waiting = {{7, "1:2) > ", 7, false}, {8, "47", 8, true}, {9, "x", 9, true}};
  more = 0;
  CHECK(prompt({}, 0) == "(7:7 left 8:8 x:9) > ");
  const std::string long_name = "a name that leaves no room for it";
  for (const SessionId id : {3U, 123'456'789U}) {
    roster.apply(event_of(R"({"method":"connected","params":{"session":123456789}})"));
    roster.apply(event_of(R"({"method":"named","params":{"session":)" + std::to_string(id) +
                          R"(,"name":")" + long_name + "\"}}"));
  }
  waiting = {{7, "", 7, false}};
  more = 4;
  CHECK(prompt(Target{3}, 20) == "[3] > ");
  CHECK(prompt(Target{123'456'789}, 20) == "[123456789] > ");
  CHECK(prompt(Target{123'456'789}, 69) == "[123456789] (7:7 +4) > ");
  CHECK(prompt(Target{3}, 80) == "[3 a name th\u2026] (7:7 +4) > ");
  for (std::size_t width = 20; width < 250; ++width) {
    CHECK(display_width(prompt(Target{3}, width, true)) <= std::max<std::size_t>(6, width / 3));
    CHECK(prompt(Target{3}, width).starts_with("[3"));
  }
  roster.apply(event_of(R"({"method":"named","params":{"session":3,"name":""}})"));
  waiting.clear();
  more = 0;
  roster.apply(event_of(R"({"method":"claimed","params":{"session":3,"operator":"b\u001bo"}})"));
  roster.apply(event_of(R"({"method":"claimed","params":{"session":4,"operator":"root"}})"));
  CHECK(prompt(Target{3}) == "[3] (b\\x1bo's) > ");
  CHECK(prompt(Target{4}) == "[4 anna] (yours) > ");
}

TEST_CASE("view: a line tells when the day changes", "[console][view]") {
  ::setenv("TZ", "UTC-2", 1);
  ::tzset();
  const View view{false, Timestamps::kTime};
  std::string day;
  CHECK(view.day("2026-11-23T21:50:00.123Z", day) == "Monday, 2026-11-23");
  CHECK(view.day("2026-11-23T21:59:59.999Z", day).empty());
  CHECK(view.day("2026-11-23T22:00:00.000Z", day) == "Tuesday, 2026-11-24");
  CHECK(view.day("nonsense", day).empty());
  CHECK((View{false, Timestamps::kNone}.day("2026-11-25T22:00:00.000Z", day).empty()));
  CHECK((View{false, Timestamps::kDateTime}.day("2026-11-25T22:00:00.000Z", day).empty()));
  CHECK(view.rule("x") == "\u2500\u2500 x \u2500\u2500");
  constexpr std::time_t kNow = 1795420800;  // 2026-11-23 08:00 UTC, 10:00 here
  CHECK(view.news(5, "2026-11-23T07:02:59.123Z", kNow) == "5 new since 09:02");
  CHECK(view.news(1, "2026-11-22T07:02:59.123Z", kNow) == "1 new since 2026-11-22 09:02");
  CHECK(view.news(1, "", kNow) == "1 new");
}

TEST_CASE("view: a long name is cut between characters", "[console][view]") {
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\u00e9";
  const std::string cut = bracket(3, name);
  CHECK(display_width(cut) == 21);
  CHECK(cut.ends_with("\u00e9\u2026]"));
}

namespace {

std::vector<SessionInfo> three_sessions() {
  return {
      {1, "", "127.0.0.1:51234", "", "original", "open", "2026-11-23T06:50:00.000Z", 3000, 0, 2},
      {12, "\u4f60\u597d", "[2001:db8::1]:40000", "", "line", "asking", "2026-11-22T06:50:00.000Z",
       7'200'000, 5, 0},
      {100, "anna\x1b", "unix:", "", "telnet", "open", "2026-11-23T06:50:00.000Z", 90'000, 1, 0}};
}

}  // namespace

TEST_CASE("view: the list of sessions is aligned, wide characters too", "[console][view]") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const View view{false, Timestamps::kNone};
  constexpr std::time_t kNow = 1795420800;  // 2026-11-23 08:00
  const Lines wide = view.sessions(three_sessions(), 0, kNow);
  REQUIRE(wide.size() == 4);
  for (const std::string& line : wide) CHECK(display_width(line) == display_width(wide[0]));
  CHECK(wide[1].find("[1] ") == 0);
  CHECK(wide[1].find("  06:50:00  ") != std::string::npos);
  CHECK(wide[2].find("2026-11-22 06:50:00") != std::string::npos);
  CHECK(wide[2].find("line (asking)") != std::string::npos);
  CHECK(wide[3].find("anna\\x1b") != std::string::npos);
  for (const std::size_t width : {20U, 40U, 60U, 80U, 200U}) {
    for (const std::string& line : view.sessions(three_sessions(), width, kNow)) {
      INFO(width << ": " << line);
      CHECK(display_width(line) <= std::max<std::size_t>(width, 19));
    }
  }
  const Lines narrow = view.sessions(three_sessions(), 40, kNow);
  for (const char* column : {"id", "name", "address", "unread", "held"}) {
    CHECK(narrow[0].find(column) != std::string::npos);
  }
  CHECK(view.sessions(three_sessions(), 200, kNow) == wide);
}

TEST_CASE("view: in the list other things go before an address is cut", "[console][view]") {
  const View view{false, Timestamps::kNone};
  const std::string long_name(64, 'n');
  const std::string ipv4 = "192.168.100.200:51234";
  const std::string ipv6 = "[2001:db8:1234:5678:9abc:def0:1234:5678]:51234";
  const auto list = [&](const std::string& address, const char* holder) {
    auto sessions = three_sessions();
    sessions[0].name = long_name;
    sessions[0].address = address;
    sessions[0].claimed_by = holder;
    return view.sessions(sessions, 80, 0);
  };
  for (const char* holder : {"", "bob"}) {
    for (const std::string& address : {ipv4, ipv6}) {
      const Lines lines = list(address, holder);
      INFO(lines[0] << "\n" << lines[1]);
      CHECK(lines[1].find(" " + address + " ") != std::string::npos);
      CHECK(lines[1].find("nnnnn\u2026 ") != std::string::npos);
      for (const std::string& line : lines) CHECK(display_width(line) <= 80);
    }
    // The name is cut first, and then the least important columns go.
    CHECK(list(ipv4, holder)[0].find("waits") != std::string::npos);
    CHECK(list(ipv4, holder)[0].find("since") == std::string::npos);
  }
  CHECK(list(ipv4, "bob")[0].find("claimed by") != std::string::npos);
}

TEST_CASE("view: the list tells of claims where there are any", "[console][view]") {
  const View view{false, Timestamps::kNone};
  auto sessions = three_sessions();
  CHECK(view.sessions(sessions, 0, 0)[0].find("claimed") == std::string::npos);
  sessions[1].claimed_by = "bo\x1b";
  sessions[1].waiting_since = "1969-12-31T23:55:00.000Z";
  const Lines wide = view.sessions(sessions, 200, 0);
  for (const std::string& line : wide) {
    CHECK(display_width(line) <= display_width(wide[0]) + 2);
  }
  CHECK(wide[0].ends_with("waits  unread  held  claimed by"));
  CHECK(wide[2].ends_with("5m       5     0  bo\\x1b"));
  for (const std::size_t width : {40U, 60U, 80U}) {
    for (const std::string& line : view.sessions(sessions, width, 0)) {
      INFO(width << ": " << line);
      CHECK(display_width(line) <= width);
    }
  }
  CHECK(view.sessions(sessions, 80, 0)[0].find("claimed by") != std::string::npos);
}

TEST_CASE("view: both lists tell whom certificates name where they do", "[console][view]") {
  const View view{false, Timestamps::kNone};
  auto sessions = three_sessions();
  const auto both = [&](std::size_t width) {
    return std::vector<Lines>{view.sessions(sessions, width, 0),
                              view.queue(sessions, width, 0, {}, {}, {}, "ann")};
  };
  for (const Lines& lines : both(0)) CHECK(lines[0].find("verified") == std::string::npos);
  sessions[1].verified = "bo\x1b" + std::string(60, 'y');
  sessions[1].state = "away";
  for (const Lines& lines : both(0)) {
    CHECK(lines[0].find("  verified") != std::string::npos);
    CHECK(lines[2].find("  bo\\x1byy") != std::string::npos);
    CHECK(lines[2].find("away") != std::string::npos);
    // It is no name that an operator gave.
    CHECK(lines[2].find("[12]   \u4f60\u597d ") != std::string::npos);
  }
  for (const std::size_t width : {40U, 80U, 200U}) {
    for (const Lines& lines : both(width)) {
      for (const std::string& line : lines) {
        INFO(width << ": " << line);
        CHECK(display_width(line) <= width);
      }
    }
  }
}

TEST_CASE("view: the queue tells how long everybody waits, and is narrow where it has to be",
          "[console][view]") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const View view{false, Timestamps::kNone};
  constexpr std::time_t kNow = 1795420800;  // 2026-11-23 08:00
  auto sessions = three_sessions();
  sessions[1].waiting_since = "2026-11-23T07:55:00.000Z";
  sessions[1].claimed_by = "bo\x1b";
  sessions[1].last_text = "and then? < ann: no";
  sessions[0].last_text = "all is well";
  sessions[0].last_operator = sessions[0].answered_by = "bo\x1b";
  sessions[2].last_text = "yes";
  sessions[2].last_operator = sessions[2].answered_by = "ann";
  sessions[2].notes = 3;
  Roster roster;
  roster.replace(sessions);
  Shortcuts keys;
  keys.update(roster);
  const Lines wide = view.queue(sessions, 0, kNow, keys, {100}, {{1, "bo\x1b"}}, "ann");
  CHECK(wide[0].find("waits  unread  last words ") != std::string::npos);
  CHECK(wide[0].find(" claimed by  key    notes  state ") != std::string::npos);
  // What a client says never looks like what an operator says.
  CHECK(wide[1].find("  < bo\\x1b: all is well  ") != std::string::npos);
  CHECK(wide[2].find("    and then? < ann: no  ") != std::string::npos);
  CHECK(wide[3].find("  < yes  ") != std::string::npos);
  CHECK(wide[1].find("bo\\x1b is writing") != std::string::npos);
  CHECK(wide[2].find("5m") != std::string::npos);
  CHECK(wide[2].find("bo\\x1b") != std::string::npos);
  CHECK(wide[2].find("asking") != std::string::npos);
  CHECK(wide[3].find("anna\\x1b (muted)") != std::string::npos);
  // Nothing is claimed, and nobody has another state.
  sessions[1].claimed_by.clear();
  sessions[1].state = "open";
  const Lines plain = view.queue(sessions, 0, kNow, keys, {}, {}, "ann");
  CHECK(plain[0].find("claimed") == std::string::npos);
  CHECK(plain[0].find("state") == std::string::npos);
  for (const std::size_t width : {40U, 80U, 200U}) {
    const Lines lines = view.queue(sessions, width, kNow, keys, {}, {}, "ann");
    if (width > 40) CHECK(lines[0].find("last words") != std::string::npos);
    for (const char* column : {"id", "name", "waits", "unread"}) {
      CHECK(lines[0].find(column) != std::string::npos);
    }
    for (const std::string& line : lines) {
      INFO(width << ": " << line);
      CHECK(display_width(line) <= width);
    }
  }
}

TEST_CASE("view: the answer to a ban says who stays connected, and whether it is kept",
          "[console][view]") {
  const View view{false, Timestamps::kNone};
  const auto shown_of = [&](const char* json) {
    return view.banned(decode_ban(nlohmann::json::parse(json)));
  };
  CHECK(shown_of(R"({"address":"::1","sessions":[],"kept":true})").empty());
  CHECK(shown_of("{}").empty());
  CHECK(shown_of(R"({"sessions":[3],"kept":false})") ==
        Lines{"* 1 client from there stays connected: [3]",
              "* the ban ends with the daemon: without transcripts no ban is kept"});
  CHECK(shown_of(R"({"sessions":[1,2,3,4,5,6,7]})") ==
        Lines{"* 7 clients from there stay connected: [1] [2] [3] [4] [5] ..."});
  CHECK(shown_of(R"({"sessions":[3],"kicked":[1,2],"refused":[{"session":3,"reason":"x"}]})") ==
        Lines{"* 2 sessions ended: [1] [2]", "* 1 client from there stays connected: [3]"});
}

TEST_CASE("view: durations are short", "[console][view]") {
  CHECK(short_duration(0) == "0s");
  CHECK(short_duration(59'999) == "59s");
  CHECK(short_duration(60'000) == "1m");
  CHECK(short_duration(7'200'000) == "2h");
  CHECK(short_duration(400'000'000) == "4d");
}

TEST_CASE("view: a problem of several lines is several lines", "[console][view]") {
  const View view{false, Timestamps::kNone};
  CHECK(view.problem("one\ntwo\x1b\n") == Lines{"one", "two\\x1b"});
}

TEST_CASE("table: widths are those on the screen", "[console][table]") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\u4f60\u597d") == 4);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("\U0001f98a") == 2);
  CHECK(cut_to_width("abcdef", 4) == "abc\u2026");
  CHECK(cut_to_width("\u4f60\u597d\u4f60", 4) == "\u4f60\u2026");
  CHECK(cut_to_width("abc", 3) == "abc");
  CHECK(cut_to_width("abc", 0).empty());
}

}  // namespace chatd::console
