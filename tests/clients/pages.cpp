// Visitors' pages as they come, go and come back: tables of what happens and what is told.
#include "clients/pages.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "clients/page_host.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

using namespace std::chrono_literals;
using Lines = PageTest::Lines;
using Written = Pages::Written;

constexpr core::Slot kSession = PageTest::kFirstSession;
/// The time of all that is said before pass().
const std::string kTime = R"("time":"2026-11-29T12:00:00.000Z")";

std::string message(core::Slot connection, int seq, const std::string& rest) {
  return std::to_string(connection) + R"( < {"type":"message","seq":)" + std::to_string(seq) + "," +
         kTime + "," + rest + "}";
}
std::string taken(core::Slot connection, int seq, const std::string& id) {
  return std::to_string(connection) + R"( < {"type":"taken","id":")" + id + R"(","seq":)" +
         std::to_string(seq) + "," + kTime + "}";
}
std::string refused(core::Slot connection, const std::string& id, const std::string& reason) {
  return std::to_string(connection) + R"( < {"type":"refused","id":")" + id + R"(","reason":")" +
         reason + "\"}";
}

/// A session whose page is there, by connection 1, with token T1.
struct Begun : PageTest {
  Begun() {
    hello(1);
    REQUIRE(told() == Lines{"100 begins at 1", welcome(1, "T1", false)});
  }
};

TEST_CASE("pages: a new visitor gets a session, and what is written to it", "[clients][pages]") {
  Begun test;
  CHECK(test.pages->connection_of(kSession) == 1U);
  CHECK(test.pages->session_of(1) == kSession);
  CHECK(test.write(kSession, "", "welcome") == Written::kKept);
  CHECK(test.write(kSession, "ann", "hi") == Written::kKept);
  CHECK(test.told() == Lines{message(1, 1, R"("from":"desk","text":"welcome")"),
                             message(1, 2, R"("from":"operator","text":"hi")")});
  test.settings.show_operator = true;
  test.pages->set_settings(test.settings);
  CHECK(test.write(kSession, "ann", "hi") == Written::kKept);
  CHECK(test.told() == Lines{message(1, 3, R"("from":"operator","name":"ann","text":"hi")")});
}

TEST_CASE("pages: a text is taken before it is said", "[clients][pages]") {
  Begun test;
  // The core answers at once.
  bool answered = false;
  test.meanwhile = [&] {
    if (test.told_last() != "100 says hi" || answered) return;
    answered = true;
    CHECK(test.write(kSession, "", "thanks") == Written::kKept);
  };
  test.say(1, "a", "hi");
  CHECK(test.told() ==
        Lines{taken(1, 1, "a"), "100 says hi", message(1, 2, R"("from":"desk","text":"thanks")")});
}

TEST_CASE("pages: what is said again with its id is said once", "[clients][pages]") {
  Begun test;
  test.say(1, "a", "hi");
  test.say(1, "a", "hi");
  CHECK(test.told() == Lines{taken(1, 1, "a"), "100 says hi", taken(1, 1, "a")});
  test.detach(1);
  test.hello(2, "T1", 1);
  test.told();
  test.say(2, "a", "hi");
  test.say(2, "b", "there");
  CHECK(test.told() == Lines{taken(2, 1, "a"), taken(2, 2, "b"), "100 says there"});
}

TEST_CASE("pages: a text that is not taken", "[clients][pages]") {
  Begun test;
  test.settings.max_text = 5;
  test.pages->set_settings(test.settings);
  test.say(1, "a", "12345");
  test.told();
  test.say(1, "b", "123456");
  test.say(1, "c", "\xC3\xA4\xC3\xA4\xC3\xA4");  // bytes count
  CHECK(test.told() == Lines{refused(1, "b", "too long"), refused(1, "c", "too long")});
  test.talks_much = true;
  test.say(1, "d", "12345");
  CHECK(test.told() == Lines{refused(1, "d", "too much at once")});
  test.say(1, "a", "12345");
  CHECK(test.told() == Lines{taken(1, 1, "a")});
  test.talks_much = false;
  test.say(1, "d", "12345");
  CHECK(test.told() == Lines{taken(1, 2, "d"), "100 says 12345"});
}

