/// Claims: who may answer, who is told, and when it is over.
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/chat.hpp"

using chatd::core::Refusal;
using chatd::core::SessionId;
using chatd::test::Chat;

namespace {

/// `count` clients that have spoken, so that they can be written to.
void connect(Chat& chat, SessionId count) {
  for (SessionId id = 1; id <= count; ++id) {
    chat.connect();
    chat.in("hi\n", id);
  }
}

TEST_CASE("claims: the holder alone answers", "[core][claims]") {
  Chat chat;
  connect(chat, 1);
  CHECK(chat.claim() == "claimed");
  CHECK(chat.send("mine") == "sent; out 'mine\n'");
  chat.as("bob");
  CHECK(chat.send("mine, too") == "refused: claimed by ann");
  CHECK(chat.receipt().refused.front().why == Refusal::kClaimed);
  CHECK(chat.bye() == "claimed");
  CHECK(chat.kick() == "claimed");
  CHECK(chat.claim() == "claimed");
  CHECK(chat.release() == "claimed");
  // A name is for everybody, and nothing that the client hears of.
  CHECK(chat.name("customer") == "named 'customer'");
  chat.as("ann");
  CHECK(chat.bye() == "gone 'bye from ann'; closed");
}

TEST_CASE("claims: of several the claimed are refused, what is for everyone reaches everyone",
          "[core][claims]") {
  Chat chat;
  connect(chat, 3);
  chat.claim(2);
  chat.as("bob");
  CHECK(chat.send("some", std::vector<SessionId>{1, 2, 3, 9}) ==
        "sent for 1 3; out 'some\n'; 3 out 'some\n'; 2 refused: claimed by ann; "
        "9 refused: no such session");
  CHECK(chat.send_all("all") == "sent for 1 2 3; out 'all\n'; 2 out 'all\n'; 3 out 'all\n'");
}

TEST_CASE("claims: force takes it, and says from whom", "[core][claims]") {
  Chat chat;
  connect(chat, 1);
  chat.claim();
  chat.as("bob");
  CHECK(chat.claim(1, true) == "claimed from ann");
  CHECK(chat.send("now mine") == "sent; out 'now mine\n'");
  chat.as("ann");
  CHECK(chat.send("was mine") == "refused: claimed by bob");
}

TEST_CASE("claims: its holder may claim it again, without a word", "[core][claims]") {
  Chat chat;
  connect(chat, 1);
  CHECK(chat.claim() == "claimed");
  CHECK(chat.claim() == "nothing");
  CHECK(chat.claim(1, true) == "nothing");
  CHECK(chat.release() == "released");
  CHECK(chat.release() == "nothing");
  CHECK(chat.claim(2) == "no such session");
  CHECK(chat.release(2) == "no such session");
}

TEST_CASE("claims: those that do not stay go with their holder", "[core][claims]") {
  Chat chat;
  connect(chat, 4);
  chat.claim(1);
  chat.claim(2, false, true);
  chat.claim(4);
  chat.as("bob");
  chat.claim(3);
  CHECK(chat.leave() == "3 released");
  CHECK(chat.leave() == "nothing");
  chat.as("ann");
  CHECK(chat.leave() == "released; 4 released");
  CHECK(chat.session(1).claim() == nullptr);
  REQUIRE(chat.session(2).claim() != nullptr);
  CHECK(chat.session(2).claim()->holder == "ann");
  // The last word counts.
  chat.claim(2, false, false);
  CHECK(chat.leave() == "2 released");
}

TEST_CASE("claims: a session that ends takes its claim along", "[core][claims]") {
  Chat chat;
  connect(chat, 2);
  chat.claim(1);
  chat.claim(2);
  CHECK(chat.in("bye\n") == "gone 'bye'; closed");
  CHECK(chat.leave() == "2 released");
}

TEST_CASE("claims: they go on in the next process", "[core][claims]") {
  Chat chat;
  connect(chat, 2);
  chat.claim(1);
  chat.claim(2, false, true);
  chat.hand_over();
  chat.as("bob");
  CHECK(chat.send("mine?") == "refused: claimed by ann");
  chat.as("ann");
  CHECK(chat.leave() == "released");
  CHECK(chat.session(2).claim()->stays);
}

TEST_CASE("claims: the event of one that was given says who gave it", "[core][claims]") {
  Chat chat;
  connect(chat, 1);
  chat.as("bob");
  CHECK(chat.claim(1, false, false, "ann") == "claimed, given by ann");
  chat.as("eve");
  CHECK(chat.claim(1, true, false, "bob") == "claimed from bob, given by bob");
  CHECK(chat.session(1).claim()->holder == "eve");
}

}  // namespace
