// What an operator has in front of them, on a screen that only remembers: arrival, drafts, what is
// hidden, and what an event costs.
#include "console/desk.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace chatd::console {
namespace {

class FakeScreen : public Screen {
 public:
  using Screen::print;
  void print(std::string_view line, std::size_t) override {
    if (keep) lines.emplace_back(line);
  }
  void print_problem(std::string_view line) override { print(line, 0); }
  void set_prompt(std::string_view text) override { prompt = text; }
  [[nodiscard]] std::string line() const override { return typed; }
  void set_line(std::string_view text) override { typed = text; }
  void remember(std::string_view line) override { remembered.emplace_back(line); }
  void alert(bool bell, std::string_view text) override {
    bells += bell ? 1 : 0;
    title = text;
  }
  void hold_input(bool) override {}
  void close() override {}
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  [[nodiscard]] std::size_t width() const override { return columns; }

  /// What was printed since this was asked last.
  std::vector<std::string> take() { return std::exchange(lines, {}); }

  bool keep = true;
  std::size_t columns = 120;
  std::vector<std::string> lines;
  std::vector<std::string> remembered;
  std::string prompt;
  std::string typed;
  std::string title;
  int bells = 0;
};

struct Table {
  explicit Table(bool interactive = true) : desk{options(interactive)} {
    desk.set_own_name("root");
    desk.use(screen, [this](SessionId session, std::size_t limit, bool notes) {
      asked.emplace_back(session, limit);
      asked_notes.push_back(notes);
    });
    screen.take();
  }
  static ConsoleOptions options(bool interactive) {
    ConsoleOptions made;
    made.interactive = interactive;
    made.timestamps = Timestamps::kNone;
    made.from_start = true;
    return made;
  }
  void hear(EventKind kind, SessionId session, std::string text = "",
            std::string operator_name = "") {
    Event event;
    event.kind = kind;
    event.seq = ++seq;
    event.sessions = {session};
    event.text = std::move(text);
    event.operator_name = std::move(operator_name);
    event.time = "2026-11-29T13:02:00.000Z";
    desk.show_event(event);
  }
  void see() { desk.guard().shown(desk.focus()); }
  void type(const std::string& text) {
    screen.typed += text;
    desk.guard().edited(screen.typed.empty());
  }
  /// As the console does it for a line that names somebody.
  void name(const std::string& address, std::vector<SessionId> meant) {
    desk.guard().names(address, [&] { return meant; });
  }

  FakeScreen screen;
  Desk desk;
  std::vector<std::pair<SessionId, std::size_t>> asked;
  std::vector<bool> asked_notes;
  std::uint64_t seq = 0;
};

using Lines = std::vector<std::string>;
using enum EventKind;

}  // namespace

TEST_CASE("desk: what comes while the past is asked for is neither lost nor doubled",
          "[console][desk]") {
  Table table;
  // Session 2 was there before this console.
  SessionInfo info;
  info.session = 2;
  info.unread = 1;
  table.desk.replace({info}, false);
  table.desk.jump(0);
  REQUIRE(table.asked == std::vector<std::pair<SessionId, std::size_t>>{{2, 11}});
  CHECK(table.screen.take().empty());
  CHECK(table.screen.prompt == "[2] (2:1) > ");
  table.hear(kMessage, 2, "meanwhile");
  CHECK(table.screen.take().empty());
  PastMessage old;
  old.seq = 0;
  old.sessions = {2};
  old.incoming = true;
  old.text = "before";
  old.time = "2026-11-29T13:01:00.000Z";
  PastMessage same = old;
  same.seq = table.seq;
  same.text = "meanwhile";
  table.desk.recall(2, {old, same});
  const Lines shown = table.screen.take();
  REQUIRE(shown.size() == 4);
  CHECK(shown[0] == "\u2500\u2500 [2] \u2500\u2500");
  CHECK(shown[1].find("2 new since") != std::string::npos);
  CHECK(shown[2] == "[2]| before");
  CHECK(shown[3] == "[2]| meanwhile");
  CHECK(table.screen.prompt == "[2] > ");
  table.desk.recall(2, {old});
  CHECK(table.screen.take().empty());
}

