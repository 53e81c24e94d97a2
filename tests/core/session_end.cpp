// session, how it ends: the client's bye, its end of file and its reset, an
// operator's bye and kick, the daemon's stop, silence. As conversations: what goes in
// on the left, what comes of it on the right.
#include <string>

#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/sessions.hpp"

using chatd::Duration;
using chatd::core::Session;
using chatd::test::Chat;
using chatd::test::connect_original;
using chatd::test::kAuto;
using chatd::test::kLine;
using chatd::test::kOriginal;
using chatd::test::kTelnet;
using chatd::test::Settings;
using chatd::test::x;
using namespace std::string_literals;

namespace {

Settings with_greeting() {
  Settings settings;
  settings.greeting = "Welcome";
  settings.farewell = "Farewell";
  return settings;
}

}  // namespace

// ---- the client's bye ----

TEST_CASE("session: bye ends it and loses nothing that came before it", "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  SECTION("line, in every form") {
    const auto* bye =
        GENERATE("bye", "BYE", "bYe", "  bye", "bye \t ", "\tBye\t", "bye\r", "\r bye");
    CHECK(chat.in("one\ntwo\n"s + bye + "\nthree\n") ==
          "said 'one'; said 'two'; gone 'bye'; closed");
  }
  SECTION("line, no bye") {
    const auto* text =
        GENERATE("bye!", "good bye", "by", "byebye", "b ye", "", " ", "bye.", "\x02ye");
    CHECK(chat.in(text + "\n"s) == "said '"s + text + "'");
  }
  SECTION("telnet") {
    CHECK(chat.in("\xff\xfd\x01one\r\n ByE \r\n") ==
          "said 'one'; gone 'bye'; out '\xff\xfc\x01'; closed");
  }
  SECTION("as the first bytes of an original client") {
    CHECK(chat.in("bye") == "nothing");
    CHECK(chat.at(49) == "nothing");
    CHECK(chat.at(50) == "gone 'bye'; closed");
  }
  SECTION("original, exactly the three bytes") {
    CHECK(chat.in("hello") == "nothing");
    CHECK(chat.at(50) == "said 'hello'");
    for (const auto* text : {"BYE", " bye", "bye ", "Bye"}) {
      CHECK(chat.in(text) == "said '"s + text + "'");
    }
    CHECK(chat.in("bye") == "gone 'bye'; closed");
  }
  SECTION("with a CR, and quiet behind it") {
    CHECK(chat.in("bye\r") == "nothing");
    CHECK(chat.at(50) == "gone 'bye'; closed");
  }
  SECTION("with the NUL behind a string") {
    CHECK(chat.in("bye\0"s) == "nothing");
    CHECK(chat.at(50) == "gone 'bye'; closed");
  }
  SECTION("at the end of the file, without an LF") {
    CHECK(chat.in("one\nbye") == "said 'one'");
    CHECK(chat.eof() == "gone 'bye'; closed");
  }
  SECTION("the only bytes before the end of the file") {
    CHECK(chat.in("bye") == "nothing");
    CHECK(chat.eof() == "gone 'bye'; closed");
  }
}

TEST_CASE("session: a line that was cut is not a bye", "[core][session]") {
  Settings settings;
  settings.max_message = 3;
  Chat chat{settings};
  CHECK(chat.connect(kLine) == "connected");
  CHECK(chat.in("bye bye\n") == "said, cut, 'bye'");
  CHECK(chat.in("bye\n") == "gone 'bye'; closed");
}

TEST_CASE("session: a client that says bye still gets what was held for it", "[core][session]") {
  Chat chat;
  SECTION("undecided until then") {
    CHECK(chat.connect() == "connected");
    CHECK(chat.send("one") == "held");
    CHECK(chat.in("bye\n") == "delivered #2; gone 'bye'; out 'one\n'; closed");
  }
  SECTION("an original client, as far as a turn goes") {
    connect_original(chat);
    CHECK(chat.send("hi") == "sent; out 'hi'");
    CHECK(chat.send(x(1024)) == "held");
    CHECK(chat.send("more") == "held");
    CHECK(chat.in("bye") == "delivered #4; gone 'bye', lost 1; out '" + x(1024) + "'; closed");
    CHECK(chat.counters().lost == 1);
  }
}

// ---- the end of the file ----

