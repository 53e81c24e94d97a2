// One session as its page sees it: what is kept, what is told, and in which order.
#include "clients/page.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "clients/page_protocol.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr WallTime kDate{Duration{1'795'953'600'000}};

Payload from(std::string_view author, std::string_view text) {
  std::string whole{author};
  whole += '\0';
  whole += text;
  return Payload{whole};
}

/// One word for each frame that there is now: its seq, and what it is.
std::string told(Page& page) {
  std::string all;
  std::string frame;
  while (page.next(frame, true)) {
    const auto seq = frame.find(R"("seq":)") + 6;
    const auto type = frame.find(R"("from":")") == std::string::npos
                          ? std::string{"taken"}
                          : frame.substr(frame.find(R"("from":")") + 8, 4);
    all += frame.substr(seq, frame.find(',', seq) - seq) + type + ' ';
    frame.clear();
  }
  return all;
}

Page::Saying say(Page& page, const std::string& id, std::string_view text = "x") {
  std::string answer;
  const auto saying = page.asked(id, answer);
  CHECK(answer.empty() == (saying != Page::Saying::kTakenAgain));
  if (saying == Page::Saying::kNew) page.take(id, text, kDate);
  return saying;
}

TEST_CASE("page: everything has one order, and is told once", "[clients][page]") {
  Page page;
  page.hear(from("", "welcome"), kDate);
  CHECK(told(page).empty());  // nobody is there
  page.came(0);
  CHECK(told(page) == "1desk ");
  CHECK(say(page, "a") == Page::Saying::kNew);
  page.hear(from("ann", "hello"), kDate);
  CHECK(say(page, "b") == Page::Saying::kNew);
  CHECK(told(page) == "2taken 3oper 4taken ");
  CHECK(told(page).empty());
}

TEST_CASE("page: whoever comes back is told what it has not seen, its own texts too",
          "[clients][page]") {
  Page page;
  page.came(0);
  page.hear(from("ann", "one"), kDate);
  say(page, "a");
  page.hear(from("ann", "two"), kDate);
  CHECK(told(page) == "1oper 2taken 3oper ");
  page.left();
  page.hear(from("ann", "three"), kDate);
  page.came(1);
  CHECK(told(page) == "2visi 3oper 4oper ");
  page.came(4);
  CHECK(told(page).empty());
  page.came(0);  // it has lost its memory
  CHECK(told(page) == "1oper 2visi 3oper 4oper ");
}

TEST_CASE("page: a page that knows of more than we do is told what comes then", "[clients][page]") {
  Page page;
  page.hear(from("ann", "before"), kDate);
  page.came(40);
  CHECK(told(page).empty());
  page.hear(from("ann", "after"), kDate);
  CHECK(told(page) == "41oper ");
  page.came(page::kMostSeq);
  page.hear(from("ann", "far"), kDate);
  CHECK(told(page) == "9007199254740992oper ");
}

TEST_CASE("page: a text of an id is taken once", "[clients][page]") {
  Page page;
  page.came(0);
  CHECK(say(page, "a") == Page::Saying::kNew);
  CHECK(say(page, "a") == Page::Saying::kTaken);  // and it is about to be told so
  CHECK(told(page) == "1taken ");
  CHECK(say(page, "a") == Page::Saying::kTakenAgain);
  page.left();
  page.came(0);
  CHECK(say(page, "a") == Page::Saying::kTaken);
  CHECK(told(page) == "1visi ");
  std::string answer;
  CHECK(page.asked("a", answer) == Page::Saying::kTakenAgain);
  CHECK(answer == R"({"type":"taken","id":"a","seq":1,"time":"2026-11-29T12:00:00.000Z"})");
  CHECK(say(page, "A") == Page::Saying::kNew);
}

TEST_CASE("page: the last 1,000 ids are known", "[clients][page]") {
  Page page;
  page.came(0);
  for (std::size_t i = 0; i <= Page::kMostIds; ++i) {
    CHECK(say(page, std::to_string(i)) == Page::Saying::kNew);
    (void)told(page);
  }
  CHECK(say(page, "1") == Page::Saying::kTakenAgain);
  CHECK(say(page, "1000") == Page::Saying::kTakenAgain);
  CHECK(say(page, "0") == Page::Saying::kNew);
}

TEST_CASE("page: what is answered for a text that is forgotten is not beyond what was told",
          "[clients][page]") {
  Page page;
  page.came(0);
  page.hear(from("ann", "unseen"), kDate);
  say(page, "a");
  (void)told(page);
  for (std::size_t i = 0; i < Page::kMostTexts; ++i) {
    say(page, "b" + std::to_string(i));
    (void)told(page);
  }
  page.left();
  page.came(0);
  std::string answer;
  CHECK(page.asked("a", answer) == Page::Saying::kTakenAgain);
  CHECK(answer == R"({"type":"taken","id":"a","seq":0,"time":"2026-11-29T12:00:00.000Z"})");
}

TEST_CASE("page: of what was seen 500 texts are kept, the newest", "[clients][page]") {
  Page page;
  page.came(0);
  for (std::size_t i = 0; i < Page::kMostTexts; ++i) {
    page.hear(from("ann", "x"), kDate);
    say(page, std::to_string(i));
    (void)told(page);
    page.see(2 * i + 2);
  }
  page.came(0);
  const auto all = told(page);
  CHECK(all.starts_with("501oper 502visi "));
  CHECK(all.ends_with("1000visi "));
}

TEST_CASE("page: of what was seen 256 KiB are kept", "[clients][page]") {
  Page page;
  page.came(0);
  const std::string text(64UL * 1024, 'x');
  for (int i = 0; i < 5; ++i) {
    page.hear(from("ann", text), kDate);
    (void)told(page);
    page.see(static_cast<std::uint64_t>(i) + 1);
  }
  CHECK(page.memory() < Page::kMostBytes + 2000);
  page.came(0);
  CHECK(told(page) == "3oper 4oper 5oper ");
}

TEST_CASE("page: what was not seen is not forgotten, however much it is", "[clients][page]") {
  constexpr std::size_t kHard = 1'000'000;
  Page page;
  page.came(0);
  std::size_t count = 0;
  const std::string text(1000, 'x');
  while (page.has_room(1004, kHard)) {
    page.hear(from("ann", text), kDate);
    ++count;
  }
  CHECK(count == kHard / 1004);
  (void)told(page);
  page.came(0);
  CHECK(told(page).ends_with(std::to_string(count) + "oper "));
  CHECK(page.unseen() == count);
  page.see(count - 1);
  CHECK(page.unseen() == 1);
  CHECK(page.has_room(kHard - 1004, kHard));
  CHECK_FALSE(page.has_room(kHard - 1003, kHard));
  CHECK_FALSE(page.has_room(kHard + 1, kHard));
  page.see(count + 100);
  CHECK(page.has_room(kHard, kHard));
}

TEST_CASE("page: what was not told is not seen", "[clients][page]") {
  Page page;
  page.came(0);
  page.hear(from("ann", "one"), kDate);
  (void)told(page);
  page.hear(from("ann", "two"), kDate);
  page.see(2);
  CHECK(page.unseen() == 1);
}

TEST_CASE("page: the visitor's own texts give way, but not before it knows that they were taken",
          "[clients][page]") {
  Page page;
  page.came(0);
  const std::string text(100'000, 'x');
  CHECK(say(page, "a", text) == Page::Saying::kNew);
  CHECK(say(page, "b", text) == Page::Saying::kNew);
  CHECK(say(page, "c", text) == Page::Saying::kNew);
  CHECK(say(page, "d", text) == Page::Saying::kFull);
  CHECK(told(page) == "1taken 2taken 3taken ");
  CHECK(say(page, "d", text) == Page::Saying::kNew);
  page.left();
  page.came(0);
  CHECK(told(page) == "3visi 4visi ");
}

TEST_CASE("page: as many short texts wait to be taken as long ones do not", "[clients][page]") {
  Page page;
  page.came(0);
  for (std::size_t i = 0; i < Page::kMostTexts; ++i) {
    CHECK(say(page, std::to_string(i)) == Page::Saying::kNew);
  }
  CHECK(say(page, "more") == Page::Saying::kFull);
}

TEST_CASE("page: an idle one costs little", "[clients][page]") {
  Page page;
  page.came(0);
  CHECK(page.memory() <= 300);
}

}  // namespace
}  // namespace chatd::test
