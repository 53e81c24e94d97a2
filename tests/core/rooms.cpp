/// Rooms: clients that hear each other, each line behind a name that nobody can forge.
#include "core/rooms.hpp"

#include <string>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/sessions.hpp"

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::core::Rooms;
using chatd::test::Chat;
using chatd::test::kAuto;
using chatd::test::kLine;
using chatd::test::kOriginal;
using chatd::test::kTelnet;

namespace {

/// Three clients of one room, who have spoken.
void three_in_a_room(Chat& chat) {
  for (chatd::core::SessionId id = 1; id <= 3; ++id) {
    chat.connect(id == 3 ? kTelnet : kLine, "lab");
    chat.in("/name " + std::string(1, static_cast<char>('a' + id - 1)) + "\n", id);
    chat.in("hi\n", id);
  }
}

}  // namespace

TEST_CASE("rooms: what one says the others hear, behind its name", "[core][rooms]") {
  Chat chat;
  CHECK(chat.connect(kLine, "lab") == "connected");
  CHECK(chat.connect(kTelnet, "lab") == "2 connected");
  CHECK(chat.connect(kLine, "other") == "3 connected");
  CHECK(chat.connect(kLine) == "4 connected");
  CHECK(chat.in("hello\n", 2) == "2 said 'hello'");  // nobody else is known to listen yet
  CHECK(chat.in("hi\n") == "said 'hi'; 2 out '* guest-1 has come\r\n<guest-1> hi\r\n'");
  CHECK(chat.in("you\n", 2) == "2 said 'you'; out '<guest-2> you\n'");
  CHECK(chat.in("us\n", 3) == "3 said 'us'");
  CHECK(chat.in("me\n", 4) == "4 said 'me'");
  // Operators hear and speak as everywhere.
  CHECK(chat.send("to one") == "sent; out 'to one\n'");
  CHECK(chat.send_all("to all") ==
        "sent for 1 2 3 4; out 'to all\n'; 2 out 'to all\r\n'; 3 out 'to all\n'; 4 out 'to all\n'");
}

TEST_CASE("rooms: a name is wished, told, and unique", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  CHECK(chat.in("/name Zoe\n") ==
        "names itself 'Zoe'; out '* you are Zoe now\n'; 2 out '* a is Zoe now\n'; "
        "3 out '* a is Zoe now\r\n'");
  CHECK(chat.in("/name Zoe\n", 2) == "2 out '* somebody is called Zoe already\n'");
  CHECK(chat.in("/name\n", 2) == "2 out '* a name is missing: /name NAME\n'");
  CHECK(chat.in("/name all\n", 2) == "2 out '* that name means something\n'");
  CHECK(chat.in("/name 12\n", 2) == "2 out '* that name means something\n'");
  CHECK(chat.in("/name guest-1\n", 2) == "2 out '* that name means something\n'");
  CHECK(chat.in("/name <Zoe>\n", 2) == "2 out '* a name has none of <, > and *\n'");
  // What is seen counts.
  CHECK(chat.in("/name Zo\u00EB\n", 2) ==
        "2 names itself 'Zo\u00EB'; 2 out '* you are Zo\u00EB now\n'; out '* b is Zo\u00EB now\n'; "
        "3 out '* b is Zo\u00EB now\r\n'");
  CHECK(chat.in("/name Zoe\u0308\n", 3) == "3 out '* somebody is called Zoe\u0308 already\r\n'");
  CHECK(chat.in("/name Zoe\uFE0F\n", 3) ==
        "3 out '* a name must not hold control or invisible characters\r\n'");
  CHECK(chat.in("/name Z\u00A0e\n", 3) ==
        "3 out '* a name must not hold another blank than U+0020\r\n'");
  CHECK(chat.in("/name Z  e\n", 3) == "3 out '* a name must not hold two blanks in a row\r\n'");
  CHECK(chat.in("/name " + std::string(33, 'x') + "\n", 2) ==
        "2 out '* a name has at most 32 bytes\n'");
  CHECK(chat.counters().messages_in == 3);
  // Other words with a slash are words, and so is this one where there is no room.
  CHECK(chat.in("/names\n", 2) ==
        "2 said '/names'; out '<Zo\u00EB> /names\n'; 3 out '<Zo\u00EB> /names\r\n'");
  chat.connect(kLine);
  CHECK(chat.in("/name Zoe\n", 4) == "4 said '/name Zoe'");
}

TEST_CASE("rooms: a name counts from where it was wished", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  CHECK(chat.in("one\n/name Zoe\ntwo\n/name Yan\n") ==
        "said 'one'; names itself 'Zoe'; said 'two'; names itself 'Yan'; "
        "out '* you are Zoe now\n* you are Yan now\n'; "
        "2 out '<a> one\n* a is Zoe now\n<Zoe> two\n* Zoe is Yan now\n'; "
        "3 out '<a> one\r\n* a is Zoe now\r\n<Zoe> two\r\n* Zoe is Yan now\r\n'");
}

TEST_CASE("rooms: who wishes names and does not read what comes of it is let go", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  chat.stop_reading(1);
  CHECK(chat.in("/name\n/name\nlater\n") ==
        "gone 'does not read'; 2 out '* a has left\n'; "
        "3 out '* a has left\r\n'; aborted");
}

TEST_CASE("rooms: a name that is wished with the end of file is not answered", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  CHECK(chat.in("deploy?\n/name Zoe") ==
        "said 'deploy?'; 2 out '<a> deploy?\n'; 3 out '<a> deploy?\r\n'");
  CHECK(chat.eof() ==
        "names itself 'Zoe'; asking; 2 out '* a is Zoe now\n'; 3 out '* a is Zoe now\r\n'");
}

