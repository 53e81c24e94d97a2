// Another process takes the pages over, at any time, and nobody notices.
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "clients/page_host.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

using namespace std::chrono_literals;
using Lines = PageTest::Lines;

/// Something of everything, with a hand-over after each step for which `hands_over` says so; with
/// dates and times that are the same in either case.
template <class Decide>
Lines conversation(Decide hands_over) {
  PageTest test;
  int number = 0;
  const auto step = [&] {
    if (!hands_over(number++)) {
      test.now += Duration{1'000'000};
    } else {
      REQUIRE(test.hand_over());
      test.pages->tick(test.now);
    }
  };
  const auto write = [&](core::Slot session, const std::string& text) {
    CHECK(test.write(session, "ann", text) == Pages::Written::kKept);
  };
  test.settings.resume = 24h;  // steps are long
  test.pages->set_settings(test.settings);
  test.hello(1);
  step();
  write(100, "one");
  step();
  test.say(1, "a", "mine");
  step();
  test.pages->away("later");
  step();
  test.hello(2, "T1", 1);
  step();
  test.seen(2, 1);
  test.say(2, "a", "mine");
  step();
  test.detach(2);
  step();
  write(100, "two");
  step();
  test.hello(3, "T2", 1);  // its welcome is lost
  step();
  test.detach(3);
  step();
  test.hello(4, "T2", 1);
  step();
  test.hello(5);
  write(101, "for the other");
  step();
  test.pages->here();
  test.seen(4, 3);
  step();
  test.room = 1;
  write(100, "told");
  test.detach(4);
  write(100, "not told");
  step();
  test.room = 100;
  test.hello(6, "T4", 4);
  step();
  test.take(6, R"({"type":"bye"})");
  test.detach(5);
  step();
  test.now += 24h;
  test.pages->tick(test.now);
  test.now -= 24h;
  step();
  CHECK(test.pages->sessions().empty());
  CHECK(test.pages->deadline() == kNever);
  return test.told();
}

TEST_CASE("pages: another process goes on after any step", "[clients][pages]") {
  const auto never = conversation([](int) { return false; });
  CHECK(never.size() > 30);
  CHECK(conversation([](int) { return true; }) == never);
  for (int step = 0; step < 17; ++step) {
    CAPTURE(step);
    CHECK(conversation([step](int now) { return now == step; }) == never);
  }
}

TEST_CASE("pages: what there was no room for is told by the next process", "[clients][pages]") {
  PageTest test;
  test.hello(1);
  test.room = 1;
  (void)test.write(100, "ann", "one");
  (void)test.write(100, "ann", "two");
  test.say(1, "a", "mine");
  CHECK(test.told().size() == 4);
  REQUIRE(test.hand_over());
  CHECK(test.told().empty());
  CHECK(test.pages->deadline() == test.now);
  test.room = 100;
  test.pages->tick(test.now);
  const auto told = test.told();
  REQUIRE(told.size() == 2);
  CHECK(told[0].find(R"("text":"two")") != std::string::npos);
  CHECK(told[1].find(R"("type":"taken","id":"a","seq":3)") != std::string::npos);
}

TEST_CASE("pages: deadlines go on in the next process", "[clients][pages]") {
  PageTest test;
  test.hello(1);
  test.detach(1);
  test.pass(9min);
  test.attach(2);
  test.pass(4s);
  test.told();
  REQUIRE(test.hand_over());
  test.pass(1s - 1ms);
  CHECK(test.told().empty());
  test.pass(1ms);
  CHECK(test.told() == Lines{"2 closed 1008 no hello came within 5 s"});
  test.pass(55s);
  CHECK(test.told() == Lines{"100 expired"});
}

