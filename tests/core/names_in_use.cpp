// Which names are taken: none is given twice, and one that is left can be had again.
#include "core/names_in_use.hpp"

#include <string>

#include "base/bytes.hpp"
#include "core/departed.hpp"
#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/sessions.hpp"

using chatd::Duration;
using chatd::Time;
using chatd::core::Departed;
using chatd::core::NamesInUse;
using chatd::test::Chat;
using chatd::test::kAuto;
using chatd::test::kLine;

TEST_CASE("names in use: names that look the same are one", "[core][names]") {
  NamesInUse names;
  CHECK(names.holder("Zoe") == 0);
  names.add("Zo\u00EB", 3);
  CHECK(names.holder("Zoe\u0308") == 3);
  CHECK(names.holder("Zoe") == 0);
  CHECK(names.holder("zo\u00EB") == 0);
  CHECK(names.holder("") == 0);
  names.add("Zoe\u0308", 4);  // as two may come from an earlier version
  CHECK(names.holder("Zo\u00EB") == 3);
  names.remove("Zo\u00EB", 4);
  CHECK(names.holder("Zo\u00EB") == 3);
  names.add("Zo\u00EB", 4);
  names.remove("Zoe\u0308", 3);
  CHECK(names.holder("Zo\u00EB") == 4);  // it has the name now
  names.remove("Zo\u00EB", 4);
  CHECK(names.holder("Zo\u00EB") == 0);
}

TEST_CASE("names in use: whose name another has gets a number, and of many the id of its session",
          "[core][names]") {
  NamesInUse names;
  CHECK(names.free_name("lab", 1) == "lab");
  names.add("lab", 1);
  names.add("lab-3", 2);
  CHECK(names.free_name("lab", 3) == "lab-2");
  names.add("lab-2", 3);
  CHECK(names.free_name("lab", 4) == "lab-4");
  for (unsigned number = 4; number < 100; ++number)
    names.add("lab-" + std::to_string(number), number);
  CHECK(names.free_name("lab", 4711) == "lab-4711");
  CHECK(names.free_name("lab", 50).empty());
  CHECK(names.free_name("labs", 50) == "labs");
}

TEST_CASE("names in use: a session that comes is called what it is to be called", "[core][names]") {
  Chat chat;
  CHECK(chat.connect(kAuto, "", "lab") == "connected; given 'lab'");
  CHECK(chat.connect(kAuto, "", "lab") == "2 connected; 2 given 'lab-2'");
  CHECK(chat.session(2).name() == "lab-2");
  CHECK(chat.connect() == "3 connected");
  CHECK(chat.router().called("lab-2") == 2);
  // An operator's name beats it, and what it was called is free.
  CHECK(chat.name("door", 2) == "2 named 'door'");
  CHECK(chat.router().called("lab-2") == 0);
  CHECK(chat.connect(kAuto, "", "lab") == "4 connected; 4 given 'lab-2'");
  CHECK(chat.name("") == "named ''");
  CHECK(chat.connect(kAuto, "", "lab") == "5 connected; 5 given 'lab'");
}

TEST_CASE("names in use: a session that has ended has left its name, although it is still there",
          "[core][names]") {
  Chat chat;
  chat.connect(kLine, "", "lab");
  chat.in("hi\n");
  chat.reads_slowly();
  CHECK(chat.bye() == "closed");
  REQUIRE(chat.has());
  CHECK(chat.session().name() == "lab");
  CHECK(chat.connect(kLine, "", "lab") == "2 connected; 2 given 'lab'");
  CHECK(chat.arrived() == "gone 'bye from ann'");
  CHECK(chat.router().called("lab") == 2);
  chat.name("hall", 2);
  CHECK(chat.router().called("lab") == 0);
}

TEST_CASE("names in use: they are known in the next process", "[core][names][saved]") {
  Chat chat;
  chat.connect(kAuto, "", "lab");
  chat.hand_over();
  CHECK(chat.router().called("lab") == 1);
  CHECK(chat.connect(kAuto, "", "lab") == "2 connected; 2 given 'lab-2'");
}