TEST_CASE("desk: who turns to a client sees what is noted about it", "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.hear(kMessage, 2, "hello");
  table.desk.jump(0);
  CHECK(table.asked.empty());  // all is here
  table.hear(kNoted, 2, "has paid");
  table.desk.turn_to(1);
  table.screen.take();
  table.desk.turn_to(2);
  CHECK(table.asked_notes == std::vector<bool>{true});
  CHECK(table.screen.take().empty());
  NoteInfo note{"2026-11-29T13:01:00.000Z", "bob", "has paid\ntwice"};
  table.desk.recall(2, {}, {note});
  CHECK(table.screen.take() == Lines{"\u2500\u2500 [2] \u2500\u2500", "[2]* note by bob: has paid",
                                     "[2]* note by bob: twice", "[2]| hello"});
}

TEST_CASE("desk: who turns away before the past has come has read nothing", "[console][desk]") {
  Table table;
  SessionInfo two;
  two.session = 2;
  two.unread = 1;
  table.desk.replace({two}, false);
  table.hear(kConnected, 3);
  table.desk.jump(0);
  table.hear(kMessage, 2, "meanwhile");
  table.screen.take();
  table.desk.jump(2);
  const Lines shown = table.screen.take();
  CHECK(std::count(shown.begin(), shown.end(), "[2] meanwhile") == 1);
  CHECK(table.screen.prompt == "[3] (2:2) > ");
}

TEST_CASE("desk: a draft waits for its client, and is sent to no other", "[console][desk]") {
  using Verdict = LineGuard::Verdict;
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.see();
  table.type("for one");
  table.desk.jump(2);
  CHECK(table.screen.typed.empty());
  // What is typed before the screen shows the new focus is nobody's yet.
  table.type("blind");
  CHECK(table.desk.guard().entered(table.desk.focus()) == Verdict::kMoved);
  table.screen.set_line("");
  table.desk.guard().edited(true);
  table.see();
  table.type("for two");
  table.desk.jump(1);
  CHECK(table.screen.typed == "for one");
  CHECK(table.desk.guard().entered(table.desk.focus()) == Verdict::kUnseen);
  table.see();
  CHECK(table.desk.guard().entered(table.desk.focus()) == Verdict::kSend);
  // By a command, which is the line itself: the draft is what the next line begins with.
  table.screen.set_line("");
  table.desk.guard().edited(true);
  table.desk.turn_to(2);
  CHECK(table.screen.typed == "for two");
  table.desk.guard().edited(true);
  table.see();
  table.desk.guard().edited(false);
  CHECK(table.desk.guard().begun_under() == Target{2});
  CHECK(table.desk.guard().entered(Target{1}) == Verdict::kMoved);
}

TEST_CASE("desk: at another daemon an id is somebody else, and no draft is for him",
          "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.see();
  table.type("for one");
  table.desk.jump(2);
  table.see();
  table.type("for two");
  table.screen.take();
  SessionInfo one;
  one.session = 1;
  SessionInfo two;
  two.session = 2;
  table.desk.forget_unread();
  table.desk.replace({one, two}, true);
  const Lines shown = table.screen.take();
  CHECK(std::count(shown.begin(), shown.end(),
                   "* what you had begun for [1], who may have left:") == 1);
  CHECK(std::count(shown.begin(), shown.end(), "  for one") == 1);
  CHECK(table.screen.remembered == Lines{"for one"});
  table.see();
  CHECK(table.screen.typed == "for two");
  table.desk.jump(1);
  CHECK(table.screen.typed.empty());
  table.desk.jump(2);
  CHECK(table.screen.typed.empty());
}

TEST_CASE("desk: at another daemon what was said to the first is nobody's to read",
          "[console][desk]") {
  std::vector<SessionInfo> three(3);
  for (std::size_t i = 0; i < three.size(); ++i) three[i].session = i + 1;
  Table table;
  table.desk.replace(three, false);
  table.hear(kMessage, 2, "hello");
  table.hear(kMessage, 3, "hello");
  table.hear(kDisconnected, 3);
  REQUIRE(table.screen.prompt == "(2:1 left 3:1) > ");
  // Its events have gone on counting from where those of the first ended, and its ids have not.
  three[0].unread = three[2].unread = 4;
  table.desk.replace(three, true);
  CHECK(table.screen.prompt == "(1:4 3:4) > ");
}