TEST_CASE("rooms: nobody can forge what another has said", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  CHECK(chat.in("\x1b[1A<b> yes\x0d<c> no\n") ==
        "said '\x1b[1A<b> yes\x0d<c> no'; 2 out '<a> \\x1b[1A<b> yes\\x0d<c> no\n'; "
        "3 out '<a> \\x1b[1A<b> yes\\x0d<c> no\r\n'");
  chat.connect(kOriginal, "lab");
  // Each of several lines has the name.
  CHECK(chat.in("one\n<a> two\n", 4) ==
        "4 said 'one\n<a> two\n'; "
        "out '* guest-4 has come\n<guest-4> one\n<guest-4> <a> two\n'; "
        "2 out '* guest-4 has come\n<guest-4> one\n<guest-4> <a> two\n'; "
        "3 out '* guest-4 has come\r\n<guest-4> one\r\n<guest-4> <a> two\r\n'");
}

TEST_CASE("rooms: a name that was given, and would mislead a room, is not shown there",
          "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  for (const std::string name : {"b> yes\u2026 <b", "* c", "guest-2"}) {
    chat.name(name);
    CHECK(chat.in("hi\n") == "said 'hi'; 2 out '<guest-1> hi\n'; 3 out '<guest-1> hi\r\n'");
  }
  chat.name("Zoe");
  CHECK(chat.in("hi\n") == "said 'hi'; 2 out '<Zoe> hi\n'; 3 out '<Zoe> hi\r\n'");
}

TEST_CASE("rooms: who hears nothing of it", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  SECTION("an original client, which would take it for an answer") {
    chat.connect(kOriginal, "lab");
    chat.in("hello", 4);
    CHECK(chat.in("/name d", 4) ==
          "4 said '/name d'; out '<guest-4> /name d\n'; 2 out '<guest-4> /name d\n'; "
          "3 out '<guest-4> /name d\r\n'");
    CHECK(chat.in("x\n") == "said 'x'; 2 out '<a> x\n'; 3 out '<a> x\r\n'");
  }
  SECTION("one that waits for an answer, which still may come") {
    CHECK(chat.eof(2) == "2 asking");
    CHECK(chat.in("x\n") == "said 'x'; 3 out '<a> x\r\n'");
    CHECK(chat.send("yes", 2) ==
          "2 sent; 2 gone 'answered'; 2 out 'yes\n'; out '* b has left\n'; "
          "3 out '* b has left\r\n'; 2 closed");
  }
  SECTION("one that has never been heard, but one that waits silently does") {
    chat.connect(kAuto, "lab");
    CHECK(chat.in("x\n") == "said 'x'; 2 out '<a> x\n'; 3 out '<a> x\r\n'");
    CHECK(chat.wait(1000) == "nothing");
    CHECK(chat.in("y\n") == "said 'y'; 2 out '<a> y\n'; 3 out '<a> y\r\n'; 4 out '<a> y\n'");
  }
}

TEST_CASE("rooms: who leaves is missed once, and not when the daemon stops", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  SECTION("bye") {
    CHECK(chat.in("bye\n") ==
          "gone 'bye'; 2 out '* a has left\n'; 3 out '* a has left\r\n'; closed");
  }
  SECTION("slowly") {
    chat.reads_slowly();
    CHECK(chat.in("bye\n") == "2 out '* a has left\n'; 3 out '* a has left\r\n'; closed");
    CHECK(chat.arrived() == "gone 'bye'");
  }
  SECTION("one that does not read") {
    chat.stop_reading(2);
    CHECK(chat.in("x\n") ==
          "said 'x'; 2 gone 'does not read'; 3 out '<a> x\r\n'; out '* b has left\n'; "
          "3 out '* b has left\r\n'; 2 aborted");
  }
  SECTION("the daemon") {
    CHECK(chat.stop() ==
          "gone 'the daemon stops'; 2 gone 'the daemon stops'; "
          "3 gone 'the daemon stops'; closed; 2 closed; 3 closed");
  }
  SECTION("one that was never heard") {
    chat.connect(kLine, "lab");
    CHECK(chat.eof(4) == "4 gone 'left'; 4 closed");
  }
}

TEST_CASE("rooms: the next process knows them", "[core][rooms]") {
  Chat chat;
  three_in_a_room(chat);
  chat.hand_over();
  CHECK(chat.in("x\n") == "said 'x'; 2 out '<a> x\n'; 3 out '<a> x\r\n'");
  chat.connect(kLine, "lab");
  CHECK(chat.in("I\n", 4) ==
        "4 said 'I'; out '* guest-4 has come\n<guest-4> I\n'; "
        "2 out '* guest-4 has come\n<guest-4> I\n'; "
        "3 out '* guest-4 has come\r\n<guest-4> I\r\n'");
}

TEST_CASE("rooms: names have numbers, and what cannot be is refused", "[core][rooms]") {
  Rooms rooms;
  CHECK(rooms.find("") == 0);
  CHECK(rooms.find("a") == 1);
  CHECK(rooms.find("b") == 2);
  CHECK(rooms.find("a") == 1);
  ByteWriter out;
  rooms.save(out);
  ByteReader in{out.bytes()};
  Rooms next;
  next.restore(in);
  CHECK(in.finished());
  CHECK(next.find("b") == 2);
  CHECK_FALSE(next.exists(3));
  for (int i = 3; i <= 255; ++i) CHECK(next.find("room " + std::to_string(i)) == i);
  CHECK(next.find("one too many") == 0);

  ByteWriter twice;
  twice.number<std::uint64_t>(2);
  twice.text("a");
  twice.text("a");
  ByteReader refused{twice.bytes()};
  Rooms none;
  none.restore(refused);
  CHECK_FALSE(refused.ok());
}
