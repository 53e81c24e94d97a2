// router: who gets what, what operators are told, and when the router has to be woken.
#include "core/router.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/chat.hpp"

using chatd::Duration;
using chatd::kNever;
using chatd::test::Chat;
using chatd::test::DialectSetting;
using chatd::test::SessionId;
using chatd::test::Settings;

namespace {

constexpr auto kOriginal = DialectSetting::kOriginal;
constexpr auto kLine = DialectSetting::kLine;
constexpr auto kTelnet = DialectSetting::kTelnet;

namespace core = chatd::core;

using Ids = std::vector<SessionId>;

/// A line client that has said something, and a given number of others like it.
void connect_lines(Chat& chat, int count) {
  for (int i = 0; i < count; ++i) {
    const auto connected = chat.connect(kLine);
    const auto id = chat.router().sessions().back()->id();
    REQUIRE(connected == (id == 1 ? "" : std::to_string(id) + " ") + "connected");
    chat.in("\n", id);
  }
}

}  // namespace

TEST_CASE("router: ids count up from the last one, and are never used again", "[core][router]") {
  Chat chat{{}, 41};
  CHECK(chat.connect() == "42 connected");
  CHECK(chat.connect() == "43 connected");
  CHECK(chat.session(42).slot() == 0);
  CHECK(chat.eof(42) == "42 gone 'left'; 42 closed");
  CHECK(chat.connect() == "44 connected");
  CHECK(chat.session(44).slot() == 0);  // slots are
  CHECK(chat.in("x\n", 44) == "44 said 'x'");
  CHECK(chat.send("to the one before", 42) == "42 refused: no such session");
  CHECK(chat.bye(42) == "no such session");
  CHECK(chat.router().find(42) == nullptr);
  CHECK(chat.counters().accepted == 3);
}

TEST_CASE("router: sessions are listed in the order of their ids", "[core][router]") {
  Chat chat;
  connect_lines(chat, 4);
  chat.eof(1);
  chat.kick(2);
  connect_lines(chat, 2);
  Ids ids;
  for (const auto* session : chat.router().sessions()) ids.push_back(session->id());
  CHECK(ids == Ids{1, 3, 4, 5, 6});  // a 1 that had spoken waits for an answer
  CHECK(chat.router().size() == 5);
}

TEST_CASE("router: what one client does concerns no other", "[core][router]") {
  Chat chat;
  connect_lines(chat, 3);
  CHECK(chat.in("one\n", 1) == "said 'one'");
  CHECK(chat.in("two\n", 2) == "2 said 'two'");
  CHECK(chat.send("answer", 2) == "2 sent; 2 out 'answer\n'");
  CHECK(chat.in("bye\n", 2) == "2 gone 'bye'; 2 closed");
  CHECK(chat.has(1));
  CHECK(chat.has(3));
}

