// The dialect `websocket`: frames in on the left, what comes of them on the right. What is a right
// frame and what is none is decided in tests/http/websocket.cpp.
#include <string>
#include <string_view>
#include <utility>

#include "http/client_frames.hpp"
#include "http/frame.hpp"
#include "support/catch.hpp"
#include "support/chat.hpp"
#include "support/handed_over.hpp"
#include "support/sessions.hpp"

using chatd::Duration;
using chatd::Time;
using chatd::core::kPingAfter;
using chatd::core::Outbox;
using chatd::core::Router;
using chatd::core::Session;
using chatd::test::Chat;
using chatd::test::client_frame;
using chatd::test::kBinary;
using chatd::test::kClose;
using chatd::test::kContinuation;
using chatd::test::kFin;
using chatd::test::kLine;
using chatd::test::kPing;
using chatd::test::kPong;
using chatd::test::kText;
using chatd::test::kWeb;
using chatd::test::kWebSocket;
using chatd::test::Settings;
using chatd::test::x;
using namespace std::string_literals;

namespace {

constexpr auto kSilenceOfServer = kPingAfter.count();

/// As the client sends it.
std::string said(std::string_view text) {
  return client_frame(kFin | kText, text);
}

/// As the server sends it.
std::string told(std::string_view text) {
  std::string frame;
  chatd::http::append_text(frame, text);
  return frame;
}

std::string closed(std::uint16_t code, std::string_view words = {}) {
  std::string frame;
  chatd::http::append_close(frame, code, words);
  return frame;
}

std::string code(std::uint16_t number) {
  return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
}

const std::string kPinged = "\x89\x00"s;

std::string pong(std::string_view bytes) {
  std::string frame;
  chatd::http::append_pong(frame, bytes);
  return frame;
}

Settings with_greeting() {
  Settings settings;
  settings.greeting = "Welcome";
  return settings;
}

}  // namespace

// ---- what is said ----