TEST_CASE("pages: slots may be others in the next process, or gone", "[clients][pages]") {
  PageTest test;
  test.hello(1);
  test.hello(2);
  test.hello(3);
  test.attach(4);
  test.attach(5);
  test.told();
  // Connections 2 and 5 are lost, and so is the session of 3.
  REQUIRE(test.hand_over([](core::Slot slot) -> std::optional<core::Slot> {
    if (slot == 2 || slot == 5 || slot == 102) return {};
    return slot + 1000;
  }));
  CHECK(test.told() == Lines{"1003 closed 1012 the session is gone"});
  CHECK(test.pages->sessions() == std::vector<core::Slot>{1100, 1101});
  CHECK(test.pages->connection_of(1100) == 1001U);
  CHECK_FALSE(test.pages->connection_of(1101));
  CHECK(test.pages->has_connection(1004));
  REQUIRE(test.hand_over());
  CHECK_FALSE(test.pages->connection_of(1101));
  test.pass(0s);
  test.hello(9, "T2");
  CHECK(test.told() == Lines{"1101 is back at 9", welcome(9, "T4", true)});
  test.hello(10, "T3");
  CHECK(test.told() == Lines{"103 begins at 10", welcome(10, "T5", false)});
}

TEST_CASE("pages: after a crash each page is waited for, and told what it has not seen",
          "[clients][pages]") {
  PageTest test;
  test.hello(1);
  test.hello(2);
  test.say(1, "a", "mine");
  (void)test.write(100, "ann", "one");
  test.seen(1, 2);
  (void)test.write(100, "ann", "two");
  const auto log_of = [&test](core::Slot slot) {
    ByteWriter out;
    (void)test.pages->page(slot)->begin_log(out, Page::kMostWithoutTexts + 1000);
    auto page = Page::from_log(out.bytes());
    REQUIRE(page);
    return std::move(*page);
  };
  Pages::Saved saved;
  CHECK(saved.add(7, log_of(100), test.now));
  CHECK_FALSE(saved.add(8, log_of(100), test.now));  // who has the token would have two sessions
  CHECK(saved.add(9, log_of(101), test.now));
  test.remake();
  test.pages->restore(
      std::move(saved),
      [](core::Slot slot) -> std::optional<core::Slot> {
        if (slot == 9) return {};
        return 100;
      },
      test.now);
  test.pass(0s);
  test.told();
  test.hello(3, "T1", 2);
  test.say(3, "a", "mine");
  test.hello(4, "T2");
  CHECK(test.told() ==
        Lines{"100 is back at 3", welcome(3, "T3", true),
              R"(3 < {"type":"message","seq":3,"time":"2026-11-29T12:00:00.000Z",)"
              R"("from":"operator","text":"two"})",
              R"(3 < {"type":"taken","id":"a","seq":1,"time":"2026-11-29T12:00:00.000Z"})",
              "102 begins at 4", welcome(4, "T4", false)});
  test.detach(3);
  test.pass(10min);
  CHECK_FALSE(test.pages->has_session(100));
}

TEST_CASE("pages: what a token was cannot be read in what is written down", "[clients][pages]") {
  PageTest test;
  test.hello(1);
  test.hello(2, "T1");
  const auto bytes = test.written_down();
  for (const auto& token : test.tokens) CHECK(bytes.find(token) == std::string::npos);
}