TEST_CASE("router: a message to several is one event for each state that occurs",
          "[core][router]") {
  Chat chat;
  connect_lines(chat, 3);
  CHECK(chat.connect(kTelnet) == "4 connected");
  CHECK(chat.connect(kOriginal) == "5 connected");
  SECTION("to all") {
    CHECK(chat.send_all("hi") ==
          "sent for 1 2 3; held for 4 5; out 'hi\n'; 2 out 'hi\n'; 3 out 'hi\n'");
    CHECK(chat.receipt().delivered == Ids{1, 2, 3});
    CHECK(chat.receipt().held == Ids{4, 5});
    CHECK(chat.receipt().refused.empty());
    CHECK(chat.counters().messages_out == 5);
    SECTION("and each delivery names the event that said so") {
      CHECK(chat.in("\n", 4) == "4 delivered #10; 4 said ''; 4 out 'hi\r\n'");
      CHECK(chat.in("x", 5) == "5 said 'x'; 5 delivered #10; 5 out 'hi'");
    }
  }
  SECTION("to some, in whatever order they are named") {
    CHECK(chat.send("hi", Ids{5, 2, 1}) == "sent for 1 2; 5 held; out 'hi\n'; 2 out 'hi\n'");
  }
  SECTION("to one, as a list or not, the event names that one") {
    CHECK(chat.send("hi", Ids{2}) == "2 sent; 2 out 'hi\n'");
    CHECK(chat.send("hi", 2) == "2 sent; 2 out 'hi\n'");
    CHECK(chat.send("hi", Ids{2, 4}) == "2 sent; 4 held; 2 out 'hi\n'");
  }
  SECTION("to one that is named twice, once") {
    CHECK(chat.send("hi", Ids{2, 2, 4, 2, 4}) == "2 sent; 4 held; 2 out 'hi\n'");
  }
  SECTION("to nobody") {
    CHECK(chat.send("hi", Ids{}) == "nothing");
    CHECK(chat.send("hi", Ids{77, 1, 78}) ==
          "sent; out 'hi\n'; 77 refused: no such session; 78 refused: no such session");
    Chat empty;
    CHECK(empty.send_all("hi") == "nothing");
  }
  SECTION("every dialect gets it in its own form") {
    CHECK(chat.in("\n", 4) == "4 said ''");
    CHECK(chat.in("x", 5) == "5 said 'x'");
    CHECK(chat.send_all("a\nb") ==
          "sent for 1 2 3 4 5; out 'a\nb\n'; 2 out 'a\nb\n'; 3 out 'a\nb\n'; 4 out 'a\r\nb\r\n'; "
          "5 out 'a\nb'");
  }
}

TEST_CASE("router: a message to all leaves out who waits for an answer", "[core][router]") {
  Chat chat;
  connect_lines(chat, 3);
  CHECK(chat.eof(1) == "asking");
  CHECK(chat.eof(3) == "3 asking");
  CHECK(chat.send_all("hi") == "sent for 2; 2 out 'hi\n'; left out; 3 left out");
  CHECK(chat.receipt().left_out == std::vector<SessionId>{1, 3});
  CHECK(chat.router().size() == 3);
  // Who is named is meant.
  CHECK(chat.send("yes", std::vector<SessionId>{1, 2, 3}) ==
        "sent for 1 2 3; gone 'answered'; 3 gone 'answered'; out 'yes\n'; "
        "2 out 'yes\n'; 3 out 'yes\n'; closed; 3 closed");
}

TEST_CASE("router: a message to all answers nobody", "[core][router]") {
  Chat chat;
  chat.connect();
  chat.in("question\n");
  chat.send_all("lunch");
  CHECK(chat.session().unread() == 1);
  // Its end of file was on its way.
  CHECK(chat.eof() == "asking");
  CHECK(chat.send("the answer") == "sent; gone 'answered'; out 'the answer\n'; closed");
}

TEST_CASE("router: who waits for an answer makes room, the oldest first", "[core][router]") {
  Chat chat;
  connect_lines(chat, 4);
  CHECK(chat.make_room() == "nothing");
  chat.eof(3);
  chat.eof(2);
  chat.hand_over();
  CHECK(chat.make_room({2, 3}) == "nothing");
  CHECK(chat.make_room({2}) == "3 gone 'gave way to another client'; 3 aborted");
  CHECK(chat.make_room() == "2 gone 'gave way to another client'; 2 aborted");
  CHECK(chat.make_room() == "nothing");
  chat.eof(1);
  CHECK(chat.send("yes") == "sent; gone 'answered'; out 'yes\n'; closed");
  CHECK(chat.make_room() == "nothing");
}

TEST_CASE("router: a client that refuses a message is not counted", "[core][router]") {
  Chat chat;
  connect_lines(chat, 1);
  CHECK(chat.connect(kOriginal) == "2 connected");
  CHECK(chat.bye(2) == "nothing");
  CHECK(chat.send_all("hi") == "sent for 1; out 'hi\n'; 2 refused: bye was already said to it");
  CHECK(chat.counters().messages_out == 1);
  CHECK(chat.receipt().refused.size() == 1);
}

