// The whole console on pipes, against a fake daemon.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "console/console.hpp"
#include "fake_daemon.hpp"
#include "io/signal.hpp"
#include "support/catch.hpp"

namespace chatd::console {

using test::FakeDaemon;
using test::run_until;

namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;

  Pipe() {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read = UniqueFd{ends[0]};
    write = UniqueFd{ends[1]};
  }
  // What has arrived so far.
  std::string take() const {
    ::fcntl(read.get(), F_SETFL, O_NONBLOCK);
    std::string all;
    char buffer[65536];
    for (ssize_t got = 0; (got = ::read(read.get(), buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }
};

struct Desk {
  io::Loop loop;
  FakeDaemon daemon{loop};
  Pipe in;
  Pipe out;
  Pipe err;
  std::string shown;
  std::string problems;
  int quit = 0;
  int ended = 0;
  std::optional<std::string> lost;
  ConsoleOptions options;
  std::unique_ptr<Console> console;

  Desk() {
    io::ignore_sigpipe();
    options.timestamps = Timestamps::kNone;
    options.from_start = true;
    options.input = in.read.get();
    options.output = out.write.get();
    options.errors = err.write.get();
    options.on_quit = [this] { ++quit; };
    options.on_end = [this] { ++ended; };
    options.on_lost = [this](const Error& error) { lost = error.message; };
  }
  void open() { console = std::make_unique<Console>(loop, daemon.connect(), options); }
  void type(const std::string& text) const {
    REQUIRE(::write(in.write.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  bool sees(const std::string& text) {
    return run_until(loop, [&] {
      shown += out.take();
      problems += err.take();
      return shown.find(text) != std::string::npos || problems.find(text) != std::string::npos;
    });
  }
  bool asked(const std::string& method, std::size_t times = 1) {
    return run_until(loop, [&] { return daemon.asked_for(method).size() >= times; });
  }
  // Events are seen before anything that is typed after.
  void happens(const std::string& last) { REQUIRE(sees(last)); }

  /// When the daemon hangs up, it attaches again.
  void comes_back() {
    options.reattach = [this]() -> Result<UniqueFd> { return daemon.connect(); };
  }
  /// The same, attached to a daemon with one client, which it knows.
  void open_with_one() {
    comes_back();
    open();
    daemon.connected(1);
    happens("[1]* connected");
    REQUIRE(asked("sessions"));
    test::run_pending(loop);
  }
};

}  // namespace

TEST_CASE("console: what is typed goes to whom it is meant for", "[console][plain]") {
  Desk desk;
  desk.open();
  desk.daemon.connected(1);
  desk.daemon.connected(2);
  desk.happens("[2]* connected");
  desk.type("to the first\n@2 to the second\n/all to both\n/focus 2\n//list\r\nbye\n/kick 1 why\n");
  REQUIRE(desk.asked("kick"));
  using nlohmann::json;
  CHECK(desk.daemon.asked_for("send") == std::vector<json>{{{"to", 1}, {"text", "to the first"}},
                                                           {{"to", 2}, {"text", "to the second"}},
                                                           {{"to", "all"}, {"text", "to both"}},
                                                           {{"to", 2}, {"text", "/list"}}});
  CHECK(desk.daemon.asked_for("bye") == std::vector<json>{{{"session", 2}}});
  CHECK(desk.daemon.asked_for("kick") == std::vector<json>{{{"session", 1}, {"reason", "why"}}});
}

TEST_CASE("console: claims, bans and absence are asked for as typed", "[console][plain]") {
  Desk desk;
  desk.daemon.answers["ban"] = test::refusal(-32602, "address must be an address");
  desk.daemon.answers["bans"] = {{{"address", "192.0.2.0/24"}, {"until", nullptr}}};
  desk.open();
  desk.daemon.connected(1);
  desk.happens("[1]* connected");
  desk.type(
      "/claim\n/claim --force 1\n/release\n/release 1\n/ban nonsense 10m\n/ban ::1\n"
      "/unban ::1\n/bans\n/away back at nine\n/back\n");
  REQUIRE(desk.asked("back"));
  using nlohmann::json;
  const auto& daemon = desk.daemon;
  CHECK(daemon.asked_for("claim") ==
        std::vector<json>{{{"session", 1}}, {{"session", 1}, {"force", true}}});
  CHECK(daemon.asked_for("release") == std::vector<json>{{{"session", 1}}, {{"session", 1}}});
  CHECK(daemon.asked_for("ban") ==
        std::vector<json>{{{"address", "nonsense"}, {"seconds", 600}}, {{"address", "::1"}}});
  CHECK(daemon.asked_for("unban") == std::vector<json>{{{"address", "::1"}}});
  CHECK(daemon.asked_for("away") == std::vector<json>{{{"text", "back at nine"}}});
  CHECK(desk.sees("not banned: address must be an address"));
  CHECK(desk.sees("192.0.2.0/24  for good"));
}

TEST_CASE("console: several sessions end by one request, and who stays is told",
          "[console][plain]") {
  Desk desk;
  using nlohmann::json;
  desk.daemon.answers["kick"] = {{"kicked", {1, 2}},
                                 {"refused", {{{"session", 3}, {"reason", "claimed by bo"}}}}};
  desk.daemon.answers["ban"] = {{"sessions", json::array()}, {"kicked", {4}}};
  desk.open();
  desk.type("/kick 1,2,3 noise\n/kick 192.0.2.0/24\n/ban ::1 --now\n");
  REQUIRE(desk.asked("ban"));
  CHECK(desk.daemon.asked_for("kick") ==
        std::vector<json>{{{"session", {1, 2, 3}}, {"reason", "noise"}},
                          {{"address", "192.0.2.0/24"}}});
  CHECK(desk.daemon.asked_for("ban") == std::vector<json>{{{"address", "::1"}, {"now", true}}});
  CHECK(desk.sees("* 2 sessions ended: [1] [2]"));
  CHECK(desk.sees("[3]* not ended: claimed by bo"));
  CHECK(desk.sees("* 1 session ended: [4]"));
}

TEST_CASE("console: to end the sessions of a network where nobody is connected is told",
          "[console][plain]") {
  Desk desk;
  desk.daemon.answers["kick"] = {{"kicked", nlohmann::json::array()},
                                 {"refused", nlohmann::json::array()}};
  desk.open();
  desk.type("/kick 192.0.2.0/24\n");
  REQUIRE(desk.asked("kick"));
  CHECK(desk.sees("nobody is connected from 192.0.2.0/24"));
}

TEST_CASE("console: what was said is shown a page at a time, oldest first", "[console][plain]") {
  Desk desk;
  desk.open();
  desk.daemon.connected(1);
  desk.happens("[1]* connected");
  desk.daemon.answers["history"] = {
      {"messages", {test::past_json(9, 1, "newer"), test::past_json(7, 1, "older\x1b")}},
      {"more", true}};
  desk.daemon.answers["search"] = {{"messages", nlohmann::json::array()}, {"more", false}};
  desk.type("/more\n/history\n");
  CHECK(desk.sees("nothing more to show"));
  CHECK(desk.sees("[1] older\\x1b\n[1] newer\n* there are older messages; /more shows them\n"));
  desk.daemon.answers["history"] = {{"messages", {test::past_json(3, 1, "the first")}},
                                    {"more", false}};
  desk.type("/more\n/more\n");
  REQUIRE(desk.asked("history", 2));
  CHECK(desk.sees("[1] the first\n"));
  using nlohmann::json;
  CHECK(desk.daemon.asked_for("history") ==
        std::vector<json>{{{"session", 1}, {"limit", 20}},
                          {{"session", 1}, {"limit", 20}, {"before", 7}}});
  desk.type("/history all 5\n/search two  words\n");
  CHECK(desk.sees("nothing was found"));
  CHECK(desk.daemon.asked_for("history").back() == json{{"limit", 5}});
  CHECK(desk.daemon.asked_for("search") ==
        std::vector<json>{{{"text", "two  words"}, {"limit", 20}}});
}

TEST_CASE("console: what waited for an operator is shown first, and counted", "[console][plain]") {
  Desk desk;
  desk.options.from_start = GENERATE(true, false);
  desk.daemon.answers["hello"]["seq"] = 3;
  desk.daemon.answers["hello"]["unread"] = 3;
  desk.daemon.answers["hello"]["attended"] = 0;
  desk.daemon.answers["subscribe"] = {{"seq", 3}};
  desk.daemon.answers["sessions"] = {test::session_json(1), test::session_json(2)};
  desk.open();
  REQUIRE(desk.asked("sessions"));
  CHECK(desk.daemon.asked_for("subscribe").front() == nlohmann::json{{"since", 0}});
  desk.daemon.message(1, "the oldest");
  desk.daemon.message(2, "another");
  desk.daemon.message(1, "the last");
  CHECK(
      desk.sees("* 3 unread, the oldest first:\n[1] the oldest\n[2] another\n[1] the last\n"
                "* 3 unread from 2 clients since 2026-11-23 "));
  desk.daemon.message(1, "live");
  CHECK(desk.sees("[1] live\n"));
  CHECK(desk.shown.find("unread from") == desk.shown.rfind("unread from"));
}

TEST_CASE("console: with nothing unread it begins with what happens from now on",
          "[console][plain]") {
  Desk desk;
  desk.options.from_start = false;
  desk.daemon.answers["hello"]["seq"] = 3;
  desk.daemon.answers["hello"]["unread"] = 0;
  desk.daemon.answers["hello"]["attended"] = 3;
  desk.open();
  REQUIRE(desk.asked("sessions"));
  CHECK(desk.daemon.asked_for("subscribe").front() == nlohmann::json{{"since", 3}});
}

TEST_CASE("console: whoever answers a claimed client is told who has it", "[console][plain]") {
  Desk desk;
  desk.daemon.answers["send"] = test::refusal(2, "bo answers for session 1");
  desk.open();
  desk.daemon.connected(1);
  desk.happens("[1]* connected");
  desk.type("mine?\n");
  CHECK(desk.sees("[1]* not sent: bo answers for session 1; /claim 1 --force takes it\n"));
}

TEST_CASE("console: without a focus nothing is sent, and the focus does not move",
          "[console][plain]") {
  Desk desk;
  desk.open();
  desk.type("into the void\n");
  CHECK(desk.sees("not sent: nobody is connected"));
  desk.type("/claim\n");
  CHECK(desk.sees("not done: nobody is connected"));
  desk.daemon.connected(1);
  desk.daemon.connected(2);
  desk.daemon.disconnected(1);
  desk.happens("[1]* disconnected");
  desk.type("for the one who left\n");
  CHECK(desk.sees("/focus"));
  desk.daemon.disconnected(2);
  desk.daemon.connected(3);
  desk.happens("[3]* connected");
  desk.type("for the third\n");
  REQUIRE(desk.asked("send"));
  CHECK(desk.daemon.asked_for("send").front()["text"] == "for the third");
  CHECK(desk.daemon.asked_for("send").front()["to"] == 3);
}

TEST_CASE("console: clients that were there before are known, and take no focus",
          "[console][plain]") {
  Desk desk;
  desk.options.from_start = false;
  desk.daemon.answers["sessions"] = {test::session_json(4, "anna"), test::session_json(7)};
  desk.daemon.answers["notes"] = test::refusal(4, "no such session: 9; it left at noon");
  desk.open();
  desk.type("to whom?\n@anna hello\n/focus 9\n/focus 7\nthere\n/list\n");
  REQUIRE(desk.asked("send", 2));
  CHECK(desk.daemon.asked_for("send")[0] == nlohmann::json{{"to", 4}, {"text", "hello"}});
  CHECK(desk.daemon.asked_for("send")[1] == nlohmann::json{{"to", 7}, {"text", "there"}});
  CHECK(desk.sees("somewhere"));
  CHECK(desk.sees("no such session: 9; it left at noon"));
  CHECK(desk.sees("no client is in focus"));
  CHECK(desk.daemon.asked_for("subscribe").front() == nlohmann::json{{"since", 0}});
}

TEST_CASE("console: the list of sessions holds from the event on after which it was made",
          "[console][plain]") {
  // The first client left and the second one came while the console was attaching:
  // the list tells of the second before the events tell of either.
  Desk desk;
  desk.daemon.answers["subscribe"]["seq"] = 3;
  desk.daemon.answers["sessions"] = {test::session_json(2)};
  desk.open();
  REQUIRE(desk.asked("sessions"));
  test::run_pending(desk.loop);
  desk.type("hello\n");
  for (const char* method : {"connected", "disconnected"}) {
    desk.daemon.event(method, {{"session", 1}});
    test::run_pending(desk.loop);
  }
  CHECK(desk.daemon.asked_for("send").empty());
  desk.daemon.event("connected", {{"session", 2}});
  REQUIRE(desk.asked("send"));
  CHECK(desk.daemon.asked_for("send").front()["to"] == 2);
}

TEST_CASE("console: data goes to the output, problems to the errors", "[console][plain]") {
  Desk desk;
  desk.daemon.answers["send"] = test::refusal(4, "too much waits\x1b");
  desk.daemon.answers["reload"] = test::refusal(3, "file:1: bad\nfile:2: worse");
  desk.daemon.answers["stats"] = {{"sessions", 12}, {"longest_turn_ms", 1.5}};
  desk.open();
  desk.daemon.connected(1);
  desk.daemon.message(1, "one\n[7] two");
  desk.happens("[1] [7] two\n");
  desk.type("hello\n/reload\n/lsit\n/stats\n");
  CHECK(desk.sees("sessions         12"));
  CHECK(desk.sees("longest_turn_ms  1.5"));
  CHECK(desk.sees("[1]* not sent: too much waits\\x1b\n"));
  CHECK(desk.sees("file:1: bad\nfile:2: worse\n"));
  CHECK(desk.sees("did you mean /list?"));
  CHECK(desk.shown.find("not sent") == std::string::npos);
  CHECK(desk.problems.find("[1] ") == std::string::npos);
}

TEST_CASE("console: the end of the input ends it when all is answered", "[console][plain]") {
  Desk desk;
  desk.open();
  desk.daemon.silent = true;
  desk.type("/all one\n/list");
  desk.in.write.reset();
  test::run_pending(desk.loop);
  CHECK(desk.ended == 0);
  desk.daemon.silent = false;
  // What was asked while it was silent is answered now.
  Desk answered;
  answered.open();
  answered.type("/all one\n/list");
  answered.in.write.reset();
  REQUIRE(run_until(answered.loop, [&] { return answered.ended == 1 && answered.daemon.ended; }));
  CHECK(answered.sees("nobody is connected"));
  CHECK(answered.daemon.asked_for("send").size() == 1);
  CHECK(answered.quit == 0);
}

TEST_CASE("console: /quit leaves once what was typed before it is done", "[console][plain]") {
  Desk desk;
  desk.open();
  desk.type("/all one\n/quit\n/all never\n");
  REQUIRE(run_until(desk.loop, [&] { return desk.quit == 1; }));
  CHECK(desk.daemon.asked_for("send").size() == 1);
  CHECK(desk.ended == 0);
}

TEST_CASE("console: a script that is faster than the daemon waits for it", "[console][plain]") {
  Desk desk;
  desk.open();
  REQUIRE(desk.asked("sessions"));
  test::run_pending(desk.loop);
  desk.daemon.silent = true;
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "/all x\n";
  desk.type(lines);
  REQUIRE(desk.asked("send", 64));
  test::run_pending(desk.loop);
  CHECK(desk.daemon.asked_for("send").size() == 64);
}

TEST_CASE("console: a line that is too long is dropped whole", "[console][plain]") {
  Desk desk;
  desk.open();
  desk.daemon.connected(1);
  desk.happens("[1]* connected");
  std::size_t sent = 0;
  const std::string part(50'000, 'x');
  for (; sent < 1'200'000; sent += part.size()) {
    desk.type(part);
    test::run_pending(desk.loop);
  }
  desk.type("\nshort\n");
  REQUIRE(desk.asked("send"));
  CHECK(desk.daemon.asked_for("send").front()["text"] == "short");
  CHECK(desk.sees("longer than 1 MiB"));
}

TEST_CASE("console: an output that stands still stops the console, not the loop",
          "[console][plain]") {
  Desk desk;
  desk.open();
  desk.daemon.connected(1);
  desk.happens("[1]* connected");
  const std::string text(8000, 'x');
  for (int i = 0; i < 500; ++i) desk.daemon.message(1, text);
  test::run_pending(desk.loop);
  CHECK(test::is_quiet(desk.loop));
  desk.daemon.message(1, "the last one");
  CHECK(desk.sees("[1] the last one\n"));
  std::size_t messages = 0;
  for (std::size_t at = 0; (at = desk.shown.find("[1] x", at)) != std::string::npos; ++at) {
    ++messages;
  }
  CHECK(messages == 500);
}

TEST_CASE("console: detached by the daemon it comes back and goes on from its cursor",
          "[console][plain]") {
  Desk desk;
  desk.open_with_one();
  desk.daemon.answers["hello"]["seq"] = 5;
  desk.daemon.hang_up();
  REQUIRE(desk.asked("sessions", 2));
  CHECK(desk.daemon.asked_for("subscribe").back() == nlohmann::json{{"since", 1}});
  desk.daemon.event("lagged", {{"lost", 120}});
  CHECK(desk.sees("120 events were missed"));
  desk.type("still there?\n/list\n");
  REQUIRE(desk.asked("sessions", 3));
  CHECK(desk.daemon.asked_for("send").size() == 1);
  CHECK_FALSE(desk.lost);
}

TEST_CASE("console: attached again, perhaps to another daemon, it keeps the focus on who it was",
          "[console][plain]") {
  struct Case {
    const char* member;
    nlohmann::json value;
    bool same_daemon;
    bool is_kept;
  };
  const auto [member, value, same_daemon, is_kept] = GENERATE(
      Case{"since", "2026-11-23T06:50:02.999Z", false, true},
      Case{"since", "2026-11-23T06:50:03.000Z", false, false},
      Case{"since", "2026-11-23T06:49:57.000Z", false, false}, Case{"since", "", false, false},
      Case{"address", "192.0.2.1:1", false, false}, Case{"address", "unix:", false, false},
      Case{"session", 2, false, false}, Case{"address", "unix:", true, true},
      Case{"since", "", true, true}, Case{"session", 2, true, false});
  INFO(member << " = " << value << (same_daemon ? ", the same daemon" : ""));
  Desk desk;
  desk.options.reattaches_to_same = same_daemon;
  desk.open_with_one();
  desk.daemon.answers["sessions"][0][member] = value;
  desk.daemon.hang_up();
  REQUIRE(desk.asked("sessions", 2));
  desk.type("still there?\n/list\n/nonsense\n");
  REQUIRE(desk.asked("sessions", 3));
  CHECK(desk.daemon.asked_for("send").size() == (is_kept ? 1 : 0));
  REQUIRE(desk.sees("nonsense"));  // it is said before that, or not at all
  test::run_pending(desk.loop);
  desk.happens("");
  const auto said = desk.shown + desk.problems;
  CHECK((said.find("the focus is cleared") != std::string::npos) == !(is_kept || same_daemon));
}

TEST_CASE("console: detached again while it comes back it tries again, but not for ever",
          "[console][plain]") {
  Desk desk;
  int attempts = 0;
  desk.options.reattach = [&]() -> Result<UniqueFd> {
    ++attempts;
    return desk.daemon.connect();
  };
  desk.open();
  REQUIRE(desk.asked("sessions"));
  test::run_pending(desk.loop);
  for (std::size_t round = 0; round < 3; ++round) {
    desk.daemon.silent = true;
    for (int time = 0; time < 5; ++time) {
      const auto before = attempts;
      desk.daemon.hang_up();
      REQUIRE(run_until(desk.loop, [&] { return attempts > before; }));
    }
    desk.daemon.silent = false;
    desk.daemon.hang_up();
    REQUIRE(desk.asked("sessions", round + 2));
    test::run_pending(desk.loop);
  }
  CHECK_FALSE(desk.lost);
  desk.daemon.silent = true;
  attempts = 0;
  while (!desk.lost && attempts < 100) {
    const auto before = attempts;
    desk.daemon.hang_up();
    REQUIRE(run_until(desk.loop, [&] { return desk.lost || attempts > before; }));
  }
  CHECK(attempts == 11);
}

TEST_CASE("console: /list counts what this operator has not looked at, after a new connection too",
          "[console][plain]") {
  Desk desk;
  desk.comes_back();
  desk.open();
  REQUIRE(desk.asked("sessions"));
  test::run_pending(desk.loop);
  for (int session = 1; session <= 3; ++session) desk.daemon.connected(session);
  for (const int session : {1, 2, 3, 3}) desk.daemon.message(session, "x");
  desk.happens("[3] x\n[3] x");
  // The daemon counts what nobody has answered.
  for (auto& session : desk.daemon.answers["sessions"]) session["unread"] = 7;
  const auto listed = [&] {
    desk.shown.clear();
    desk.type("/list\n");
    REQUIRE(desk.sees("held\n"));
    REQUIRE(run_until(desk.loop, [&] {
      desk.shown += desk.out.take();
      return std::count(desk.shown.begin(), desk.shown.end(), '\n') >= 4;
    }));
    std::vector<std::string> unread;
    std::istringstream rows{desk.shown.substr(desk.shown.find("held\n") + 5)};
    for (std::string row; std::getline(rows, row);) {
      std::vector<std::string> cells;
      std::istringstream words{row};
      for (std::string word; words >> word;) cells.push_back(word);
      unread.push_back(cells[cells.size() - 2]);
    }
    return unread;
  };
  using Counts = std::vector<std::string>;
  CHECK(listed() == Counts{"0", "1", "2"});
  desk.type("/focus 2\n");
  CHECK(listed() == Counts{"0", "0", "2"});
  desk.daemon.answers["hello"]["seq"] = 7;
  desk.daemon.hang_up();
  REQUIRE(desk.asked("subscribe", 2));
  CHECK(listed() == Counts{"0", "0", "2"});
  desk.daemon.event("lagged", {{"lost", 120}});
  REQUIRE(desk.sees("120 events were missed"));
  desk.daemon.answers["hello"]["seq"] = 8;
  desk.daemon.hang_up();
  REQUIRE(desk.asked("subscribe", 3));
  CHECK(listed() == Counts{"7", "0", "7"});
}

TEST_CASE("console: what may have been done when the daemon goes is not said to be undone",
          "[console][plain]") {
  Desk desk;
  desk.open_with_one();
  desk.daemon.silent = true;
  desk.type("hello\n/kick ::1\n/bans\n");
  REQUIRE(desk.asked("bans"));
  desk.daemon.silent = false;
  desk.daemon.hang_up();
  CHECK(desk.sees("[1]* perhaps not sent: "));
  CHECK(desk.sees("perhaps not ended: "));
  CHECK(desk.sees("no list: "));
  CHECK(desk.problems.find("perhaps no list") == std::string::npos);
}

TEST_CASE("console: a daemon that has gone is told of once", "[console][plain]") {
  Desk desk;
  desk.open();
  REQUIRE(desk.asked("sessions"));
  desk.daemon.hang_up();
  REQUIRE(run_until(desk.loop, [&] { return desk.lost.has_value(); }));
  CHECK(desk.quit + desk.ended == 0);
}

TEST_CASE("console: a daemon that refuses is not asked again", "[console][plain]") {
  Desk desk;
  int attempts = 0;
  desk.options.reattach = [&]() -> Result<UniqueFd> {
    ++attempts;
    return desk.daemon.connect();
  };
  desk.daemon.answers["hello"] = test::refusal(3, "not allowed here");
  desk.open();
  REQUIRE(run_until(desk.loop, [&] { return desk.lost.has_value(); }));
  CHECK(*desk.lost == "not allowed here");
  CHECK(attempts == 0);
}

TEST_CASE("console: it ends when the reader of its output goes", "[console][plain]") {
  Desk desk;
  desk.open();
  desk.out.read.reset();
  desk.daemon.connected(1);
  REQUIRE(run_until(desk.loop, [&] { return desk.ended == 1 && desk.daemon.ended; }));
  test::run_pending(desk.loop);
  CHECK(test::is_quiet(desk.loop));
}

TEST_CASE("console: the same problem again and again is counted", "[console][plain]") {
  Desk desk;
  desk.open();
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "hello\n";
  desk.type(lines);
  desk.in.write.reset();
  REQUIRE(run_until(desk.loop, [&] { return desk.ended == 1; }));
  CHECK(desk.sees("(99 times more)\n"));
  CHECK(desk.problems == "not sent: nobody is connected\n(99 times more)\n");
}

TEST_CASE("console: colours are for terminals that want them", "[console]") {
  const Pipe pipe;
  CHECK(wants_color(ColorChoice::kAlways, pipe.write.get()));
  CHECK_FALSE(wants_color(ColorChoice::kNever, pipe.write.get()));
  CHECK_FALSE(wants_color(ColorChoice::kAuto, pipe.write.get()));
  const UniqueFd terminal{::posix_openpt(O_RDWR | O_NOCTTY)};
  REQUIRE(terminal);
  REQUIRE(::grantpt(terminal.get()) == 0);
  REQUIRE(::unlockpt(terminal.get()) == 0);
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  CHECK(wants_color(ColorChoice::kAuto, terminal.get()));
  ::setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(wants_color(ColorChoice::kAuto, terminal.get()));
  ::setenv("NO_COLOR", "", 1);
  CHECK(wants_color(ColorChoice::kAuto, terminal.get()));
  ::setenv("TERM", "dumb", 1);
  CHECK_FALSE(wants_color(ColorChoice::kAuto, terminal.get()));
}

}  // namespace chatd::console
