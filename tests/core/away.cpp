/// The automatic answer: to whom, how often, and what it leaves as it is.
#include <string>

#include "support/catch.hpp"
#include "support/chat.hpp"

using chatd::core::Session;
using chatd::test::Chat;

namespace {

TEST_CASE("away: whoever writes is told once", "[core][away]") {
  Chat chat;
  chat.connect();
  CHECK(chat.in("before\n") == "said 'before'");
  chat.away("back at two");
  CHECK(chat.says("hello?\n") == "said 'hello?'; automatic; out 'back at two\n'");
  CHECK(chat.says("hello!\n") == "said 'hello!'");
  chat.connect();
  CHECK(chat.says("one\ntwo\n", 2) ==
        "2 said 'one'; 2 said 'two'; 2 automatic; 2 out 'back at two\n'");
  chat.back();
  chat.connect();
  CHECK(chat.says("three\n", 3) == "3 said 'three'");
}

TEST_CASE("away: nothing is said before it is clear that no end of file comes", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.away("later");
  CHECK(chat.in("one\n") == "said 'one'");
  CHECK(chat.wait(60) == "nothing");
  CHECK(chat.in("two\n") == "said 'two'");
  SECTION("a person gets it a tenth of a second after the first words") {
    CHECK(chat.wait(39) == "nothing");
    CHECK(chat.wait(1) == "automatic; out 'later\n'");
  }
  SECTION("a script does not get it") {
    CHECK(chat.eof() == "asking");
    CHECK(chat.wait(10'000) == "nothing");
    CHECK(chat.send("the answer") == "sent; gone 'answered'; out 'the answer\n'; closed");
  }
  SECTION("whoever is answered by then gets it all the same") {
    CHECK(chat.send("here I am") == "sent; out 'here I am\n'");
    CHECK(chat.wait(40) == "automatic; out 'later\n'");
  }
  SECTION("it is not said if somebody has come back by then") {
    chat.back();
    CHECK(chat.wait(40) == "nothing");
    chat.away("later");
    CHECK(chat.wait(1000) == "nothing");
    CHECK(chat.says("three\n") == "said 'three'; automatic; out 'later\n'");
  }
  SECTION("the next process says it") {
    chat.hand_over();
    chat.away("later");
    CHECK(chat.wait(40) == "automatic; out 'later\n'");
  }
}

TEST_CASE("away: another time, or another text, is told again", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.away("back at two");
  chat.says("hello\n");
  chat.away("back at two");
  CHECK(chat.says("hello\n") == "said 'hello'");
  chat.away("back at three");
  CHECK(chat.says("hello\n") == "said 'hello'; automatic; out 'back at three\n'");
  chat.back();
  chat.away("back at three");
  CHECK(chat.says("hello\n") == "said 'hello'; automatic; out 'back at three\n'");
}

TEST_CASE("away: a message that was answered automatically stays unread", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.away("later");
  chat.says("hello\n");
  CHECK(chat.session().unread() == 1);
  CHECK(chat.counters().messages_out == 1);
  CHECK(chat.counters().delivered == 1);
  CHECK(chat.send("here I am") == "sent; out 'here I am\n'");
  CHECK(chat.session().unread() == 0);
}

TEST_CASE("away: to an original client it is an answer, which it waits for", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.away("later");
  chat.in("hello");
  CHECK(chat.wait(50) == "said 'hello'");
  CHECK(chat.wait(100) == "automatic; out 'later'");
  // It listens no more: what a person says waits for its next turn.
  CHECK(chat.send("I am here") == "held");
  CHECK(chat.in("oh") == "said 'oh'; delivered #4; out 'I am here'");
}

TEST_CASE("away: an original client that cannot be told now is told in its turn", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.in("hello");
  chat.wait(50);
  chat.send(std::string(1024, 'x'));
  chat.send(std::string(1020, 'y'));
  chat.away("later");
  CHECK(chat.says("next") ==
        "said 'next'; delivered #4; out '" + std::string(1020, 'y') + "'; automatic, held");
  CHECK(chat.session().unread() == 1);  // a held automatic answer is no operator's either
  CHECK(chat.in("more") == "said 'more'; delivered #7; out 'later'");
}

TEST_CASE("away: a client that waits for one answer is told nothing", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.away("later");
  CHECK(chat.in("question") == "nothing");
  CHECK(chat.eof() == "said 'question'; asking");
  CHECK(chat.wait(1000) == "nothing");
  CHECK(chat.session().state() == Session::State::kAsking);
  CHECK(chat.send("the answer") == "sent; gone 'answered'; out 'the answer'; closed");
}

TEST_CASE("away: a bye is not answered, nor is anything after it", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.away("later");
  CHECK(chat.in("bye\n") == "gone 'bye'; closed");
  chat.connect();
  chat.in("hello", 2);
  chat.back();
  chat.wait(50);
  chat.bye(2);
  chat.away("later");
  CHECK(chat.in("what?", 2) == "2 said 'what?'");
}

TEST_CASE("away: a client without room for the answer ends, and the answer is lost",
          "[core][away]") {
  Chat chat;
  chat.connect();
  CHECK(chat.in("hello\n") == "said 'hello'");
  chat.away("later");
  chat.stop_reading(1);
  CHECK(chat.says("hello?\n") == "said 'hello?'; automatic, lost; gone 'does not read'; aborted");
  CHECK(chat.counters().messages_out == 1);
  CHECK(chat.counters().lost == 1);
}

TEST_CASE("away: a claimed session is told, too", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.in("hi\n");
  chat.as("bob");
  chat.claim();
  chat.as("ann");
  chat.away("later");
  CHECK(chat.says("hello\n") == "said 'hello'; automatic; out 'later\n'");
}

TEST_CASE("away: the next process does not tell again what was told", "[core][away]") {
  Chat chat;
  chat.connect();
  chat.connect();
  chat.away("later");
  chat.says("hello\n");
  chat.hand_over();
  // Nobody has come back yet.
  CHECK(chat.says("hello?\n", 2) == "2 said 'hello?'");
  chat.away("later");
  CHECK(chat.says("hello\n") == "said 'hello'");
  CHECK(chat.says("hello\n", 2) == "2 said 'hello'; 2 automatic; 2 out 'later\n'");
  chat.hand_over();
  chat.away("even later");
  CHECK(chat.says("hello\n") == "said 'hello'; automatic; out 'even later\n'");
}

}  // namespace