TEST_CASE("desk: at another daemon what a line names may be somebody else", "[console][desk]") {
  using Verdict = LineGuard::Verdict;
  SessionInfo one;
  one.session = 1;
  one.address = "192.0.2.1:1";
  one.since = "2026-11-29T13:00:00.000Z";
  SessionInfo two = one;
  two.session = 2;
  two.address = "192.0.2.1:2";
  Table table;
  table.desk.replace({one, two}, false);
  table.see();
  table.type("@2 a draft");
  table.name("@2", {2});
  table.desk.jump(1);
  table.see();
  table.type("@1 a line");
  table.name("@1", {1});
  SECTION("unless it is surely the same") {
    table.desk.replace({one, two}, true);
    CHECK(table.desk.guard().entered_by_name({1}) == Verdict::kSend);
  }
  SECTION("and the line and the draft wait for a second Enter") {
    one.address = two.address = "192.0.2.9:9";
    table.desk.replace({one, two}, true);
    CHECK(table.desk.guard().entered_by_name({1}) == Verdict::kDoubted);
    table.see();
    CHECK(table.desk.guard().entered_by_name({1}) == Verdict::kSend);
    table.screen.set_line("");
    table.desk.guard().edited(true);
    table.desk.turn_to({});
    table.desk.guard().edited(true);
    REQUIRE(table.screen.typed == "@2 a draft");
    table.see();
    CHECK(table.desk.guard().entered_by_name({2}) == Verdict::kDoubted);
  }
  SECTION("and so may all of them") {
    table.screen.set_line("");
    table.desk.guard().edited(true);
    table.type("/all hello");
    table.desk.replace({one, two}, true);
    CHECK(table.desk.guard().entered_by_name({}) == Verdict::kDoubted);
  }
}

TEST_CASE("desk: lines that were put away can be recalled by who comes next", "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.see();
  table.type("for one");
  table.desk.jump(2);
  table.see();
  table.type("for two");
  table.desk.jump(1);
  table.desk.jump(1);
  CHECK(table.screen.remembered.empty());
  table.desk.keep_drafts();
  CHECK(table.screen.remembered == Lines{"for two"});
}

TEST_CASE("desk: who has claimed a client reads what it said last, and nobody else",
          "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.hear(kMessage, 2, "for bob");
  table.hear(kClaimed, 2, "", "bob");
  table.hear(kDisconnected, 2);
  CHECK(table.screen.prompt == "[1] > ");
  CHECK(table.screen.title.empty());
  // Also where it has gone while nobody listened.
  table.hear(kConnected, 3);
  table.hear(kMessage, 3, "for bob");
  table.hear(kClaimed, 3, "", "bob");
  SessionInfo one;
  one.session = 1;
  table.desk.replace({one}, false);
  CHECK(table.screen.prompt == "[1] > ");
}

TEST_CASE("desk: the prompt is made anew for another width", "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.hear(kMessage, 2, "x");
  CHECK(table.screen.prompt == "[1] (2:1) > ");
  table.screen.columns = 20;
  table.desk.resized();
  CHECK(table.screen.prompt == "[1] > ");
  table.screen.columns = 120;
  table.desk.resized();
  CHECK(table.screen.prompt == "[1] (2:1) > ");
}

TEST_CASE("desk: who has left and is unread does not silence the bell", "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.hear(kMessage, 2, "gone soon");
  CHECK(table.screen.bells == 1);
  table.hear(kDisconnected, 2);
  table.hear(kConnected, 3);
  table.hear(kMessage, 3, "is anybody there");
  CHECK(table.screen.bells == 2);
  table.hear(kMessage, 3, "hello?");
  CHECK(table.screen.bells == 2);
}

TEST_CASE("desk: what was begun for who has left may be taken along", "[console][desk]") {
  using Verdict = LineGuard::Verdict;
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.see();
  table.type("for one");
  table.hear(kDisconnected, 1);
  table.see();
  CHECK(table.desk.guard().entered(table.desk.focus()) == Verdict::kLeft);
  table.see();
  table.desk.jump(2);
  CHECK(table.screen.typed == "for one");
  CHECK(table.desk.guard().entered(table.desk.focus()) == Verdict::kUnseen);
  table.see();
  CHECK(table.desk.guard().entered(table.desk.focus()) == Verdict::kSend);
}