// ---- what a client does not take ----

TEST_CASE("router: what a full client is sent is lost, and it alone ends", "[core][router]") {
  Chat chat;
  connect_lines(chat, 3);
  SECTION("to it alone") {
    chat.stop_reading(2);
    CHECK(chat.send("hi", 2) ==
          "2 lost; 2 gone 'does not read'; 2 aborted; 2 refused: does not read");
    CHECK(chat.receipt().refused.front().reason ==
          "it does not read: more than 262144 bytes wait for it");
    CHECK(chat.counters().lost == 1);
    CHECK(chat.counters().delivered == 0);
  }
  SECTION("among others") {
    chat.stop_reading(2);
    CHECK(chat.send_all("hi") ==
          "sent for 1 3; lost for 2; 2 gone 'does not read'; out 'hi\n'; 3 out 'hi\n'; 2 aborted; "
          "2 refused: does not read");
    CHECK(chat.receipt().delivered == Ids{1, 3});
    CHECK(chat.counters().lost == 1);
    CHECK(chat.counters().delivered == 2);
  }
  SECTION("when one of all is left, the event still says that it was for all") {
    chat.stop_reading(1);
    chat.stop_reading(3);
    CHECK(chat.send_all("hi") ==
          "sent for 2; lost for 1 3; gone 'does not read'; 3 gone 'does not read'; 2 out 'hi\n'; "
          "aborted; 3 aborted; refused: does not read; 3 refused: does not read");
  }
  SECTION("when none is left, there is no event for nobody") {
    chat.stop_reading(1);
    chat.stop_reading(2);
    chat.stop_reading(3);
    CHECK(chat.send_all("hi") ==
          "lost for 1 2 3; gone 'does not read'; 2 gone 'does not read'; 3 gone 'does not read'; "
          "aborted; 2 aborted; 3 aborted; "
          "refused: does not read; 2 refused: does not read; 3 refused: does not read");
    CHECK(chat.counters().lost == 3);
  }
  SECTION("many: one event for all of them, whoever they are") {
    connect_lines(chat, 5);
    for (const SessionId id : {2U, 3U, 5U, 7U, 8U}) chat.stop_reading(id);
    CHECK(chat.send_all("hi").starts_with(
        "sent for 1 4 6; lost for 2 3 5 7 8; 2 gone 'does not read'; 3 gone 'does not read'; "
        "5 gone 'does not read'; 7 gone 'does not read'; 8 gone 'does not read'; "
        "out 'hi\n'; 4 out 'hi\n'; 6 out 'hi\n'; 2 aborted; 3 aborted; 5 aborted; 7 aborted; "
        "8 aborted; 2 refused: does not read;"));
    CHECK(chat.receipt().delivered == Ids{1, 4, 6});
    CHECK(chat.receipt().refused.size() == 5);
    CHECK(chat.counters().lost == 5);
    CHECK(chat.counters().delivered == 3);
  }
  SECTION("with what waited already") {
    CHECK(chat.send("one", 2) == "2 sent; 2 out 'one\n'");
    CHECK(chat.send("two", 2) == "2 sent; 2 out 'two\n'");
    chat.stop_reading(2, 2);
    CHECK(chat.send("three", 2) ==
          "2 lost; 2 gone 'does not read', lost 2; 2 aborted; 2 refused: does not read");
    CHECK(chat.counters().lost == 3);
    CHECK(chat.counters().delivered == 0);
  }
  SECTION("who waited for its one answer has not got it") {
    chat.eof(2);
    chat.stop_reading(2);
    CHECK(chat.send("hi", 2) ==
          "2 lost; 2 gone 'does not read'; 2 aborted; 2 refused: does not read");
  }
}

