// The dialect `web`: whole texts, in and out; what is written is the author, a NUL and the text.
#include <string>

#include "core/outgoing.hpp"
#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/sessions.hpp"

using chatd::Duration;
using chatd::core::web_text;
using chatd::test::Chat;
using chatd::test::kWeb;
using chatd::test::Settings;
using namespace std::string_literals;

TEST_CASE("web: what is written says who said it", "[core][web]") {
  Settings settings;
  settings.greeting = "Welcome";
  settings.farewell = "Good night";
  Chat chat{settings};
  CHECK(chat.connect(kWeb) == "connected; out '\0Welcome'"s);
  CHECK(to_string(chat.session().dialect()) == "web");
  CHECK(chat.send("hi\nyou") == "sent; out 'ann\0hi\nyou'"s);
  chat.as("bob");
  CHECK(chat.send_all("") == "sent for 1; out 'bob\0'"s);
  chat.away("back at nine");
  CHECK(chat.say("anyone?") == "said 'anyone?'");
  CHECK(chat.wait(100) == "automatic; out '\0back at nine'"s);
  CHECK(chat.stop() == "gone 'the daemon stops'; out '\0Good night'; closed"s);
}

TEST_CASE("web: the author and the text are told apart", "[core][web]") {
  CHECK(web_text("ann\0a\0b"s).author == "ann");
  CHECK(web_text("ann\0a\0b"s).text == "a\0b"s);
  CHECK(web_text("\0"s).author.empty());
  CHECK(web_text("\0"s).text.empty());
}

TEST_CASE("web: what it says is a message", "[core][web]") {
  Settings settings;
  settings.max_message = 8;
  Chat chat{settings};
  chat.connect(kWeb);
  CHECK_FALSE(chat.session().has_spoken());
  CHECK(chat.say("two\nof it") == "said, cut, 'two\nof i'");
  CHECK(chat.session().has_spoken());
  CHECK(chat.say("") == "said ''");
  CHECK(chat.say("1234567\xC3\xA4") == "said, cut, '1234567'");
  CHECK(chat.say("12345678") == "said '12345678'");
  CHECK(chat.in("bytes") == "nothing");  // it has none
}

TEST_CASE("web: whether it may say something is its rate", "[core][web]") {
  Settings settings;
  settings.messages_per_second = 1;
  settings.messages_burst = 2;
  Chat chat{settings};
  chat.connect(kWeb);
  CHECK(chat.may_say());
  chat.say("one");
  CHECK(chat.may_say());
  chat.say("two");
  CHECK_FALSE(chat.may_say());
  CHECK(chat.say("three") == "said 'three'");  // who asks and does not wait is heard
  chat.hand_over();
  CHECK_FALSE(chat.may_say());
  CHECK(chat.wait(999) == "nothing");
  CHECK_FALSE(chat.may_say());
  CHECK(chat.wait(1) == "nothing");
  CHECK(chat.may_say());
  settings.messages_per_second = 0;
  chat.say("four");
  CHECK_FALSE(chat.may_say());
  chat.set(settings);
  CHECK(chat.may_say());
}

TEST_CASE("web: it ends as others do", "[core][web]") {
  Settings settings;
  settings.idle_timeout = Duration{50'000};
  Chat chat{settings};
  chat.connect(kWeb);
  chat.wait(40'000);
  chat.say("question");
  if (GENERATE(false, true)) chat.hand_over();
  SECTION("it leaves, and waits for no answer") {
    CHECK(chat.eof() == "gone 'left'; closed");
  }
  SECTION("the word bye is none of its ends") {
    CHECK(chat.say("bye") == "said 'bye'");
  }
  SECTION("an operator's") {
    CHECK(chat.bye() == "gone 'bye from ann'; closed");
  }
  SECTION("a kick, which says why") {
    CHECK(chat.kick(1, "noise") ==
          "gone 'kicked by ann: noise'; closed at once with 'kicked: noise'");
  }
  SECTION("idle") {
    CHECK(chat.wait(49'999) == "nothing");
    CHECK(chat.wait(1) == "gone 'idle'; closed");
  }
  SECTION("broken, with what was on its way") {
    CHECK(chat.send("answer") == "sent; out 'ann\0answer'"s);
    CHECK(chat.reset(1, 1) == "gone 'connection reset', lost 1");
  }
}