TEST_CASE("desk: the bell rings as the configuration wishes", "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.hear(kConnected, 3);
  table.hear(kMessage, 1, "in focus");
  CHECK(table.screen.bells == 0);
  table.hear(kMessage, 2, "first");
  CHECK(table.screen.bells == 1);
  CHECK(table.screen.title == "(1) chatd");
  table.hear(kMessage, 3, "second");
  CHECK(table.screen.bells == 1);
  CHECK(table.screen.title == "(2) chatd");
  DeskInfo info;
  info.bell = "all";
  info.highlight = {"Fire"};
  table.desk.configure(info);
  table.hear(kMessage, 3, "third");
  CHECK(table.screen.bells == 2);
  table.screen.take();
  table.hear(kMessage, 1, "there is FIRE here");
  CHECK(table.screen.bells == 3);
  CHECK(table.screen.take() == Lines{"[1]! there is FIRE here"});
  info.bell = "none";
  table.desk.configure(info);
  table.hear(kMessage, 1, "fire");
  CHECK(table.screen.bells == 3);
  CHECK(table.screen.title.empty());
  // Nothing of a muted client rings.
  info.bell = "all";
  table.desk.configure(info);
  table.desk.toggle_mute(2);
  table.hear(kMessage, 2, "fire");
  CHECK(table.screen.bells == 3);
}

TEST_CASE("desk: who is writing is told until they have written, or for a while",
          "[console][desk]") {
  Table table;
  table.hear(kConnected, 1);
  table.hear(kWriting, 1, "", "bob");
  CHECK(table.screen.prompt == "[1] (bob is writing) > ");
  table.hear(kSent, 1, "hello", "bob");
  CHECK(table.screen.prompt == "[1] > ");
  table.hear(kWriting, 1, "", "bob");
  while (table.desk.forget_writers()) CHECK(table.screen.prompt == "[1] (bob is writing) > ");
  CHECK(table.screen.prompt == "[1] > ");
  table.hear(kWriting, 1, "", "root");
  CHECK(table.screen.prompt == "[1] > ");
  table.hear(kConnected, 2);
  table.hear(kWriting, 2, "", "bob");
  CHECK(table.screen.prompt == "[1] (bob is writing to [2]) > ");
  table.hear(kWriting, 1, "", "ann");
  CHECK(table.screen.prompt == "[1] (ann is writing) > ");
}

TEST_CASE("desk: plain lines have neither arrival nor bell", "[console][desk]") {
  Table table{false};
  table.hear(kConnected, 1);
  table.hear(kConnected, 2);
  table.hear(kMessage, 2, "x");
  table.screen.take();
  table.desk.turn_to(2);
  CHECK(table.screen.take().empty());
  CHECK(table.screen.bells == 0);
}

TEST_CASE("desk: an event costs the same with 2,000 sessions, 500 of them unread, as with few",
          "[console][desk]") {
  const auto cost = [](SessionId sessions) {
    Table table;
    for (SessionId id = 1; id <= sessions; ++id) table.hear(kConnected, id);
    for (SessionId id = 1; id <= sessions; id += 4) table.hear(kMessage, id, "waits");
    table.screen.keep = false;
    constexpr int kEvents = 4000;
    auto best = std::chrono::steady_clock::duration::max();
    for (int round = 0; round < 5; ++round) {
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < kEvents; ++i) {
        const SessionId id = static_cast<SessionId>(i) % sessions + 1;
        table.hear(i % 2 == 0 ? kMessage : kSent, id, "a message of usual length, more or less",
                   i % 2 == 0 ? "" : "bob");
      }
      best = std::min(best, std::chrono::steady_clock::now() - begin);
    }
    return std::chrono::duration<double, std::micro>(best).count() / kEvents;
  };
  const double few = cost(20);
  const double many = cost(2000);
  INFO("microseconds an event: " << few << " of 20 sessions, " << many << " of 2,000");
  CHECK(many < 4 * few);
}

}  // namespace chatd::console