TEST_CASE(
    "session: a client that closes its sending side after an unanswered message still listens",
    "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  SECTION("printf 'question' | nc -N") {
    CHECK(chat.in("question") == "nothing");
    CHECK(chat.at(5) == "nothing");
    CHECK(chat.eof() == "said 'question'; asking");
    CHECK(chat.session().state() == Session::State::kAsking);
    CHECK(chat.at(5000) == "nothing");
    CHECK(chat.send("answer") == "sent; gone 'answered'; out 'answer'; closed");
  }
  SECTION("echo question | nc -N") {
    CHECK(chat.in("question\n") == "said 'question'");
    CHECK(chat.eof() == "asking");
    CHECK(chat.send("answer") == "sent; gone 'answered'; out 'answer\n'; closed");
  }
  SECTION("a last line without an LF") {
    CHECK(chat.in("one\ntwo") == "said 'one'");
    CHECK(chat.eof() == "said 'two'; asking");
    CHECK(chat.send("answer") == "sent; gone 'answered'; out 'answer\n'; closed");
  }
  SECTION("telnet") {
    CHECK(chat.in("\xff\xf1question\r\n") == "said 'question'");
    CHECK(chat.eof() == "asking");
    CHECK(chat.send("answer") == "sent; gone 'answered'; out 'answer\r\n'; closed");
  }
  SECTION("it gets its answer in one piece, however long") {
    CHECK(chat.in("question") == "nothing");
    CHECK(chat.eof() == "said 'question'; asking");
    CHECK(chat.send(x(5000)) == "sent; gone 'answered'; out '" + x(5000) + "'; closed");
  }
  SECTION("also if it was silent before") {
    CHECK(chat.at(1000) == "nothing");
    CHECK(chat.in("question") == "nothing");
    CHECK(chat.eof() == "said 'question'; asking");
    CHECK(chat.send(x(5000)) == "sent; gone 'answered'; out '" + x(5000) + "\n'; closed");
  }
  SECTION("for answer_timeout") {
    CHECK(chat.in("question\n") == "said 'question'");
    CHECK(chat.at(1000) == "nothing");
    CHECK(chat.eof() == "asking");
    CHECK(chat.at(600'999) == "nothing");
    CHECK(chat.at(601'000) == "gone 'no answer in time'; closed");
  }
  SECTION("an operator's bye ends it") {
    CHECK(chat.in("question\n") == "said 'question'");
    CHECK(chat.eof() == "asking");
    CHECK(chat.bye() == "gone 'bye from ann'; closed");
  }
}

TEST_CASE("session: an original client that closes its sending side gets at once what is held",
          "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.send(x(1030)) == "held; out '" + x(1024) + "'");
  CHECK(chat.send("two") == "held");
  CHECK(chat.send("three") == "held");
  SECTION("if it waits for an answer") {
    // What it gets was said before its last message, so that is still unanswered.
    CHECK(chat.in(x(1025)) == "nothing");
    CHECK(chat.eof() == "said '" + x(1025) +
                            "'; delivered #3; delivered #4; delivered #5; asking; out '" + x(6) +
                            "\ntwo\nthree'");
    CHECK(chat.send("four") == "sent; gone 'answered'; out 'four'; closed");
  }
  SECTION("else it is gone") {
    CHECK(chat.eof() == "gone 'left', lost 3; closed");
    CHECK(chat.counters().lost == 3);
    CHECK(chat.counters().delivered == 0);
  }
}

TEST_CASE("session: with an answer_timeout of zero it waits for ever", "[core][session]") {
  Settings settings;
  settings.answer_timeout = Duration{0};
  Chat chat{settings};
  CHECK(chat.connect() == "connected");
  CHECK(chat.in("question\n") == "said 'question'");
  CHECK(chat.eof() == "asking");
  CHECK(chat.wait(1'000'000'000) == "nothing");
  CHECK(chat.has());
}

TEST_CASE("session: a client that closes with nothing unanswered is gone", "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  SECTION("it never said a word") {
    CHECK(chat.eof() == "gone 'left'; closed");
  }
  SECTION("it was answered") {
    CHECK(chat.in("question\n") == "said 'question'");
    CHECK(chat.send("answer") == "sent; out 'answer\n'");
    CHECK(chat.eof() == "gone 'left'; closed");
  }
  SECTION("what was held for it is lost, and counted") {
    CHECK(chat.send("one") == "held");
    CHECK(chat.eof() == "gone 'left', lost 1; closed");
    CHECK(chat.counters().lost == 1);
    CHECK(chat.counters().held == 0);
  }
}

TEST_CASE("session: a reset ends it, and counts what never left", "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  CHECK(chat.in("one\ntwo") == "said 'one'");
  CHECK(chat.send("a") == "sent; out 'a\n'");
  CHECK(chat.send("b") == "sent; out 'b\n'");
  CHECK(chat.reset(1, 1) == "said, cut, 'two'; gone 'connection reset', lost 1");
  CHECK(chat.counters().delivered == 1);
  CHECK(chat.counters().lost == 1);
  CHECK(chat.wait(100'000) == "nothing");
}

TEST_CASE("session: whatever came before a reset is heard", "[core][session]") {
  Chat chat;
  CHECK(chat.connect(GENERATE(kAuto, kOriginal, kLine, kTelnet)) == "connected");
  SECTION("nothing") {
    CHECK(chat.reset() == "gone 'connection reset'");
  }
  SECTION("what nobody knows the end of") {
    const auto first = chat.in("last \xe2\x82");
    CHECK((first == "nothing"));
    CHECK(chat.reset() == "said, cut, 'last \xEF\xBF\xBD'; gone 'connection reset'");
  }
  SECTION("a word that is none yet") {
    const bool at_once = chat.in("by") != "nothing";
    CHECK(chat.reset() ==
          (at_once ? "gone 'connection reset'" : "said, cut, 'by'; gone 'connection reset'"));
  }
}

// ---- what was written to it ----

TEST_CASE("session: it is closing until what was written to it has arrived", "[core][session]") {
  Chat chat;
  chat.connect(kLine);
  chat.in("hello\n");
  chat.reads_slowly();
  CHECK(chat.send("one") == "sent; out 'one\n'");
  CHECK(chat.send("two") == "sent; out 'two\n'");
  CHECK(chat.bye() == "closed");
  CHECK(chat.session().state() == Session::State::kClosing);
  if (GENERATE(false, true)) chat.hand_over();
  CHECK(chat.send("three") == "refused: its session has ended");
  CHECK(chat.send_all("all") == "refused: its session has ended");
  CHECK(chat.bye() == "nothing");
  CHECK(chat.name("Zoe") == "named 'Zoe'");
  CHECK(chat.wait(1'000'000'000) == "nothing");
  SECTION("all of it arrives") {
    CHECK(chat.arrived() == "gone 'bye from ann'");
    CHECK(chat.counters().delivered == 2);
  }
  SECTION("some of it is lost") {
    CHECK(chat.arrived(1, 1) == "gone 'bye from ann', lost 1");
    CHECK(chat.counters().delivered == 1);
    CHECK(chat.counters().lost == 1);
  }
  SECTION("some of it is known to be lost before") {
    chat.router().lost_after_end(chat.session().slot(), 1);
    chat.hand_over();
    CHECK(chat.arrived(1, 1) == "gone 'bye from ann', lost 2");
    CHECK(chat.counters().lost == 2);
  }
  SECTION("a kick waits no longer") {
    CHECK(chat.kick() == "gone 'kicked by ann'; closed at once");
  }
  SECTION("nor does it make room, say anything when the daemon stops, or end twice") {
    CHECK(chat.make_room() == "nothing");
    CHECK(chat.stop() == "nothing");
    CHECK(chat.arrived() == "gone 'bye from ann'");
  }
}

TEST_CASE("session: a slow asker has its answer when it has arrived", "[core][session]") {
  Chat chat;
  chat.connect();
  chat.in("question\n");
  CHECK(chat.eof() == "asking");
  chat.reads_slowly();
  CHECK(chat.send("the answer") == "sent; out 'the answer\n'; closed");
  CHECK(chat.make_room() == "nothing");
  CHECK(chat.arrived() == "gone 'answered'");
}

// ---- the operator's bye ----

TEST_CASE("session: an operator's bye to a line client ends it at once", "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  SECTION("line") {
    CHECK(chat.in("hello\n") == "said 'hello'");
  }
  SECTION("telnet") {
    CHECK(chat.in("\xff\xf1") == "nothing");
  }
  SECTION("a silent one, after a second") {
    CHECK(chat.at(1000) == "nothing");
  }
  CHECK(chat.bye() == "gone 'bye from ann'; closed");
  CHECK(chat.bye() == "no such session");
}

TEST_CASE("session: an operator's bye is sent to an original client as the text",
          "[core][session]") {
  Chat chat;
  connect_original(chat);
  SECTION("at once if it listens") {
    CHECK(chat.bye() == "out 'bye'");
  }
  SECTION("when it next speaks, if it does not, behind what is held") {
    CHECK(chat.send("hi") == "sent; out 'hi'");
    CHECK(chat.send("one more thing") == "held");
    CHECK(chat.bye() == "nothing");
    CHECK(chat.session().held() == 1);
    CHECK(chat.in("yes") == "said 'yes'; delivered #4; out 'one more thing\nbye'");
  }
  SECTION("after original_hold, if it does not speak") {
    CHECK(chat.send("hi") == "sent; out 'hi'");
    CHECK(chat.bye() == "nothing");
    CHECK(chat.wait(9'999) == "nothing");
    CHECK(chat.wait(1) == "out 'bye'");
  }
}

TEST_CASE("session: after a bye an original client's own is waited for", "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.bye() == "out 'bye'");
  CHECK(chat.session().state() == Session::State::kParting);
  CHECK(chat.send("too late") == "refused: bye was already said to it");
  CHECK(chat.bye() == "nothing");
  SECTION("it may say more before") {
    CHECK(chat.wait(29'999) == "nothing");
    CHECK(chat.in("but") == "said 'but'");
    CHECK(chat.in("bye") == "gone 'bye'; closed");
  }
  SECTION("or its end of file") {
    CHECK(chat.eof() == "gone 'bye from ann'; closed");
  }
  SECTION("for bye_grace, from when the word went out") {
    CHECK(chat.wait(29'999) == "nothing");
    CHECK(chat.wait(1) == "gone 'bye from ann'; closed");
  }
}

TEST_CASE("session: a bye that never goes out ends it all the same", "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.send(x(1024)) == "sent; out '" + x(1024) + "'");
  CHECK(chat.send("more") == "held");
  CHECK(chat.bye() == "nothing");
  CHECK(chat.wait(39'999) == "nothing");
  CHECK(chat.wait(1) == "gone 'bye from ann', lost 1; closed");
}

TEST_CASE("session: an operator's bye to a client that has not spoken yet", "[core][session]") {
  Chat chat{with_greeting()};
  CHECK(chat.connect() == "connected");
  CHECK(chat.send("hello?") == "held");
  CHECK(chat.bye() == "nothing");
  CHECK(chat.send("more") == "refused: bye was already said to it");
  SECTION("a person is told after the second") {
    CHECK(chat.at(999) == "nothing");
    CHECK(chat.at(1000) == "delivered #2; gone 'bye from ann'; out 'Welcome\nhello?\n'; closed");
  }
  SECTION("a line client with its first line") {
    CHECK(chat.in("me\n") ==
          "delivered #2; said 'me'; gone 'bye from ann'; out 'hello?\n'; closed");
  }
  SECTION("an original client with its first words") {
    CHECK(chat.in("This is from Client") == "nothing");
    CHECK(chat.wait(50) == "said 'This is from Client'; delivered #2; out 'hello?\nbye'");
    CHECK(chat.in("bye") == "gone 'bye'; closed");
  }
  SECTION("an original client that is gone again") {
    CHECK(chat.in("This is from Client") == "nothing");
    CHECK(
        chat.eof() ==
        "said 'This is from Client'; delivered #2; gone 'bye from ann'; out 'hello?\nbye'; closed");
  }
  SECTION("one that leaves without a word") {
    CHECK(chat.eof() == "gone 'bye from ann', lost 1; closed");
  }
}

TEST_CASE("session: a parting client that turns out to read lines is closed", "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.send("hi") == "sent; out 'hi'");
  CHECK(chat.send("one") == "held");
  CHECK(chat.bye() == "nothing");
  CHECK(chat.in("thank you\n") ==
        "delivered #4; said 'thank you'; gone 'bye from ann'; out 'one\n'; closed");
}

TEST_CASE("session: with a bye_grace of zero its own bye is waited for as long as it takes",
          "[core][session]") {
  Settings settings;
  settings.bye_grace = Duration{0};
  Chat chat{settings};
  connect_original(chat);
  CHECK(chat.bye() == "out 'bye'");
  CHECK(chat.wait(1'000'000'000) == "nothing");
  CHECK(chat.in("bye") == "gone 'bye'; closed");
}

// ---- kick, stop, name, idle ----

TEST_CASE("session: a kick ends it at once in every state", "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  SECTION("undecided") {
    CHECK(chat.send("held") == "held");
    CHECK(chat.kick(1, "noise") == "gone 'kicked by ann: noise', lost 1; closed at once");
  }
  SECTION("line") {
    CHECK(chat.in("hello\nhalf") == "said 'hello'");
    CHECK(chat.kick() == "gone 'kicked by ann'; closed at once");
  }
  SECTION("asking") {
    CHECK(chat.in("hello\n") == "said 'hello'");
    CHECK(chat.eof() == "asking");
    CHECK(chat.kick() == "gone 'kicked by ann'; closed at once");
  }
  SECTION("parting") {
    CHECK(chat.bye() == "nothing");
    CHECK(chat.kick() == "gone 'kicked by ann'; closed at once");
  }
  CHECK(chat.kick() == "no such session");
  CHECK(chat.wait(100'000) == "nothing");
}

TEST_CASE("session: the daemon's last word goes to line and telnet clients", "[core][session]") {
  Settings settings;
  settings.farewell = "Farewell";
  Chat chat{settings};
  CHECK(chat.connect(kAuto) == "connected");
  CHECK(chat.connect(kAuto) == "2 connected");
  CHECK(chat.in("This is from Client", 2) == "nothing");
  CHECK(chat.at(500) == "2 said 'This is from Client'");
  CHECK(chat.in("hello\n") == "said 'hello'");
  CHECK(chat.connect(kAuto) == "3 connected");
  CHECK(chat.at(1600) == "nothing");
  CHECK(chat.connect(kTelnet) == "4 connected");
  CHECK(chat.in("\n", 4) == "4 said ''");
  CHECK(chat.connect(kLine) == "5 connected");
  CHECK(chat.connect(kAuto) == "6 connected");
  CHECK(chat.send("held", 6) == "6 held");
  const std::string gone = "gone 'the daemon stops'";
  CHECK(chat.stop() == gone + "; 2 " + gone + "; 3 " + gone + "; 4 " + gone + "; 5 " + gone +
                           "; 6 " + gone + ", lost 1; out 'Farewell\n'; 3 out 'Farewell\n'; " +
                           "4 out 'Farewell\r\n'; closed; 2 closed; 3 closed; 4 closed; 5 closed; "
                           "6 closed");
}

TEST_CASE("session: a name is given, changed and taken away", "[core][session]") {
  Chat chat;
  CHECK(chat.connect() == "connected");
  CHECK(chat.session().name().empty());
  CHECK(chat.name("bob") == "named 'bob'");
  CHECK(chat.session().name() == "bob");
  CHECK(chat.name("robert") == "named 'robert'");
  CHECK(chat.session().name() == "robert");
  CHECK(chat.name("") == "named ''");
  CHECK(chat.session().name().empty());
  CHECK(chat.name("nobody", 2) == "no such session");
}

TEST_CASE("session: idle_timeout ends it when no byte goes either way", "[core][session]") {
  Settings settings;
  settings.idle_timeout = Duration{5000};
  Chat chat{settings};
  CHECK(chat.connect(kLine) == "connected");
  SECTION("from the beginning") {
    CHECK(chat.at(4999) == "nothing");
    CHECK(chat.at(5000) == "gone 'idle'; closed");
  }
  SECTION("a byte from it counts, message or not") {
    CHECK(chat.at(4000) == "nothing");
    CHECK(chat.in("x") == "nothing");
    CHECK(chat.at(8999) == "nothing");
    CHECK(chat.at(9000) == "gone 'idle'; closed");
  }
  SECTION("a byte to it counts") {
    CHECK(chat.at(4000) == "nothing");
    CHECK(chat.send("hello?") == "sent; out 'hello?\n'");
    CHECK(chat.at(8999) == "nothing");
    CHECK(chat.at(9000) == "gone 'idle'; closed");
  }
  SECTION("a message that is only held does not") {
    CHECK(chat.connect(kOriginal) == "2 connected");
    CHECK(chat.send("hello?", 2) == "2 held");
    CHECK(chat.at(5000) == "gone 'idle'; 2 gone 'idle', lost 1; closed; 2 closed");
  }
}