TEST_CASE("pages: what cannot be is refused", "[clients][pages]") {
  PageTest test;
  test.hello(1);
  test.say(1, "a", "mine");
  test.say(1, "b", "mine");
  (void)test.write(100, "ann", "hi");
  test.hello(2);
  test.detach(2);
  test.attach(3);
  test.pages->away("later");
  const auto good = test.written_down();
  const auto is_read = [&](const std::string& bytes) {
    ByteReader in{bytes};
    (void)Pages::read(in, test.now);
    return in.finished();
  };
  REQUIRE(is_read(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_read(good.substr(0, size)));
  }
  const auto with = [&](std::string_view part, std::string_view instead) {
    auto bytes = good;
    const auto place = bytes.find(part);
    REQUIRE(place != std::string::npos);
    REQUIRE(part.size() == instead.size());
    return bytes.replace(place, part.size(), instead);
  };
  using namespace std::string_view_literals;
  CHECK(is_read(with("a\0mine"sv, "c\0mine"sv)));
  CHECK_FALSE(is_read(with("a\0mine"sv, "\0amine"sv)));     // no id
  CHECK_FALSE(is_read(with("a\0mine"sv, "a_mine"sv)));      // no NUL
  CHECK_FALSE(is_read(with("a\0mine"sv, "a\0m\xFFne"sv)));  // no UTF-8
  CHECK_FALSE(is_read(with("ann\0hi"sv, "ann-hi"sv)));
  const auto number = [](std::uint64_t value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto date = static_cast<std::uint64_t>(test.date().time_since_epoch().count());
  CHECK_FALSE(is_read(with(number(2) + number(date), number(3) + number(date))));
  CHECK_FALSE(is_read(with(number(1) + number(date), number(2) + number(date))));
  CHECK_FALSE(is_read(with(number(3) + number(date), number(4) + number(date))));
  CHECK_FALSE(is_read(with(number(3) + number(date), number(3) + number(~date))));
}

TEST_CASE("pages: a deadline that is too far away is refused", "[clients][pages]") {
  const auto is_read = [](const PageTest& test, std::int64_t further) {
    auto bytes = test.written_down();
    // The time is what comes last but for the number of sessions, if there is none.
    const auto place = bytes.size() - (test.pages->sessions().empty() ? 16 : 8);
    std::int64_t time = 0;
    std::memcpy(&time, bytes.data() + place, sizeof time);
    time += further;
    std::memcpy(bytes.data() + place, &time, sizeof time);
    ByteReader in{bytes};
    (void)Pages::read(in, test.now);
    return in.finished();
  };
  PageTest silent;
  silent.attach(1);
  CHECK(is_read(silent, -1));
  CHECK(is_read(silent, 0));
  CHECK_FALSE(is_read(silent, 1));
  PageTest away;
  away.hello(1);
  away.detach(1);
  CHECK(is_read(away, -1));
  CHECK(is_read(away, 0));
  CHECK_FALSE(is_read(away, 1));
}

TEST_CASE("pages: one token, slot or connection for two is refused", "[clients][pages]") {
  PageTest one;
  one.hello(1);
  // The same document twice, as one of two sessions.
  const auto bytes = one.written_down();
  const std::size_t head = 1 + 8;  // nobody is away, nobody is silent
  const auto session = bytes.substr(head + 8);
  const auto two_of = [&](std::string first, std::string second) {
    std::uint64_t count = 2;
    return bytes.substr(0, head) + std::string(reinterpret_cast<const char*>(&count), 8) + first +
           second;
  };
  const auto changed = [&](core::Slot slot, core::Slot connection, bool other_token) {
    auto copy = session;
    copy.replace(0, 4, std::string(reinterpret_cast<const char*>(&slot), 4));
    copy.replace(copy.size() - 4, 4, std::string(reinterpret_cast<const char*>(&connection), 4));
    if (other_token) copy[4 + 2 + 8] = static_cast<char>(copy[4 + 2 + 8] ^ 1);
    return copy;
  };
  const auto is_read = [&](const std::string& document) {
    ByteReader in{document};
    (void)Pages::read(in, one.now);
    return in.finished();
  };
  CHECK(is_read(two_of(session, changed(101, 2, true))));
  CHECK_FALSE(is_read(two_of(session, changed(101, 2, false))));
  CHECK_FALSE(is_read(two_of(session, changed(100, 2, true))));
  CHECK_FALSE(is_read(two_of(session, changed(101, 1, true))));
  CHECK_FALSE(is_read(two_of(session, changed(101, 100, true))));
}

}  // namespace
}  // namespace chatd::test
