// What is left of a page when the process ends without warning: a log that grows with what is said.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "clients/page.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr WallTime kDate{Duration{1'795'953'600'000}};
constexpr std::size_t kMost = 512UL * 1024;

Payload from(std::string_view author, std::string_view text) {
  std::string whole{author};
  whole += '\0';
  whole += text;
  return Payload{whole};
}

/// A page beside its log, as it is written at the end of each turn.
class LoggedPage {
 public:
  LoggedPage() {
    (void)page.tokens().offer();
    begin();
  }

  void begin(std::size_t most = kMost) {
    ByteWriter out;
    mark_ = page.begin_log(out, most);
    log = out.take();
    begun = log.size();
  }
  /// Returns how many bytes were added.
  std::size_t add() {
    ByteWriter out;
    page.add_to_log(out, mark_);
    log += out.bytes();
    return out.bytes().size();
  }
  [[nodiscard]] std::optional<Page> read() const { return Page::from_log(log); }
  /// Whether what another process reads is the same page, but that it is away.
  [[nodiscard]] bool is_read() const {
    Page away = page;
    away.left();
    const auto next = read();
    return next && written(*next) == written(away);
  }
  static std::string written(const Page& page) {
    ByteWriter out;
    page.save(out);
    return out.take();
  }

  Page page;
  std::string log;
  std::size_t begun = 0;

 private:
  Page::Mark mark_;
};

TEST_CASE("page log: whatever happens, another process reads the same", "[clients][pages]") {
  const auto seed = GENERATE(range(1U, 11U));
  std::mt19937 numbers{seed};
  const auto any = [&](unsigned below) { return numbers() % below; };
  LoggedPage logged;
  Page& page = logged.page;
  std::uint64_t shown = 0;
  std::string answer;
  std::string frame;
  // So few that nothing has to be forgotten, which the other process does by itself.
  for (int step = 0; step < 400; ++step) {
    for (auto changes = any(3); changes > 0; --changes) {
      switch (any(6)) {
        case 0:
          page.came(shown);
          page.tokens().used(page.tokens().good().front());
          (void)page.tokens().offer();
          break;
        case 1:
          page.left();
          break;
        case 2:
          page.hear(from(any(2) == 0 ? "ann" : "", std::string(any(300), 'x')), kDate);
          break;
        case 3:
          if (!page.is_there()) break;
          if (const auto id = std::to_string(any(1000));
              page.asked(id, answer) == Page::Saying::kNew) {
            page.take(id, std::string(any(300), 'y'), kDate + Duration{step});
          }
          page.tokens().arrived();
          break;
        case 4:
          for (auto frames = any(5); frames > 0 && page.next(frame, false); --frames) ++shown;
          frame.clear();
          break;
        default:
          page.see(shown);
      }
    }
    const auto added = logged.add();
    CAPTURE(seed, step);
    REQUIRE(logged.is_read());
    CHECK(logged.add() == 0);
    if (added > 0 && any(20) == 0) {
      logged.begin();
      REQUIRE(logged.is_read());
    }
  }
}

TEST_CASE("page log: what is added costs what was said, however much there was",
          "[clients][pages]") {
  LoggedPage logged;
  Page& page = logged.page;
  page.came(0);
  std::string frame;
  for (int i = 0; i < 400; ++i) page.hear(from("ann", std::string(500, 'x')), kDate);
  while (page.next(frame, false)) {
  }
  logged.begin();
  CHECK(logged.begun > 400 * 500);
  page.hear(from("ann", "hello"), kDate);
  CHECK(logged.add() < 64);
  page.take("a", "hello", kDate);
  CHECK(logged.add() < 112);
  page.see(3);
  CHECK(logged.add() < 16);
  CHECK(logged.is_read());
}