TEST_CASE("websocket: a text is a message, and an answer is a text", "[core][websocket]") {
  Chat chat;
  CHECK(chat.connect(kWebSocket) == "connected");
  CHECK(to_string(chat.session().dialect()) == "websocket");
  CHECK(chat.in(said("hello")) == "said 'hello'");
  CHECK(chat.in(said("two\nlines") + said("") + said("\xEF\xBB\xBFmark\r\n")) ==
        "said 'two\nlines'; said ''; said '\xEF\xBB\xBFmark\r\n'");
  CHECK(chat.send("hi\nyou") == "sent; out '" + told("hi\nyou") + "'");
  CHECK(chat.send("") == "sent; out '" + told("") + "'");
  CHECK(chat.send(x(70'000)) == "sent; out '" + told(x(70'000)) + "'");
}

TEST_CASE("websocket: however it is cut, the messages are the same", "[core][websocket]") {
  const auto bytes = said("one") + client_frame(kText, "t\xC3") + client_frame(kPing, "there?") +
                     client_frame(kContinuation, "") + client_frame(kFin | kContinuation, "\xB6o") +
                     said("three");
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    INFO("in pieces of " << size << " bytes");
    Chat chat;
    chat.connect(kWebSocket);
    std::string all;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      all += chat.in(bytes.substr(at, size)) + "; ";
      chat.hand_over();
    }
    CHECK(chat.counters().messages_in == 3);
    CHECK(all.find("said 't\xC3\xB6o'") != std::string::npos);
    CHECK(all.find("out '" + pong("there?") + "'") != std::string::npos);
  }
}

TEST_CASE("websocket: it is there from its connect on", "[core][websocket]") {
  Chat chat{with_greeting()};
  CHECK(chat.connect(kWebSocket) == "connected; out '" + told("Welcome") + "'");
  CHECK(chat.send("hello?") == "sent; out '" + told("hello?") + "'");
  CHECK(chat.send_all("all") == "sent for 1; out '" + told("all") + "'");
  CHECK(chat.session().held() == 0);
  CHECK_FALSE(chat.session().has_spoken());
  CHECK(chat.in(client_frame(kPong, "")) == "nothing");
  CHECK_FALSE(chat.session().has_spoken());
  CHECK(chat.in(said("a")) == "said 'a'");
  CHECK(chat.session().has_spoken());
  CHECK(chat.wait(20'000) == "nothing");
}

TEST_CASE("websocket: one encoding is shared by all", "[core][websocket]") {
  Router router{Settings{}};
  Outbox outbox;
  const Time now{Duration{1'000'000}};
  router.connect(0, kWebSocket, now, outbox);
  router.connect(1, kWebSocket, now, outbox);
  (void)router.send({true, {}}, "hi", "ann", now, outbox);
  REQUIRE(outbox.writes().size() == 2);
  CHECK(outbox.writes()[0].bytes.view().data() == outbox.writes()[1].bytes.view().data());
}

TEST_CASE("websocket: all that is away is said once", "[core][websocket]") {
  Chat chat;
  chat.away("back at nine");
  chat.connect(kWebSocket);
  CHECK(chat.in(said("anyone?")) == "said 'anyone?'");
  CHECK(chat.wait(100) == "automatic; out '" + told("back at nine") + "'");
  CHECK(chat.says(said("hm")) == "said 'hm'");
}

TEST_CASE("websocket: it takes part in a room", "[core][websocket]") {
  Chat chat;
  chat.connect(kWebSocket, "lab");
  chat.connect(kLine, "lab");
  chat.connect(kWeb, "lab");
  CHECK(chat.in(said("hi\n<guest-2> me")) ==
        "said 'hi\n<guest-2> me'; "
        "3 out '\0* guest-1 has come\n<guest-1> hi\n<guest-1> <guest-2> me'"s);
  CHECK(chat.in(said("/name Zoe")) == "names itself 'Zoe'; out '" + told("* you are Zoe now") +
                                          "'; 3 out '\0* guest-1 is Zoe now'"s);
  CHECK(chat.in("yes\n", 2) == "2 said 'yes'; out '" + told("* guest-2 has come\n<guest-2> yes") +
                                   "'; 3 out '\0* guest-2 has come\n<guest-2> yes'"s);
  CHECK(chat.say("me, too", 3) == "3 said 'me, too'; out '" +
                                      told("* guest-3 has come\n<guest-3> me, too") +
                                      "'; 2 out '* guest-3 has come\n<guest-3> me, too\n'");
  CHECK(chat.in(client_frame(kClose, "")) ==
        "gone 'left'; out '" + closed(chatd::http::kNoCode) +
            "'; 2 out '* Zoe has left\n'; 3 out '\0* Zoe has left'; closed"s);
}

// ---- the rate ----

TEST_CASE("websocket: past its rate it is read later, and loses nothing", "[core][websocket]") {
  Settings settings;
  settings.messages_per_second = 1;
  settings.messages_burst = 1;
  Chat chat{settings};
  chat.connect(kWebSocket);
  CHECK(chat.in(client_frame(kPing, "p") + said("one") + said("two") + client_frame(kPing, "q")) ==
        "said 'one'; out '" + pong("p") + "'; paused");
  if (GENERATE(false, true)) chat.hand_over();
  CHECK(chat.wait(1001) == "said 'two'; resumed; paused");
  CHECK(chat.wait(1001) == "out '" + pong("q") + "'; resumed");
}

TEST_CASE(
    "websocket: of a short record too much that was said too fast is left out, and the next "
    "frame is found",
    "[core][websocket]") {
  Settings settings;
  settings.messages_burst = 1;
  Router router{settings};
  Outbox outbox;
  const Time now{Duration{1'000'000}};
  router.connect(0, kWebSocket, now, outbox);
  const auto last = said("the last one");
  const auto bytes = said("one") + said(x(60)) + said(x(60)) + last.substr(0, last.size() - 4);
  router.receive(0, bytes, now, outbox);
  REQUIRE(router.at(0).waits_to_be_read());
  chatd::ByteWriter out;
  router.at(0).save(out, now, chatd::test::OwnNumbers{}, 100);
  CHECK(out.bytes().size() < 400);
  chatd::ByteReader in{out.bytes()};
  auto session = Session::restore(in, now);
  REQUIRE(session);
  REQUIRE(in.finished());
  Router next{settings, 1};
  REQUIRE(next.adopt(0, std::move(session)));
  outbox.clear();
  next.receive(0, last.substr(last.size() - 4) + said("next"), now, outbox);
  next.tick(now + Duration{60'000}, outbox);
  next.tick(now + Duration{120'000}, outbox);
  std::string all;
  for (const auto& event : outbox.events()) all += std::string{outbox.text(event.text)} + '|';
  CHECK(all == "the last one|next|");
}

TEST_CASE("websocket: of a short record a message that has begun is heard as one that was cut",
          "[core][websocket]") {
  Router router{Settings{}};
  Outbox outbox;
  const Time now{Duration{1'000'000}};
  router.connect(0, kWebSocket, now, outbox);
  router.receive(0, client_frame(kText, "1234567\xC3\xA4 and more"), now, outbox);
  chatd::ByteWriter out;
  router.at(0).save(out, now, chatd::test::OwnNumbers{}, 8);
  chatd::ByteReader in{out.bytes()};
  auto session = Session::restore(in, now);
  REQUIRE(session);
  Router next{Settings{}, 1};
  REQUIRE(next.adopt(0, std::move(session)));
  outbox.clear();
  next.receive(0, client_frame(kFin | kContinuation, "!"), now, outbox);
  REQUIRE(outbox.events().size() == 1);
  CHECK(outbox.text(outbox.events()[0].text) == "1234567");
  CHECK(outbox.events()[0].cut);
}

// ---- pings ----

TEST_CASE("websocket: of the pings of a read the last is answered", "[core][websocket]") {
  Chat chat;
  chat.connect(kWebSocket);
  CHECK(chat.in(client_frame(kPing, "a")) == "out '" + pong("a") + "'");
  CHECK(chat.in(client_frame(kPing, "")) == "out '" + pong("") + "'");
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += client_frame(kPing, std::to_string(i)) + said("x");
  Settings settings;
  settings.messages_per_second = 0;
  chat.set(settings);
  const auto all = chat.in(flood);
  CHECK(all.substr(all.find("out")) == "out '" + pong("999") + "'");
}

TEST_CASE("websocket: a ping behind its end is not answered", "[core][websocket]") {
  Chat chat;
  chat.connect(kWebSocket);
  chat.connect(kWebSocket);
  CHECK(chat.in(client_frame(kPing, "a") + said("bye") + client_frame(kPing, "b")) ==
        "gone 'bye'; out '" + closed(1000) + "'; closed");
  CHECK(chat.in(said("hi"), 2) == "2 said 'hi'");  // nor is another one for it
}

TEST_CASE("websocket: it is pinged when it has been told nothing for a while",
          "[core][websocket]") {
  Chat chat;
  chat.connect(kWebSocket);
  CHECK(chat.wait(kSilenceOfServer - 1) == "nothing");
  if (GENERATE(false, true)) chat.hand_over();
  CHECK(chat.wait(1) == "out '" + kPinged + "'");
  CHECK(chat.in(client_frame(kPong, "")) == "nothing");
  CHECK(chat.wait(kSilenceOfServer - 1) == "nothing");
  CHECK(chat.send("hi") == "sent; out '" + told("hi") + "'");
  CHECK(chat.in(said("you")) == "said 'you'");
  CHECK(chat.wait(kSilenceOfServer - 1) == "nothing");
  CHECK(chat.wait(1 + 2 * kSilenceOfServer) ==
        "out '" + kPinged + "'; out '" + kPinged + "'; out '" + kPinged + "'");
}

TEST_CASE("websocket: pings do not keep an idle one from its end", "[core][websocket]") {
  Settings settings;
  settings.idle_timeout = Duration{50'000};
  Chat chat{settings};
  chat.connect(kWebSocket);
  CHECK(chat.in(said("hi")) == "said 'hi'");
  CHECK(chat.wait(kSilenceOfServer) == "out '" + kPinged + "'");
  CHECK(chat.in(client_frame(kPong, "") + client_frame(kPing, "")) == "out '" + pong("") + "'");
  CHECK(chat.wait(19'999) == "nothing");
  CHECK(chat.wait(1) == "gone 'idle'; out '" + closed(1000, "idle") + "'; closed");
}

// ---- its end ----

TEST_CASE("websocket: its close is answered by the same code, and is its end",
          "[core][websocket]") {
  struct Row {
    std::string payload;
    std::uint16_t answer;
  };
  const auto row = GENERATE(values<Row>({{"", chatd::http::kNoCode},
                                         {code(1000), 1000},
                                         {code(1001) + "going away", 1001},
                                         {code(4321), 4321}}));
  Chat chat;
  chat.connect(kWebSocket);
  CHECK(chat.in(said("question")) == "said 'question'");
  CHECK(chat.in(client_frame(kPing, "") + client_frame(kClose, row.payload) + said("more")) ==
        "gone 'left'; out '" + closed(row.answer) + "'; closed");
}

TEST_CASE("websocket: what is wrong ends it, with a code and with words", "[core][websocket]") {
  struct Row {
    std::string bytes;
    std::uint16_t code;
    std::string_view why;
  };
  const auto row = GENERATE(values<Row>({
      {said(x(9)), 1009, "it has sent a message that is too long"},
      {client_frame(kText, x(8)) + client_frame(kContinuation, "x"), 1009,
       "it has sent a message that is too long"},
      {client_frame(kFin | kBinary, "x"), 1003, "it has sent a binary message"},
      {said("\xFF"), 1007, "it has sent text that is not UTF-8"},
      {"GET ", 1002, "it has sent a frame with a reserved bit"},
      {"\x81\x01x", 1002, "it has sent a frame without a mask"},
  }));
  Settings settings;
  settings.max_message = 8;
  Chat chat{settings};
  chat.connect(kWebSocket);
  CHECK(chat.in(said(x(8))) == "said 'xxxxxxxx'");
  CHECK(chat.in(said("first") + row.bytes + said("later")) ==
        "said 'first'; gone '" + std::string{row.why} + "'; out '" + closed(row.code, row.why) +
            "'; closed");
}

TEST_CASE("websocket: every end but a reset has its close", "[core][websocket]") {
  Chat chat;
  chat.connect(kWebSocket);
  chat.in(said("question"));
  SECTION("a bye of its own") {
    CHECK(chat.in(said(" Bye\n")) == "gone 'bye'; out '" + closed(1000) + "'; closed");
  }
  SECTION("a bye of an operator, once all is told") {
    CHECK(chat.send("answer") == "sent; out '" + told("answer") + "'");
    chat.reads_slowly();
    CHECK(chat.bye() == "out '" + closed(1000) + "'; closed");
    CHECK(chat.session().state() == Session::State::kClosing);
    CHECK(chat.bye() == "nothing");
    CHECK(chat.wait(100'000) == "nothing");
    CHECK(chat.arrived() == "gone 'bye from ann'");
  }
  SECTION("a kick") {
    CHECK(chat.kick(1, "noise") == "gone 'kicked by ann: noise'; closed at once with '" +
                                       closed(1008, "kicked: noise") + "'");
  }
  SECTION("a kick for no reason, but not behind another end") {
    chat.connect(kWebSocket);
    CHECK(chat.kick(2) ==
          "2 gone 'kicked by ann'; 2 closed at once with '" + closed(1008, "kicked") + "'");
    chat.reads_slowly();
    CHECK(chat.bye() == "out '" + closed(1000) + "'; closed");
    CHECK(chat.kick() == "gone 'kicked by ann'; closed at once");
  }
  SECTION("the end of the daemon") {
    Settings settings;
    settings.farewell = "Good night";
    if (GENERATE(false, true)) chat.set(settings);
    const auto farewell = chat.router().settings().farewell;
    CHECK(chat.stop() == "gone 'the daemon stops'; out '" +
                             (farewell.empty() ? "" : told(farewell)) +
                             closed(1001, "the daemon stops") + "'; closed");
  }
  SECTION("an end of file, also within a message, and with an open question") {
    if (GENERATE(false, true)) chat.in(client_frame(kText, "half"));
    CHECK(chat.eof() == "gone 'left'; out '" + closed(1000) + "'; closed");
  }
  SECTION("a reset, which has nobody to tell") {
    if (GENERATE(false, true)) chat.in(client_frame(kText, "half"));
    CHECK(chat.reset() == "gone 'connection reset'");
  }
}

// ---- what it takes ----

TEST_CASE("websocket: what it has begun to say counts as memory", "[core][websocket]") {
  Chat chat;
  chat.connect(kWebSocket);
  const auto before = chat.session().kept_bytes();
  CHECK(before <= 128);  // an idle one has 800 bytes of the process in all
  chat.in(client_frame(kText, x(4000)));
  CHECK(chat.session().kept_bytes() >= before + 4000);
  chat.in(client_frame(kFin | kContinuation, ""));
  CHECK(chat.session().kept_bytes() <= before + 200);  // and the last words of the talk
}