TEST_CASE("router: what had been held and is not taken either is lost", "[core][router]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  CHECK(chat.send("one") == "held");
  CHECK(chat.send("two") == "held");
  chat.stop_reading(1);
  CHECK(chat.at(1000) == "delivered #2; delivered #3; gone 'does not read', lost 2");
  CHECK(chat.counters().delivered == 0);
  CHECK(chat.counters().lost == 2);
}

TEST_CASE("router: all that a full client would get at once is lost, and counted once",
          "[core][router]") {
  Chat chat;
  chat.connect();
  chat.send("held");
  chat.away("away");
  chat.stop_reading(1, 3);
  // It is known now how it reads, and gets what is held.
  CHECK(chat.in("hi\n") == "delivered #2; said 'hi'; gone 'does not read', lost 4");
  CHECK(chat.counters().messages_out == 1);
  CHECK(chat.counters().lost == 4);
}

TEST_CASE("router: of two writes at once the second is not taken, and each is counted once",
          "[core][router]") {
  chatd::core::Router router{Settings{}};
  chatd::core::Outbox outbox;
  const chatd::Time now{Duration{1000}};
  router.connect(0, DialectSetting::kLine, now, outbox);
  router.receive(0, "hi\n", now, outbox);
  outbox.clear();
  (void)router.send({false, {1}}, "one", "ann", now, outbox);
  (void)router.send({false, {1}}, "two", "ann", now, outbox);
  REQUIRE(outbox.writes().size() == 2);
  const std::uint32_t waits = GENERATE(0U, 1U);  // of the first, which was taken
  router.broken(0, "full", waits + outbox.writes()[1].bytes.weight(), now, outbox);
  CHECK(router.counters().messages_out == 2);
  CHECK(router.counters().delivered == 1 - waits);
  CHECK(router.counters().lost == 1 + waits);
  CHECK(router.counters().held == 0);
}

TEST_CASE("router: what never left after the end of a session is lost", "[core][router]") {
  Chat chat;
  connect_lines(chat, 1);
  CHECK(chat.send("one") == "sent; out 'one\n'");
  CHECK(chat.send("two") == "sent; out 'two\n'");
  CHECK(chat.kick() == "gone 'kicked by ann'; closed at once");
  chat.router().lost_after_end(0, 1);
  CHECK(chat.counters().delivered == 1);
  CHECK(chat.counters().lost == 1);
}

// ---- when it has to be woken ----