TEST_CASE("page log: where not all fits, the latest is there", "[clients][pages]") {
  LoggedPage logged;
  Page& page = logged.page;
  page.came(0);
  for (int i = 0; i < 20; ++i) {
    page.take(std::to_string(i), "mine", kDate);
    page.hear(from("ann", std::string(1000, static_cast<char>('a' + i))), kDate);
  }
  constexpr std::size_t kBytes = Page::kMostWithoutTexts + 5000;
  logged.begin(kBytes);
  CHECK(logged.log.size() <= kBytes);
  auto next = logged.read();
  REQUIRE(next);
  next->came(0);
  std::string frames;
  for (std::string frame; next->next(frame, true); frame.clear()) frames += frame;
  CHECK(frames.find(std::string(1000, 't')) != std::string::npos);
  CHECK(frames.find(std::string(1000, 'q')) != std::string::npos);
  CHECK(frames.find(std::string(1000, 'b')) == std::string::npos);
  // Nothing that was taken is taken again, though its text is not there any more.
  for (int i = 0; i < 20; ++i) {
    std::string answer;
    CHECK(next->asked(std::to_string(i), answer) != Page::Saying::kNew);
  }
  // What comes then has a seq that nobody has seen.
  next->hear(from("ann", "new"), kDate);
  std::string frame;
  REQUIRE(next->next(frame, true));
  CHECK(frame.find(R"("seq":41)") != std::string::npos);
}

TEST_CASE("page log: what a page forgets is forgotten by the other process, too",
          "[clients][pages]") {
  LoggedPage logged;
  Page& page = logged.page;
  page.came(0);
  std::string frame;
  for (std::size_t i = 0; i < 3 * Page::kMostTexts; ++i) {
    page.hear(from("ann", std::to_string(i)), kDate);
    page.take(std::to_string(i), "mine", kDate);
    while (page.next(frame, false)) {
    }
    page.see(2 * i);
    logged.add();
  }
  page.left();
  const auto next = logged.read();
  REQUIRE(next);
  CHECK(LoggedPage::written(*next) == LoggedPage::written(page));
  CHECK(next->memory() < logged.log.size());
}

TEST_CASE("page log: the most that a page keeps fits with room for more", "[clients][pages]") {
  LoggedPage logged;
  Page& page = logged.page;
  page.came(0);
  std::string answer;
  for (std::size_t i = 0; i < Page::kMostIds; ++i) {
    page.take(std::to_string(i), "x", kDate);
    page.left();
    page.came(0);
  }
  while (page.has_room(600, 262'144)) page.hear(from("ann", std::string(595, 'x')), kDate);
  logged.begin(384UL * 1024);
  const auto next = logged.read();
  REQUIRE(next);
  CHECK(next->unseen() == page.unseen());
}

TEST_CASE("page log: what cannot be is refused", "[clients][pages]") {
  LoggedPage logged;
  Page& page = logged.page;
  page.came(0);
  page.hear(from("ann", "hi"), kDate);
  page.take("a", "mine", kDate);
  logged.add();
  REQUIRE(logged.is_read());
  const auto good = logged.log;
  CHECK_FALSE(Page::from_log(""));
  CHECK_FALSE(Page::from_log(good + 'x'));
  CHECK_FALSE(Page::from_log(good + good));  // a seq comes twice
  const auto with = [&](std::string_view part, std::string_view instead) {
    auto bytes = good;
    const auto place = bytes.find(part);
    REQUIRE(place != std::string::npos);
    REQUIRE(part.size() == instead.size());
    return bytes.replace(place, part.size(), instead);
  };
  using namespace std::string_view_literals;
  CHECK(Page::from_log(with("ann\0hi"sv, "bob\0hi"sv)));
  CHECK_FALSE(Page::from_log(with("ann\0hi"sv, "ann-hi"sv)));
  CHECK_FALSE(Page::from_log(with("ann\0hi"sv, "ann\0h\xff"sv)));
  CHECK_FALSE(Page::from_log(with("a\0mine"sv, "_\0mine"sv)));
}

}  // namespace
}  // namespace chatd::test