TEST_CASE("pages: a page comes back, and is told what it has not seen", "[clients][pages]") {
  Begun test;
  test.say(1, "a", "one");
  (void)test.write(kSession, "ann", "two");
  test.seen(1, 1);
  test.told();
  test.detach(1);
  CHECK(test.told() == Lines{"100 is away"});
  CHECK_FALSE(test.pages->connection_of(kSession));
  CHECK(test.write(kSession, "ann", "three") == Written::kKept);
  CHECK(test.pages->unseen(kSession) == 2);
  CHECK(test.told().empty());
  test.hello(2, "T1", 0);
  CHECK(test.told() == Lines{"100 is back at 2", welcome(2, "T2", true),
                             message(2, 1, R"("from":"visitor","id":"a","text":"one")"),
                             message(2, 2, R"("from":"operator","text":"two")"),
                             message(2, 3, R"("from":"operator","text":"three")")});
  test.seen(2, 3);
  CHECK(test.pages->unseen(kSession) == 0);
}

TEST_CASE("pages: a token is good until the next one has arrived", "[clients][pages]") {
  Begun test;
  test.detach(1);
  test.hello(2, "T1");  // the welcome with T2 is lost
  test.detach(2);
  test.hello(3, "T1");  // and so is that with T3
  test.detach(3);
  test.told();
  SECTION("one that was lost is good no more, since the page has come with the former") {
    test.hello(4, "T2");
    CHECK(test.told() == Lines{"101 begins at 4", welcome(4, "T4", false)});
  }
  SECTION("the newest is good, and the one before it is not when it was used") {
    test.hello(4, "T3");
    CHECK(test.told() == Lines{"100 is back at 4", welcome(4, "T4", true)});
    test.detach(4);
    test.told();
    test.hello(5, "T1");
    CHECK(test.told() == Lines{"101 begins at 5", welcome(5, "T5", false)});
    test.hello(6, "T3");
    CHECK(test.told() == Lines{"100 is back at 6", welcome(6, "T6", true)});
  }
  SECTION("whatever the page says after its welcome shows that this has arrived") {
    test.hello(4, "T1");
    const std::string frame =
        GENERATE(R"({"type":"ping"})", R"({"type":"seen","seq":0})", R"({"type":"dance"})",
                 R"({"type":"say","id":"a","text":"hi"})");
    test.take(4, frame);
    test.detach(4);
    test.told();
    test.hello(5, "T1");
    CHECK(test.told() == Lines{"101 begins at 5", welcome(5, "T5", false)});
    test.hello(6, "T4", 5);
    CHECK(test.told() == Lines{"100 is back at 6", welcome(6, "T6", true)});
  }
}

