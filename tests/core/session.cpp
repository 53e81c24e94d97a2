// session as conversations: what goes in on the left, what comes of it on the right.
// Here: who may be written to and when, turns, and the rate. How sessions end is in
// session_end.cpp.
#include <string>

#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/sessions.hpp"

using chatd::Duration;
using chatd::core::Dialect;
using chatd::core::Session;
using chatd::test::Chat;
using chatd::test::connect_original;
using chatd::test::kAuto;
using chatd::test::kLine;
using chatd::test::kOriginal;
using chatd::test::kRaw;
using chatd::test::kTelnet;
using chatd::test::Settings;
using chatd::test::x;
using namespace std::string_literals;

namespace {

Settings with_greeting() {
  Settings settings;
  settings.greeting = "Welcome";
  return settings;
}

}  // namespace

// ---- who may be written to, and when ----

TEST_CASE("session: no byte is sent to a client before it has spoken", "[core][session]") {
  Chat chat{with_greeting()};
  const auto setting = GENERATE(kAuto, kLine, kTelnet);
  CHECK(chat.connect(setting) == "connected");
  CHECK(chat.at(300) == "nothing");
  CHECK(chat.send("hello?") == "held");
  CHECK(chat.send("who is there?") == "held");
  CHECK(chat.session().held() == 2);
  SECTION("unless it has been silent for one second") {
    CHECK(chat.at(999) == "nothing");
    const auto* end = setting == kTelnet ? "\r\n" : "\n";
    CHECK(chat.at(1000) == "delivered #2; delivered #3; out 'Welcome"s + end + "hello?" + end +
                               "who is there?" + end + "'");
    CHECK(chat.send("there") == "sent; out 'there"s + end + "'");
  }
  SECTION("its first line is answered by all of it, and a greeting would be too late") {
    CHECK(chat.in("me\n") ==
          "delivered #2; delivered #3; said 'me'; out '" +
              (setting == kTelnet ? "hello?\r\nwho is there?\r\n'"s : "hello?\nwho is there?\n'"s));
    CHECK(chat.at(5000) == "nothing");
  }
}

TEST_CASE("session: the greeting waits until it is clear that no end of file comes",
          "[core][session]") {
  Chat chat{with_greeting()};
  const auto setting = GENERATE(kAuto, kLine, kTelnet);
  const auto* end = setting == kTelnet ? "\r\n" : "\n";
  CHECK(chat.connect(setting) == "connected");
  CHECK(chat.in("hello\n") == "said 'hello'");
  CHECK(chat.wait(99) == "nothing");
  SECTION("for a tenth of a second") {
    CHECK(chat.in("you\n") == "said 'you'");
    CHECK(chat.wait(1) == "out 'Welcome"s + end + "'");
    CHECK(chat.eof() == "asking");
  }
  SECTION("which the next process knows") {
    chat.hand_over();
    CHECK(chat.wait(1) == "out 'Welcome"s + end + "'");
  }
  SECTION("a script is not greeted") {
    CHECK(chat.eof() == "asking");
    CHECK(chat.wait(5000) == "nothing");
  }
  SECTION("who was answered by then is not greeted") {
    CHECK(chat.send("hi") == "sent; out 'hi"s + end + "'");
    CHECK(chat.wait(5000) == "nothing");
  }
}

TEST_CASE("session: a raw client is sent what is said, at once and as it is", "[core][session]") {
  Settings settings = with_greeting();
  settings.farewell = "Farewell";
  Chat chat{settings};
  CHECK(chat.connect(kRaw) == "connected");
  CHECK(chat.send("one\ntwo") == "sent; out 'one\ntwo'");
  CHECK(chat.send("three") == "sent; out 'three'");
  CHECK(chat.send("") == "refused: a client without line ends cannot get an empty message");
  CHECK(chat.in("a\nb\n") == "said 'a\nb\n'");
  CHECK(chat.wait(5000) == "nothing");
  SECTION("it says bye") {
    CHECK(chat.in("bye\n") == "gone 'bye'; closed");
  }
  SECTION("it gets no farewell") {
    CHECK(chat.stop() == "gone 'the daemon stops'; closed");
  }
  SECTION("an operator says bye") {
    CHECK(chat.bye() == "gone 'bye from ann'; closed");
  }
}

