/// The event log against a model that keeps everything.
#include "events/event_log.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace chatd::test {
namespace {

/// A batch of the random walk is smaller than this.
constexpr std::size_t kMostInOnePiece = 4UL << 20U;

/// More than are ever kept in one piece.
constexpr std::size_t kManyBytes = 300UL * 1024;

void append(EventLog& log, const std::string& line) {
  log.append([&](std::string& lines) { lines += line + "\n"; });
}

/// Everything after `since`, as a reader gets it that asks until there is no more.
std::string all_after(const EventLog& log, Seq& since, std::uint64_t& weight) {
  std::string all;
  for (Payload lines = log.after(since); !lines.empty(); lines = log.after(since)) {
    all += lines.view();
    weight += lines.weight();
  }
  return all;
}

TEST_CASE("event log: a batch is what was appended since the last one", "[events][event_log]") {
  EventLog log{0, 1024};
  std::uint32_t count = 7;
  CHECK(log.seal(count).empty());
  CHECK(count == 0);
  append(log, "one");
  append(log, "two");
  CHECK(log.last_seq() == 2);
  CHECK(log.sealed_seq() == 0);
  const Payload lines = log.seal(count);
  CHECK(lines.view() == "one\ntwo\n");
  CHECK(lines.weight() == 2);
  CHECK(count == 2);
  CHECK(log.sealed_seq() == 2);
  CHECK(log.seal(count).empty());
}

TEST_CASE("event log: what came after a number, also from the middle of a batch",
          "[events][event_log]") {
  EventLog log{0, 1024};
  std::uint32_t count = 0;
  for (const char* line : {"1", "2"}) append(log, line);
  (void)log.seal(count);
  for (const char* line : {"3", "4", "5"}) append(log, line);
  (void)log.seal(count);
  append(log, "6");  // not sealed: nobody has seen it yet
  const std::vector<std::pair<Seq, std::string>> rows{
      {0, "1\n2\n3\n4\n5\n"}, {1, "2\n3\n4\n5\n"}, {2, "3\n4\n5\n"}, {3, "4\n5\n"}, {4, "5\n"}};
  for (const auto& [from, lines] : rows) {
    INFO("since " << from);
    Seq since = from;
    std::uint64_t weight = 0;
    CHECK(all_after(log, since, weight) == lines);
    CHECK(since == 5);
    CHECK(weight == 5 - from);
  }
  for (const Seq from : {5U, 6U, 1000U}) {
    Seq since = from;
    CHECK(log.after(since).empty());
    CHECK(since == from);
  }
}

TEST_CASE("event log: numbers go on from a given one", "[events][event_log]") {
  EventLog log{41, 1024};
  CHECK(log.first_seq() == 42);
  Seq since = 0;
  CHECK(log.after(since).empty());
  append(log, "42");
  std::uint32_t count = 0;
  (void)log.seal(count);
  CHECK(count == 1);
  CHECK(log.first_seq() == 42);
  CHECK(log.last_seq() == 42);
  CHECK(log.after(since).view() == "42\n");
  CHECK(since == 42);
}

TEST_CASE("event log: the oldest events make room, the newest batch stays whatever its size",
          "[events][event_log]") {
  EventLog log{0, 1};
  std::uint32_t count = 0;
  for (int i = 0; i < 10; ++i) {
    append(log, std::string(kManyBytes, 'x'));
    append(log, std::string(kManyBytes, 'y'));
    (void)log.seal(count);
    CHECK(log.first_seq() == log.sealed_seq() - 1);
    Seq since = 0;
    CHECK(log.after(since).size() == 2 * (kManyBytes + 1));
    CHECK(since == log.sealed_seq());
  }
}

TEST_CASE("event log: a batch that was taken lives on when the log has dropped it",
          "[events][event_log]") {
  EventLog log{0, 1};
  append(log, "kept");
  std::uint32_t count = 0;
  const Payload lines = log.seal(count);
  for (int i = 0; i < 10; ++i) {
    append(log, std::string(kManyBytes, 'x'));
    (void)log.seal(count);
  }
  CHECK(log.first_seq() > 1);
  CHECK(lines.view() == "kept\n");
}

TEST_CASE("event log: under random sealing every reader gets each event once and in order",
          "[events][event_log]") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random{seed};
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    const std::size_t max_bytes = 100 + below(500'000);
    EventLog log{0, max_bytes};
    Seq sealed = 0;
    std::vector<std::string> model{""};  // by number, with the LF
    std::vector<Seq> readers(4, 0);
    const auto lines_of = [&](Seq first, Seq last) {
      std::string lines;
      for (Seq seq = first; seq <= last; ++seq) lines += model[seq];
      return lines;
    };

    for (int step = 0; step < 2000; ++step) {
      const unsigned what = below(10);
      if (what < 6) {
        const auto size = below(100) == 0 ? below(400'000) : below(2000);
        append(log, std::to_string(model.size()) + std::string(size, '.'));
        model.push_back(std::to_string(model.size()) + std::string(size, '.') + "\n");
      } else if (what < 8) {
        std::uint32_t count = 0;
        const Payload lines = log.seal(count);
        REQUIRE((lines.view() == lines_of(sealed + 1, model.size() - 1)));
        REQUIRE(count == model.size() - 1 - sealed);
        sealed = model.size() - 1;
      } else {
        Seq& since = readers[below(4)];
        if (below(10) == 0) since = below(static_cast<unsigned>(model.size()));
        const Seq before = std::max(since, log.first_seq() - 1);
        const Payload lines = log.after(since);
        if (lines.empty()) {
          REQUIRE(before >= sealed);
        } else {
          REQUIRE(since > before);
          REQUIRE((lines.view() == lines_of(before + 1, since)));
          REQUIRE(lines.weight() == since - before);
        }
      }
      REQUIRE(log.last_seq() == model.size() - 1);
      REQUIRE(log.sealed_seq() == sealed);
      REQUIRE(log.first_seq() <= sealed + 1);
      if (step % 50 == 0) {
        // What is kept is whole, and bounded by the newest batch or a piece more.
        Seq cursor = 0;
        std::uint64_t weight = 0;
        const Seq first = log.first_seq();
        const std::string kept = all_after(log, cursor, weight);
        REQUIRE((kept == lines_of(first, sealed)));
        REQUIRE(weight == sealed + 1 - first);
        REQUIRE((kept.size() <= max_bytes + kMostInOnePiece));
      }
    }
    CHECK(log.first_seq() > 1);
  }
}

}  // namespace
}  // namespace chatd::test