TEST_CASE("pages: tokens are 128 bits, and no two are the same", "[clients][pages]") {
  PageTest test;
  for (core::Slot slot = 0; slot < 20; ++slot) test.hello(slot);
  for (const auto& token : test.tokens) {
    CHECK(token.size() == 32);
    CHECK(token.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(std::count(test.tokens.begin(), test.tokens.end(), token) == 1);
  }
}

TEST_CASE("pages: a token that is none begins a new session, whatever was seen",
          "[clients][pages]") {
  Begun test;
  test.attach(2);
  test.take(2, R"({"type":"hello","resume":"nobody's","seen":99})");
  CHECK(test.told() == Lines{"101 begins at 2", welcome(2, "T2", false)});
  CHECK(test.write(101, "ann", "hi") == Written::kKept);
  CHECK(test.told() == Lines{message(2, 1, R"("from":"operator","text":"hi")")});
}

TEST_CASE("pages: of two pages with one token the newer one goes on", "[clients][pages]") {
  Begun test;
  test.hello(2, "T1");
  CHECK(test.told() == Lines{"1 closed 4001 the session goes on elsewhere", "100 is back at 2",
                             welcome(2, "T2", true)});
  test.say(1, "a", "I am nobody now");
  test.detach(1);
  CHECK(test.told().empty());
  CHECK(test.pages->connection_of(kSession) == 2U);
  // The older one takes it back, as the newer one has said nothing.
  test.hello(3, "T1");
  CHECK(test.told() == Lines{"2 closed 4001 the session goes on elsewhere", "100 is back at 3",
                             welcome(3, "T3", true)});
}

TEST_CASE("pages: a session waits for its page, and then ends", "[clients][pages]") {
  Begun test;
  CHECK(test.pages->deadline() == kNever);
  test.pass(10min);
  test.detach(1);
  test.told();
  CHECK(test.pages->deadline() == test.now + 10min);
  test.pass(10min - 1ms);
  CHECK(test.told().empty());
  SECTION("it comes in time") {
    test.hello(2, "T1");
    CHECK(test.told() == Lines{"100 is back at 2", welcome(2, "T2", true)});
    CHECK(test.pages->deadline() == kNever);
    test.pass(20min);
    CHECK(test.told().empty());
  }
  SECTION("it does not") {
    test.pass(1ms);
    CHECK(test.told() == Lines{"100 expired"});
    CHECK(test.pages->deadline() == kNever);
    CHECK_FALSE(test.pages->has_session(kSession));
    CHECK(test.write(kSession, "ann", "hi") == Written::kNoSession);
    test.pages->closed(kSession, "bye");
    test.hello(2, "T1");
    CHECK(test.told() == Lines{"101 begins at 2", welcome(2, "T2", false)});
  }
  SECTION("it may wait longer now") {
    test.settings.resume = 11min;
    test.pages->set_settings(test.settings);
    test.pass(1min);
    CHECK(test.told().empty());
    test.pass(1ms);
    CHECK(test.told() == Lines{"100 expired"});
  }
}

TEST_CASE("pages: who says no hello within 5 s is not let in", "[clients][pages]") {
  PageTest test;
  test.attach(1);
  CHECK(test.pages->deadline() == test.now + 5s);
  test.pass(1s);
  test.attach(2);
  test.pass(4s - 1ms);
  CHECK(test.told().empty());
  test.pass(1ms);
  CHECK(test.told() == Lines{"1 closed 1008 no hello came within 5 s"});
  test.detach(2);
  CHECK(test.pages->deadline() == kNever);
  test.hello(3);
  test.told();
  test.pass(1h);
  CHECK(test.told().empty());
}

TEST_CASE("pages: a frame that is wrong closes the connection, and the session waits",
          "[clients][pages]") {
  PageTest test;
  SECTION("before the hello") {
    const std::string frame = GENERATE(R"({"type":"ping"})", R"({"type":"dance"})",
                                       R"({"type":"say","id":"a","text":"hi"})");
    test.attach(1);
    test.take(1, frame);
    CHECK(test.told() == Lines{"1 closed 1008 the first frame is a hello"});
    CHECK_FALSE(test.pages->has_connection(1));
    CHECK(test.pages->deadline() == kNever);
  }
  SECTION("after it") {
    test.hello(1);
    test.told();
    test.take(1, R"({"type":"hello","seen":0})");
    CHECK(test.told() == Lines{"1 closed 1008 there is one hello on a connection", "100 is away"});
    test.hello(2, "T1");
    test.told();
    test.take(2, "?");
    CHECK(test.told() == Lines{"2 closed 1008 a frame is not JSON", "100 is away"});
    test.take(2, R"({"type":"ping"})");
    CHECK(test.told().empty());
  }
}

TEST_CASE("pages: a visitor who is not let in is told why", "[clients][pages]") {
  PageTest test;
  test.refusal = "This address is banned.";
  test.hello(1);
  CHECK(test.told() == Lines{"1 closed 1008 This address is banned."});
  test.refusal = std::string(121, 'x') + "\xE2\x82\xAC";
  test.hello(2);
  CHECK(test.told() == Lines{"2 closed 1008 " + std::string(121, 'x')});
}

TEST_CASE("pages: a ping is answered", "[clients][pages]") {
  Begun test;
  test.take(1, R"({"type":"ping"})");
  CHECK(test.told() == Lines{R"(1 < {"type":"pong"})"});
}

TEST_CASE("pages: the visitor ends it", "[clients][pages]") {
  Begun test;
  test.take(1, R"({"type":"bye"})");
  CHECK(test.told() == Lines{R"(1 < {"type":"bye","text":""})", "1 closed 1000 ", "100 says bye"});
  CHECK_FALSE(test.pages->has_session(kSession));
  CHECK(test.write(kSession, "", "farewell") == Written::kNoSession);
  test.pages->closed(kSession, "left");
  test.detach(1);
  CHECK(test.told().empty());
  test.hello(2, "T1");
  CHECK(test.told() == Lines{"101 begins at 2", welcome(2, "T2", false)});
}

TEST_CASE("pages: what a visitor who leaves was never told is lost", "[clients][pages]") {
  Begun test;
  test.room = 1;
  (void)test.write(kSession, "ann", "one");
  (void)test.write(kSession, "ann", "two");
  (void)test.write(kSession, "", "of the desk");
  (void)test.write(kSession, "ann", "three");
  test.told();
  test.take(1, R"({"type":"bye"})");
  CHECK(test.told_last() == "100 says bye, 2 lost");
  CHECK_FALSE(test.pages->has_session(kSession));
}

TEST_CASE("pages: the core ends it", "[clients][pages]") {
  Begun test;
  SECTION("the page is there, and told the rest before") {
    test.room = 1;
    (void)test.write(kSession, "ann", "one");
    (void)test.write(kSession, "ann", "two");
    test.told();
    test.pages->closed(kSession, "Enough.");
    CHECK(test.told() == Lines{message(1, 2, R"("from":"operator","text":"two")"),
                               R"(1 < {"type":"bye","text":"Enough."})", "1 closed 1000 "});
  }
  SECTION("the page is away") {
    test.detach(1);
    test.told();
    test.pages->closed(kSession, "Enough.");
    CHECK(test.told().empty());
    CHECK(test.pages->deadline() == kNever);
  }
  CHECK(test.pages->memory(kSession) == 0);
  test.hello(2, "T1");
  CHECK(test.told() == Lines{"101 begins at 2", welcome(2, "T2", false)});
}

TEST_CASE("pages: that operators are away is known to all, and to who comes then",
          "[clients][pages]") {
  Begun test;
  test.attach(5);  // has not said hello
  test.hello(2);
  test.told();
  test.pages->away("Back at nine.");
  test.pages->away("Back at nine.");
  CHECK(test.told() == Lines{R"(1 < {"type":"away","text":"Back at nine."})",
                             R"(2 < {"type":"away","text":"Back at nine."})"});
  test.detach(1);
  (void)test.write(kSession, "ann", "hi");
  test.told();
  test.hello(3, "T1");
  CHECK(test.told() == Lines{"100 is back at 3", welcome(3, "T3", true),
                             R"(3 < {"type":"away","text":"Back at nine."})",
                             message(3, 1, R"("from":"operator","text":"hi")")});
  test.pages->here();
  test.pages->here();
  CHECK(test.told() == Lines{R"(2 < {"type":"here"})", R"(3 < {"type":"here"})"});
  test.hello(4);
  CHECK(test.told() == Lines{"102 begins at 4", welcome(4, "T4", false)});
}

TEST_CASE("pages: somebody is writing", "[clients][pages]") {
  Begun test;
  test.pages->writing(kSession, "ann");
  CHECK(test.told() == Lines{R"(1 < {"type":"writing"})"});
  test.settings.show_operator = true;
  test.pages->set_settings(test.settings);
  test.pages->writing(kSession, "ann");
  CHECK(test.told() == Lines{R"(1 < {"type":"writing","name":"ann"})"});
  test.pages->writing(kSession + 1, "ann");
  test.detach(1);
  test.told();
  test.pages->writing(kSession, "ann");
  CHECK(test.told().empty());
}

TEST_CASE("pages: what there is no room for waits, in order", "[clients][pages]") {
  Begun test;
  test.room = 2;
  (void)test.write(kSession, "ann", "one");
  (void)test.write(kSession, "ann", "two");
  (void)test.write(kSession, "ann", "three");
  test.say(1, "a", "mine");
  test.pages->writing(kSession, "ann");
  CHECK(test.told() == Lines{message(1, 1, R"("from":"operator","text":"one")"),
                             message(1, 2, R"("from":"operator","text":"two")"), "100 says mine"});
  test.say(1, "a", "mine");
  CHECK(test.told().empty());
  test.room = 100;
  test.pages->drained(1);
  CHECK(test.told() ==
        Lines{message(1, 3, R"("from":"operator","text":"three")"), taken(1, 4, "a")});
}

TEST_CASE("pages: what waits to be seen is bounded", "[clients][pages]") {
  Begun test;
  test.settings.output_hard = 100;
  test.pages->set_settings(test.settings);
  CHECK(test.write(kSession, "ann", std::string(96, 'x')) == Written::kKept);
  CHECK(test.pages->has_room(kSession, 0));
  CHECK_FALSE(test.pages->has_room(kSession, 1));
  CHECK(test.write(kSession, "ann", "") == Written::kFull);
  test.seen(1, 1);
  CHECK(test.pages->has_room(kSession, 100));
  CHECK(test.write(kSession, "ann", "") == Written::kKept);
  CHECK_FALSE(test.pages->has_room(kSession + 1, 0));
}

TEST_CASE("pages: the daemon stops, and sessions wait", "[clients][pages]") {
  Begun test;
  test.attach(2);
  test.pages->close_all(1001, "the daemon stops", test.now);
  CHECK(test.told() ==
        Lines{"1 closed 1001 the daemon stops", "100 is away", "2 closed 1001 the daemon stops"});
  test.hello(3, "T1");
  CHECK(test.told() == Lines{"100 is back at 3", welcome(3, "T2", true)});
}

TEST_CASE("pages: memory counts what was said", "[clients][pages]") {
  Begun test;
  const auto before = test.pages->memory(kSession);
  CHECK(before > 0);
  (void)test.write(kSession, "ann", std::string(1000, 'x'));
  test.say(1, "a", std::string(1000, 'y'));
  CHECK(test.pages->memory(kSession) >= before + 2000);
}

TEST_CASE("pages: a connection that breaks in the middle of anything", "[clients][pages]") {
  // Whatever the host is told, at the nth time the connection or the session is gone.
  const auto n = GENERATE(range(1, 16));
  const bool ends = GENERATE(false, true);
  PageTest test;
  int calls = 0;
  test.meanwhile = [&] {
    if (++calls != n) return;
    if (ends) {
      test.pages->closed(kSession, "over");
    } else {
      for (core::Slot slot = 1; slot < 5; ++slot) test.detach(slot);
    }
  };
  test.pages->away("later");
  test.hello(1);
  (void)test.write(kSession, "ann", "one");
  test.say(1, "a", "mine");
  test.detach(1);
  (void)test.write(kSession, "ann", "two");
  if (!test.tokens.empty()) test.hello(2, "T1");
  CHECK(test.hand_over());
  if (!test.tokens.empty()) test.hello(3, "T1");  // 2 is still there, unless it broke
  (void)test.write(kSession, "ann", "three");
  test.pages->here();
  test.take(3, R"({"type":"bye"})");
  test.pages->closed(kSession, "");
  for (core::Slot slot = 1; slot < 5; ++slot) test.detach(slot);
  test.pass(1h);
  CHECK(test.pages->deadline() == kNever);
  CHECK(test.pages->sessions().empty());
  for (const auto& line : test.told()) CHECK_FALSE(line.starts_with("nobody"));
}

TEST_CASE("pages: one that breaks while all are told something is told nothing",
          "[clients][pages]") {
  Begun test;
  test.hello(2);
  test.told();
  test.meanwhile = [&] { test.detach(2); };
  test.pages->away("later");
  test.meanwhile = {};
  CHECK(test.told() == Lines{R"(1 < {"type":"away","text":"later"})", "101 is away"});
}

}  // namespace
}  // namespace chatd::test