TEST_CASE("session: an original client is never spoken to first, and never greeted",
          "[core][session]") {
  SECTION("fixed by the listener") {
    Chat chat{with_greeting()};
    CHECK(chat.connect(kOriginal) == "connected");
    CHECK(chat.at(500) == "nothing");
    CHECK(chat.send("hello?") == "held");
    CHECK(chat.at(9000) == "nothing");
    CHECK(chat.in("me") == "said 'me'; delivered #2; out 'hello?'");
  }
  SECTION("found out") {
    Chat chat{with_greeting()};
    connect_original(chat);
    CHECK(chat.at(20'000) == "nothing");
    CHECK(chat.send("hi") == "sent; out 'hi'");
  }
  SECTION("what was held for it before goes out when it is known") {
    Chat chat{with_greeting()};
    CHECK(chat.connect() == "connected");
    CHECK(chat.send("hello?") == "held");
    CHECK(chat.in("This is from Client") == "nothing");
    CHECK(chat.send("well?") == "held");
    CHECK(chat.at(50) ==
          "said 'This is from Client'; delivered #2; delivered #3; out 'hello?\nwell?'");
  }
}

TEST_CASE("session: a person who waits silently is written to as a line client",
          "[core][session]") {
  Chat chat{with_greeting()};
  CHECK(chat.connect() == "connected");
  CHECK(chat.at(1000) == "out 'Welcome\n'");
  CHECK(chat.session().dialect() == Dialect::kUndecided);
  CHECK(chat.send("one") == "sent; out 'one\n'");
  SECTION("and is not greeted again as a line client") {
    CHECK(chat.in("hello\r\n") == "said 'hello'");
    CHECK(chat.send("two") == "sent; out 'two\n'");
  }
  SECTION("nor as a telnet client") {
    CHECK(chat.in("\xff\xfd\x01hello\r\n") == "said 'hello'; out '\xff\xfc\x01'");
    CHECK(chat.send("two") == "sent; out 'two\r\n'");
  }
  SECTION("however slowly it types") {
    for (const auto* key : {"h", "e", "y"}) {
      CHECK(chat.in(key) == "nothing");
      CHECK(chat.session().dialect() == Dialect::kLine);
      CHECK(chat.send("two") == "sent; out 'two\n'");
      CHECK(chat.wait(2000) == "nothing");
    }
    CHECK(chat.in("\n") == "said 'hey'");
  }
}

TEST_CASE("session: a client that sends a byte within the first second is not silent",
          "[core][session]") {
  Chat chat{with_greeting()};
  CHECK(chat.connect() == "connected");
  CHECK(chat.at(990) == "nothing");
  CHECK(chat.in("h") == "nothing");
  CHECK(chat.at(1039) == "nothing");
  CHECK(chat.at(1040) == "said 'h'");
}

TEST_CASE("session: every message ends as the dialect wants it", "[core][session]") {
  Chat chat;
  SECTION("line") {
    CHECK(chat.connect() == "connected");
    CHECK(chat.in("hello\n") == "said 'hello'");
    CHECK(chat.send("one\ntwo") == "sent; out 'one\ntwo\n'");
    CHECK(chat.send("") == "sent; out '\n'");
  }
  SECTION("telnet") {
    CHECK(chat.connect() == "connected");
    CHECK(chat.in("\xff\xfd\x01") == "out '\xff\xfc\x01'");
    CHECK(chat.send("one\ntwo") == "sent; out 'one\r\ntwo\r\n'");
    CHECK(chat.send("\r\n and \r") == "sent; out '\r\n and \r\0\r\n'"s);
    CHECK(chat.send("") == "sent; out '\r\n'");
  }
  SECTION("original") {
    connect_original(chat);
    CHECK(chat.send("one\ntwo") == "sent; out 'one\ntwo'");
  }
}

TEST_CASE("session: telnet options are refused at once, before the greeting", "[core][session]") {
  Chat chat{with_greeting()};
  CHECK(chat.connect() == "connected");
  CHECK(chat.in("\xff\xfd\x18\xff\xfb\x1f") == "out '\xff\xfc\x18\xff\xfe\x1f'");
  CHECK(chat.in("\xff\xfb\x03") == "out '\xff\xfe\x03'");
  CHECK(chat.wait(100) == "out 'Welcome\r\n'");
}

TEST_CASE("session: a message that was cut is marked", "[core][session]") {
  Settings settings;
  settings.max_message = 8;
  Chat chat{settings};
  CHECK(chat.connect() == "connected");
  CHECK(chat.in("123456789\n12345678\n") == "said, cut, '12345678'; said '12345678'");
}

// ---- turns ----

TEST_CASE("session: the original client takes turns", "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.session().unread() == 1);
  CHECK(chat.send("hi") == "sent; out 'hi'");
  CHECK(chat.session().unread() == 0);
  CHECK(chat.send("are you there?") == "held");
  CHECK(chat.send("well?") == "held");
  CHECK(chat.session().held() == 2);
  CHECK(chat.in("yes") == "said 'yes'; delivered #4; delivered #5; out 'are you there?\nwell?'");
  CHECK(chat.session().held() == 0);
  CHECK(chat.in("I am") == "said 'I am'");
  CHECK(chat.send("good") == "sent; out 'good'");
  CHECK(chat.counters().messages_out == 4);
  CHECK(chat.counters().messages_in == 3);
}

TEST_CASE("session: an answer longer than 1024 bytes goes out turn by turn", "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.send(x(2049) + "\xc3\xa4") == "held; out '" + x(1024) + "'");
  CHECK(chat.session().held() == 1);
  CHECK(chat.wait(60'000) == "nothing");
  CHECK(chat.in("go on") == "said 'go on'; out '" + x(1024) + "'");
  CHECK(chat.send("and") == "held");
  CHECK(chat.in("go on") == "said 'go on'; delivered #3; delivered #5; out 'x\xc3\xa4\nand'");
}

TEST_CASE("session: a held message goes out after original_hold", "[core][session]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.send("hi") == "sent; out 'hi'");
  CHECK(chat.send("press Enter") == "held");
  CHECK(chat.wait(9'999) == "nothing");
  CHECK(chat.wait(1) == "delivered #4; out 'press Enter'");
  SECTION("as far as all that is unanswered stays within 1024 bytes") {
    CHECK(chat.send(x(1020)) == "held");
    CHECK(chat.wait(10'000) == "out '" + x(1011) + "'");
    CHECK(chat.wait(100'000) == "nothing");
    CHECK(chat.in("yes") == "said 'yes'; out 'xx'");
  }
  SECTION("and the client may still answer") {
    CHECK(chat.in("yes") == "said 'yes'");
    CHECK(chat.send("good") == "sent; out 'good'");
  }
}

TEST_CASE("session: with an original_hold of zero nothing goes out unasked", "[core][session]") {
  Settings settings;
  settings.original_hold = Duration{0};
  Chat chat{settings};
  connect_original(chat);
  CHECK(chat.send("hi") == "sent; out 'hi'");
  CHECK(chat.send("press Enter") == "held");
  CHECK(chat.wait(1'000'000) == "nothing");
  CHECK(chat.in("yes") == "said 'yes'; delivered #4; out 'press Enter'");
}

TEST_CASE("session: what is held for a silent original client waits for the first second at least",
          "[core][session]") {
  Settings settings;
  settings.original_hold = Duration{100};
  Chat chat{settings};
  CHECK(chat.connect(kOriginal) == "connected");
  CHECK(chat.send("hello?") == "held");
  CHECK(chat.at(999) == "nothing");
  CHECK(chat.at(1000) == "delivered #2; out 'hello?'");
}

TEST_CASE("session: an original client that sends an LF takes no turns any more",
          "[core][session]") {
  Chat chat{with_greeting()};
  connect_original(chat);
  CHECK(chat.send("hi") == "sent; out 'hi'");
  CHECK(chat.send("two") == "held");
  CHECK(chat.send("three") == "held");
  CHECK(chat.in("yes\n") == "delivered #4; delivered #5; said 'yes'; out 'two\nthree\n'");
  CHECK(chat.send("four") == "sent; out 'four\n'");
  CHECK(chat.send("five") == "sent; out 'five\n'");
}

TEST_CASE("session: what is held is bounded", "[core][session]") {
  Settings settings;
  settings.output_hard = 100;
  Chat chat{settings};
  const std::string full =
      "refused: it does not listen, and the messages held for it reach limits.output_hard";
  SECTION("for an original client") {
    connect_original(chat);
    CHECK(chat.send("hi") == "sent; out 'hi'");
    CHECK(chat.send(x(60)) == "held");
    CHECK(chat.send(x(41)) == full);
    CHECK(chat.send(x(40)) == "held");
    CHECK(chat.send("y") == full);
    CHECK(chat.session().unread() == 0);
    CHECK(chat.in("go on") ==
          "said 'go on'; delivered #4; delivered #5; out '" + x(60) + "\n" + x(40) + "'");
  }
  SECTION("for one that has not spoken") {
    CHECK(chat.connect() == "connected");
    CHECK(chat.send(x(100)) == "held");
    CHECK(chat.send("y") == full);
  }
  SECTION("what could never wait is refused in any state") {
    const std::string never =
        "refused: the message is longer than limits.output_hard, which is all that may wait for it";
    CHECK(chat.connect() == "connected");
    CHECK(chat.send(x(101)) == never);
    CHECK(chat.in("hello\n") == "said 'hello'");
    CHECK(chat.send(x(101)) == never);
    CHECK(chat.counters().messages_out == 0);
  }
}

TEST_CASE("session: an empty message to an original client is refused, for it would not notice",
          "[core][session]") {
  Chat chat;
  const std::string refused = "refused: a client without line ends cannot get an empty message";
  SECTION("while it listens, and while it does not") {
    connect_original(chat);
    CHECK(chat.send("") == refused);
    CHECK(chat.send("hi") == "sent; out 'hi'");
    CHECK(chat.send("") == refused);
  }
  SECTION("as an answer to one that closed its sending side") {
    connect_original(chat);
    CHECK(chat.eof() == "asking");
    CHECK(chat.send("") == refused);
    CHECK(chat.send("answer") == "sent; gone 'answered'; out 'answer'; closed");
  }
  SECTION("while it is undecided, for it may become one") {
    CHECK(chat.connect() == "connected");
    CHECK(chat.send("") == refused);
    CHECK(chat.send("hi") == "held");
    CHECK(chat.in("This is from Client") == "nothing");
    CHECK(chat.send("") == refused);
    CHECK(chat.wait(50) == "said 'This is from Client'; delivered #2; out 'hi'");
  }
  SECTION("but to a line client it is a line") {
    CHECK(chat.connect(kLine) == "connected");
    CHECK(chat.send("") == "held");
    CHECK(chat.wait(1000) == "delivered #2; out '\n'");
  }
}

// ---- its rate ----

TEST_CASE("session: past its burst a client is read slower, and nothing is dropped",
          "[core][session]") {
  Settings settings;
  settings.messages_per_second = 10;
  settings.messages_burst = 4;
  Chat chat{settings};
  CHECK(chat.connect(kLine) == "connected");
  CHECK(chat.in("1\n2\n3\n4\n5\n6\n7\n8\n9\n") == "said '1'; said '2'; said '3'; said '4'; paused");
  CHECK(chat.in("10\n11\n") == "nothing");
  SECTION("as many at once as its burst lets it") {
    CHECK(chat.at(400) == "nothing");
    CHECK(chat.at(410) == "said '5'; said '6'; said '7'; said '8'; resumed; paused");
    CHECK(chat.in("12\n") == "nothing");
    CHECK(chat.at(820) == "said '9'; said '10'; said '11'; said '12'; resumed");
    CHECK(chat.in("13\n") == "paused");
    CHECK(chat.at(5000) == "said '13'; resumed");
    CHECK(chat.in("14\n") == "said '14'");
  }
  SECTION("a bye waits for its turn") {
    CHECK(chat.in("bye\n") == "nothing");
    CHECK(chat.at(410) == "said '5'; said '6'; said '7'; said '8'; resumed; paused");
    CHECK(chat.at(1000) == "said '9'; said '10'; said '11'; gone 'bye'; resumed; closed");
  }
  const std::string rest = "said '5'; said '6'; said '7'; said '8'; said '9'; said '10'; said '11'";
  SECTION("at the end of the file all is read at once") {
    CHECK(chat.in("half") == "nothing");
    CHECK(chat.eof() == rest + "; said 'half'; asking");
    CHECK(chat.session().state() == Session::State::kAsking);
  }
  SECTION("at the end of the file a bye counts") {
    CHECK(chat.in("bye") == "nothing");
    CHECK(chat.eof() == rest + "; gone 'bye'; closed");
  }
  SECTION("at a reset one burst is read, and it is said that there was more") {
    CHECK(chat.reset() ==
          "said '5'; said '6'; said '7'; said '8'; "
          "gone 'connection reset; it had sent more, too fast to be read'");
  }
  SECTION("at a reset all is read if it is no more than a burst") {
    CHECK(chat.at(410) == "said '5'; said '6'; said '7'; said '8'; resumed; paused");
    CHECK(chat.reset() == "said '9'; said '10'; said '11'; gone 'connection reset'");
  }
  SECTION("a bye before a reset") {
    CHECK(chat.at(410) == "said '5'; said '6'; said '7'; said '8'; resumed; paused");
    CHECK(chat.send("a") == "sent; out 'a\n'");
    CHECK(chat.send("b") == "sent; out 'b\n'");
    CHECK(chat.in("bye\n12\n") == "nothing");
    CHECK(chat.reset(1, 2) == "said '9'; said '10'; said '11'; gone 'bye', lost 2");
    CHECK(chat.counters().lost == 2);
    CHECK(chat.counters().delivered == 0);
  }
  SECTION("a new rate holds at once") {
    settings.messages_per_second = 0;
    CHECK(chat.set(settings) == "nothing");
    CHECK(chat.wait(1) == rest + "; resumed");
    CHECK(chat.in("12\n13\n14\n15\n16\n17\n") ==
          "said '12'; said '13'; said '14'; said '15'; said '16'; said '17'");
  }
}

TEST_CASE("session: a reset loses what was held, although the client had spoken before it",
          "[core][session]") {
  Settings settings;
  settings.messages_per_second = 1;
  settings.messages_burst = 1;
  Chat chat{settings};
  connect_original(chat);
  CHECK(chat.send("hi") == "sent; out 'hi'");
  CHECK(chat.send("more") == "held");
  CHECK(chat.in("yes") == "paused");
  CHECK(chat.reset() == "said 'yes'; gone 'connection reset', lost 1");
  CHECK(chat.counters().delivered == 1);
  CHECK(chat.counters().lost == 1);
}

TEST_CASE("session: a burst below one still lets one message through", "[core][session]") {
  Settings settings;
  settings.messages_per_second = 10;
  settings.messages_burst = 0;
  Chat chat{settings};
  CHECK(chat.connect(kLine) == "connected");
  CHECK(chat.in("1\n2\n") == "said '1'; paused");
  CHECK(chat.wait(150) == "said '2'; resumed");
}

TEST_CASE("session: a rate of zero is no limit", "[core][session]") {
  Settings settings;
  settings.messages_per_second = 0;
  settings.messages_burst = 1;
  Chat chat{settings};
  CHECK(chat.connect(kLine) == "connected");
  std::string lines;
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    lines += "x\n";
    all += all.empty() ? "said 'x'" : "; said 'x'";
  }
  CHECK(chat.in(lines) == all);
}
