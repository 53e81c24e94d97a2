// What a process leaves to the next: sessions of every kind in every state go on as if
// nothing had happened; wrong bytes are refused or become a valid session.
#include <cstdint>
#include <string>
#include <vector>

#include "base/most_number.hpp"
#include "http/client_frames.hpp"
#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/handed_over.hpp"
#include "support/left_before.hpp"

using chatd::Duration;
using chatd::Time;
using chatd::core::DialectSetting;
using chatd::core::Router;
using chatd::core::SessionId;
using chatd::core::Settings;
using chatd::test::Chat;
using chatd::test::client_frame;
using chatd::test::kContinuation;
using chatd::test::kFin;
using chatd::test::kText;
using chatd::test::read_back;
using chatd::test::written_down;

namespace {

/// An original client that has spoken, and is listening.
void connect_original(Chat& chat) {
  chat.connect();
  chat.in("hi");
  chat.wait(50);
}

/// A session of every kind, in every state that has to be written down.
void fill(Chat& chat) {
  const std::string euro = "\xe2\x82";
  chat.connect();  // 1: has said nothing
  chat.send("held for 1", 1);
  chat.connect();  // 2: the beginning of a line, and a name
  chat.in("one\ntwo", 2);
  chat.name("zw\xc3\xb6lf", 2);
  chat.connect();  // 3: telnet, in the middle of a command
  chat.in("hi\r\n\xff\xfd", 3);
  chat.connect();  // 4: original, with something held and a bye behind it
  chat.in("hi", 4);
  chat.wait(50);
  chat.send(std::string(1000, 'x'), 4);
  chat.send(std::string(1000, 'y'), 4);
  chat.bye(4);
  chat.connect();  // 5: waits for an answer
  chat.in("question\n", 5);
  chat.eof(5);
  chat.connect();  // 6: past its rate
  for (int i = 0; i < 300; ++i) chat.in("more\n", 6);
  chat.connect();  // 7: within a character
  chat.in("hi" + euro, 7);
  chat.claim(7, false, true);
  chat.note("keeps a secret", 7);
  chat.connect(DialectSetting::kWebSocket);  // 8: within a message, and within a frame
  chat.in(
      client_frame(kText, "hi" + euro) + client_frame(kFin | kContinuation, "\xac").substr(0, 5),
      8);
  chat.connect(DialectSetting::kWeb);  // 9
  chat.say("a text", 9);
}

}  // namespace

TEST_CASE("saved: a message that has begun goes on in the next process", "[core][saved]") {
  Chat chat;
  chat.connect();
  chat.in("one\ntw");
  chat.hand_over();
  CHECK(chat.in("o\n") == "said 'two'");

  chat.connect();
  CHECK(chat.in("\xff\xfd", 2) == "nothing");
  chat.hand_over();
  CHECK(chat.in("\x01hello\r", 2) == "2 said 'hello'; 2 out '\xff\xfc\x01'");
  chat.hand_over();
  CHECK(chat.in("\nyou\n", 2) == "2 said 'you'");
  CHECK(chat.in("\xff", 2) == "nothing");
  chat.hand_over();
  CHECK(chat.in("\xfa x", 2) == "nothing");
  chat.hand_over();
  CHECK(chat.in(" \xff\xf0 z\n", 2) == "2 said ' z'");

  chat.connect();
  CHECK(chat.in("\xef\xbb", 3) == "nothing");
  chat.hand_over();
  CHECK(chat.in("\xbfone\r", 3) == "nothing");
  chat.hand_over();
  CHECK(chat.wait(50) == "3 said 'one'");
  chat.hand_over();
  CHECK(chat.in("\ntwo\n", 3) == "3 said 'two'");
}

TEST_CASE("saved: the quiet that is waited for ends when it would have ended", "[core][saved]") {
  Chat chat;
  chat.connect();
  chat.in("hello");
  chat.wait(30);
  chat.hand_over();
  CHECK(chat.wait(19) == "nothing");
  CHECK(chat.wait(1) == "said 'hello'");
  CHECK(chat.session().dialect() == chatd::core::Dialect::kOriginal);
}