TEST_CASE("router: it sleeps while nothing is due", "[core][router]") {
  Chat chat;
  CHECK(chat.router().deadline() == kNever);
  connect_lines(chat, 2);
  CHECK(chat.at(10'000) == "nothing");
  CHECK(chat.router().deadline() == kNever);
  CHECK(chat.connect() == "3 connected");
  CHECK(chat.router().deadline() != kNever);
  CHECK(chat.eof(3) == "3 gone 'left'; 3 closed");
  CHECK(chat.router().deadline() == kNever);
}

TEST_CASE("router: it wakes for the next one, and does all that is due", "[core][router]") {
  Settings settings;
  settings.greeting = "Welcome";
  Chat chat{settings};
  CHECK(chat.connect() == "connected");
  CHECK(chat.at(10) == "nothing");
  CHECK(chat.connect() == "2 connected");
  CHECK(chat.at(20) == "nothing");
  CHECK(chat.connect() == "3 connected");
  CHECK(chat.in("hello", 2) == "nothing");
  SECTION("each in its time") {
    CHECK(chat.at(70) == "2 said 'hello'");
    CHECK(chat.at(1000) == "out 'Welcome\n'");
    CHECK(chat.at(1019) == "nothing");
    CHECK(chat.at(1020) == "3 out 'Welcome\n'");
  }
  SECTION("all at once if it is woken late") {
    CHECK(chat.late(5000) == "2 said 'hello'; out 'Welcome\n'; 3 out 'Welcome\n'");
    CHECK(chat.router().deadline() == kNever);
  }
}

TEST_CASE("router: new settings hold from then on, for sessions that are there too",
          "[core][router]") {
  Chat chat;
  connect_lines(chat, 2);
  CHECK(chat.at(10'000) == "nothing");
  Settings settings;
  settings.idle_timeout = Duration{20'000};
  SECTION("a deadline that they bring") {
    chat.set(settings);
    CHECK(chat.at(19'999) == "nothing");
    CHECK(chat.at(20'000) == "gone 'idle'; 2 gone 'idle'; closed; 2 closed");
  }
  SECTION("a deadline that is past already") {
    settings.idle_timeout = Duration{5000};
    chat.set(settings);
    CHECK(chat.wait(1) == "gone 'idle'; 2 gone 'idle'; closed; 2 closed");
  }
  SECTION("a deadline that they take away") {
    chat.set(settings);
    settings.idle_timeout = Duration{0};
    chat.set(settings);
    CHECK(chat.wait(100'000) == "nothing");
  }
  SECTION("the greeting") {
    settings.greeting = "Welcome";
    CHECK(chat.connect() == "3 connected");
    chat.set(settings);
    CHECK(chat.says("x\n", 3) == "3 said 'x'; 3 out 'Welcome\n'");
  }
}

TEST_CASE("router: nobody is silent of whom something is unread", "[core][router]") {
  const auto spoken_to = [](const core::Outbox& outbox) { return !outbox.writes().empty(); };
  Settings settings;
  settings.greeting = "hello";
  core::Router router{settings};
  core::Outbox outbox;
  router.connect(0, DialectSetting::kAuto, chatd::Time{}, outbox);
  outbox.clear();
  bool unread = true;
  const auto has_unread = [&](core::Slot) { return unread; };
  chatd::Time now = router.deadline();
  for (int time = 0; time < 10; ++time) {
    router.tick(now, outbox, SIZE_MAX, has_unread);
    CHECK_FALSE(spoken_to(outbox));
    REQUIRE(router.deadline() > now);
    now = router.deadline();
  }
  SECTION("it is read: it spoke first, and does not read lines") {
    router.receive(0, "hi", now, outbox);
    unread = false;
    router.tick(now + Duration{1000}, outbox, SIZE_MAX, has_unread);
    CHECK(router.at(0).dialect() == core::Dialect::kOriginal);
    CHECK_FALSE(spoken_to(outbox));
  }
  SECTION("the end of a message waits as well") {
    router.receive(0, "hi", now, outbox);
    outbox.clear();
    now += Duration{1000};
    router.tick(now, outbox, SIZE_MAX, has_unread);
    CHECK(router.at(0).dialect() == core::Dialect::kUndecided);
    router.receive(0, " there\n", now, outbox);
    CHECK(router.at(0).dialect() == core::Dialect::kLine);
  }
  SECTION("nothing comes after all") {
    unread = false;
    router.tick(now, outbox, SIZE_MAX, has_unread);
    CHECK(spoken_to(outbox));
  }
}

TEST_CASE("router: every wake-up brings the next deadline nearer to never", "[core][router]") {
  // Sessions in all states that wait for something. Chat::tick() checks after each
  // wake-up that the next one is later.
  Settings settings;
  settings.idle_timeout = Duration{300'000};
  settings.messages_burst = 1;
  settings.messages_per_second = 3;
  Chat chat{settings};
  for (int i = 0; i < 7; ++i) chat.connect();
  chat.in("original", 2);
  chat.in("original", 3);
  chat.in("line\nline\nline\n", 4);
  chat.in("asking\n", 5);
  chat.eof(5);
  chat.in("\xff\xf1", 6);
  chat.at(100);
  chat.send(std::string(3000, 'x'), 2);
  chat.bye(3);
  chat.bye(7);
  chat.in("incomplete \xe2\x82", 2);
  chat.at(1'000'000);
  CHECK(chat.router().size() == 0);
  CHECK(chat.router().deadline() == kNever);
  CHECK(chat.counters().held == 0);
}