TEST_CASE("names in use: a client of a room learns nothing of names elsewhere, and takes none",
          "[core][names][rooms]") {
  Chat chat;
  chat.connect();
  chat.name("Zoe");
  chat.connect(kLine, "lab");
  CHECK(chat.in("/name Zoe\n", 2) == "2 names itself 'Zoe'; 2 out '* you are Zoe now\n'");
  CHECK(chat.router().called("Zoe") == 1);
  CHECK(chat.in("/name Ada\n", 2) == "2 names itself 'Ada'; 2 out '* you are Ada now\n'");
  CHECK(chat.router().called("Ada") == 0);
  chat.connect(kLine, "other");
  CHECK(chat.in("/name Ada\n", 3) == "3 names itself 'Ada'; 3 out '* you are Ada now\n'");
  CHECK(chat.connect(kLine, "", "Ada") == "4 connected; 4 given 'Ada'");
  CHECK(chat.router().called("Ada") == 4);
  CHECK(chat.session(2).name() == "Ada");
  // Neither is a wish taken for more in the next process.
  chat.hand_over();
  CHECK(chat.name("", 4) == "4 named ''");
  CHECK(chat.router().called("Ada") == 0);
  CHECK(chat.session(2).has_wished_name());
}

TEST_CASE("names in use: a name that is given is nobody else's in the room",
          "[core][names][rooms]") {
  Chat chat;
  for (chatd::core::SessionId id = 1; id <= 2; ++id) {
    chat.connect(kLine, "lab");
    chat.in("hi\n", id);
  }
  chat.in("/name Ada\n", 2);
  CHECK(chat.name("Ada") ==
        "named 'Ada'; 2 given ''; 2 out '* you are guest-2 now\n'; out '* Ada is guest-2 now\n'");
  CHECK(chat.in("/name Ada\n", 2) == "2 out '* somebody is called Ada already\n'");
  CHECK(chat.router().called("Ada") == 1);
  chat.in("/name Zoe\n", 2);
  CHECK(chat.connect(kLine, "lab", "Zoe") ==
        "3 connected; 3 given 'Zoe'; 2 given ''; 2 out '* you are guest-2 now\n'; "
        "out '* Zoe is guest-2 now\n'");
  // Its own name remains the one that it was given, though it asks for it.
  CHECK(chat.in("/name Ada\n").find("names itself") == std::string::npos);
  CHECK(chat.router().called("Ada") == 1);
  CHECK_FALSE(chat.session().has_wished_name());
}

TEST_CASE("names in use: of two who come with one name the other has it when the first leaves it",
          "[core][names][saved]") {
  Chat chat;
  chat.connect(kLine, "lab");
  chat.connect(kLine, "lab");
  chat.name("Ada", 1);
  chat.name("Zoe", 2);
  auto bytes = chatd::test::written_down(chat.router(), chat.now());
  const auto place = bytes.find("Zoe");
  REQUIRE(place != std::string::npos);
  bytes.replace(place, 3, "Ada");
  chatd::core::Router next{chat.router().settings()};
  REQUIRE(chatd::test::read_back(bytes, next, chat.now()));
  CHECK(next.called("Ada") == 1);
  chatd::core::Outbox outbox;
  CHECK(next.name(1, "", "ann", chat.now(), outbox) == chatd::core::Outcome::kDone);
  CHECK(next.called("Ada") == 2);
}

TEST_CASE("departed: it is remembered when the last thousand left", "[core][departed]") {
  const auto at = [](int ms) { return Time{Duration{ms}}; };
  Departed departed;
  CHECK_FALSE(departed.when(1));
  for (int i = 1; i <= 1500; ++i) departed.add(static_cast<chatd::core::SessionId>(i), at(i));
  CHECK_FALSE(departed.when(500));
  CHECK(departed.when(501) == at(501));
  CHECK(departed.when(1500) == at(1500));

  Chat chat;
  chat.connect();
  chat.connect();
  chat.in("hi\n", 2);
  chat.wait(60'000);
  chat.reads_slowly(2);
  chat.reset();
  CHECK(chat.router().left_at(1) == chat.now());
  chat.bye(2);
  CHECK_FALSE(chat.router().left_at(2));
  chat.wait(1000);
  chat.arrived(2);
  CHECK(chat.router().left_at(2) == chat.now());
  CHECK_FALSE(chat.router().left_at(3));
}