TEST_CASE("saved: the turn of an original client is not forgotten", "[core][saved]") {
  Chat chat;
  connect_original(chat);
  chat.hand_over();
  CHECK(chat.send("answer") == "sent; out 'answer'");
  chat.hand_over();
  CHECK(chat.send("more") == "held");
  chat.hand_over();
  CHECK(chat.session().held() == 1);
  CHECK(chat.in("next") == "said 'next'; delivered #4; out 'more'");
}

TEST_CASE("saved: the rest of a long answer goes out after its beginning", "[core][saved]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.send(std::string(1024, 'x') + "rest") == "held; out '" + std::string(1024, 'x') + "'");
  chat.hand_over();
  CHECK(chat.in("next") == "said 'next'; delivered #3; out 'rest'");
}

TEST_CASE("saved: a bye that was said waits on for its answer", "[core][saved]") {
  Chat chat;
  connect_original(chat);
  CHECK(chat.bye() == "out 'bye'");
  chat.wait(29'000);
  chat.hand_over();
  CHECK(chat.wait(999) == "nothing");
  CHECK(chat.wait(1) == "gone 'bye from ann'; closed");
}

TEST_CASE("saved: whoever waits for one answer gets it and its end", "[core][saved]") {
  Chat chat;
  chat.connect();
  chat.in("question\n");
  chat.eof();
  chat.hand_over();
  CHECK(chat.send("answer") == "sent; gone 'answered'; out 'answer\n'; closed");
}

TEST_CASE("saved: a client past its rate stays so, and loses nothing", "[core][saved]") {
  Settings settings;
  settings.messages_per_second = 1;
  settings.messages_burst = 1;
  Chat chat{settings};
  chat.connect();
  CHECK(chat.in("one\ntwo\n") == "said 'one'; paused");
  chat.hand_over();
  CHECK(chat.session().waits_to_be_read());
  CHECK(chat.wait(1001) == "said 'two'; resumed");
}

TEST_CASE("saved: names, counters and ids go on", "[core][saved]") {
  Chat chat;
  fill(chat);
  const auto before = chat.counters();
  chat.hand_over();
  CHECK(chat.session(2).name() == "zw\xc3\xb6lf");
  CHECK(chat.counters().messages_in == before.messages_in);
  CHECK(chat.counters().held == before.held);
  CHECK(chat.connect() == "10 connected");
}

TEST_CASE("saved: the next router is of the same lineage", "[core][saved]") {
  const Time now{Duration{5'000'000}};
  Router first{Settings{}};
  first.set_lineage(7);
  Router next{Settings{}};
  next.set_lineage(8);
  REQUIRE(read_back(written_down(first, now), next, now));
  CHECK(next.lineage() == 7);
}

TEST_CASE("saved: times are of the clock that reads them", "[core][saved]") {
  Chat chat;
  fill(chat);
  const Time now{Duration{5'000'000}};
  const auto bytes = written_down(chat.router(), now);
  Router other{Settings{}};
  const Time elsewhere{Duration{17}};
  REQUIRE(read_back(bytes, other, elsewhere));
  CHECK(elsewhere - other.find(1)->connected_at() == now - chat.session(1).connected_at());
  CHECK(other.deadline() - elsewhere == chat.router().deadline() - now);
  CHECK(written_down(other, elsewhere) == bytes);
}

TEST_CASE("saved: a number of a session that nobody can have reached is refused", "[core][saved]") {
  for (const auto last : {chatd::kMostNumber, chatd::kMostNumber + 1, ~std::uint64_t{0}}) {
    INFO("the last one is " << last);
    const Router router{Settings{}, last};
    Router other{Settings{}};
    CHECK(read_back(written_down(router, Time{}), other, Time{}) == (last <= chatd::kMostNumber));
  }
}

TEST_CASE("saved: what chatd 0.1.0 wrote down is read", "[core][saved]") {
  using Numbers = std::vector<chatd::core::MessageNumber>;
  const auto before = chatd::test::bytes_of(chatd::test::kLeftBefore);
  const Time now = chatd::test::kLeftAt;
  Router router{Settings{}};
  REQUIRE(read_back(before, router, now, 6));
  CHECK(router.find(41)->held_messages() == Numbers{104, 106, 107});
  CHECK(router.find(42)->held_messages() == Numbers{106, 108});
  const auto after = written_down(router, now);
  Router again{Settings{}};
  REQUIRE(read_back(after, again, now));
  CHECK(written_down(again, now) == after);

  // What is held from now on has numbers above those.
  chatd::core::Outbox outbox;
  (void)router.send({false, {41}}, "three", "ann", now, outbox);
  CHECK(router.find(41)->held_messages() == Numbers{104, 106, 107, 108});
  router.receive(0, "a line\n", now, outbox);
  Numbers delivered;
  for (const auto& event : outbox.events()) {
    if (event.kind == chatd::EventKind::kDelivered) delivered.push_back(event.message);
  }
  CHECK(delivered == Numbers{104, 106, 107, 108});
}

TEST_CASE("saved: a dialect that an earlier version did not have is refused of it",
          "[core][saved]") {
  const Time now{Duration{2'000'000}};
  for (const auto setting :
       {DialectSetting::kRaw, DialectSetting::kWebSocket, DialectSetting::kWeb}) {
    Chat chat;
    chat.connect(setting);
    const auto bytes = written_down(chat.router(), now);
    Router router{Settings{}};
    CHECK(read_back(bytes, router, now, 9) == (setting == DialectSetting::kRaw));
  }
}

TEST_CASE("saved: a number that was given twice is not one message's twice", "[core][saved]") {
  // After a crash the events of its last moment have numbers that are given again.
  Chat chat;
  chat.connect();
  chat.send("one");
  chat.send("two");
  struct Same : chatd::core::KnownNumbers {
    [[nodiscard]] std::uint64_t number_of(SessionId /*session*/,
                                          chatd::core::MessageNumber /*number*/) const override {
      return 7;
    }
  };
  Router router{Settings{}};
  const Time now{Duration{2'000'000}};
  REQUIRE(read_back(written_down(chat.router(), now, Same{}), router, now));
  CHECK(router.find(1)->held_messages() == std::vector<chatd::core::MessageNumber>{7, 8});
}

TEST_CASE("saved: every part of it is needed", "[core][saved]") {
  Chat chat;
  fill(chat);
  const auto bytes = written_down(chat.router(), Time{Duration{2'000'000}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Router other{Settings{}};
    if (read_back(bytes.substr(0, size), other, Time{})) FAIL("the first " << size << " bytes");
  }
  Router other{Settings{}};
  CHECK_FALSE(read_back(bytes + '\0', other, Time{}));
}

TEST_CASE("saved: a byte that is not the right one leads to a refusal or to a session",
          "[core][saved]") {
  Chat chat;
  fill(chat);
  const auto good = written_down(chat.router(), Time{Duration{2'000'000}});
  std::size_t refused = 0;
  chatd::core::Outbox outbox;
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      auto bytes = good;
      bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ flip);
      Router router{Settings{}};
      Time now{Duration{3'000'000}};
      if (!read_back(bytes, router, now)) {
        ++refused;
        continue;
      }
      // Whatever it is now, it is a valid session.
      router.tick(now += Duration{1}, outbox);
      (void)router.send({true, {}}, "to all", "ann", now, outbox);
      for (chatd::core::Slot slot = 0; slot < 10; ++slot) {
        if (router.has(slot) && !router.at(slot).ended()) {
          router.receive(slot, "a line\nbye\n", now, outbox);
        }
      }
      router.tick(now += Duration{100'000'000}, outbox);
      router.stop(now, outbox);
      for (const auto* session : router.sessions()) {
        router.closed(session->slot(), 0, now, outbox);
      }
      REQUIRE(router.size() == 0);
      outbox.clear();
    }
  }
  CHECK(refused > good.size() / 4);
}
