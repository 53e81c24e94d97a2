/// Whose turn it is.
#include "store/question_queue.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

using Steady = QuestionQueue::Steady;

const Steady::time_point kNow{std::chrono::hours{1}};
constexpr Progress kAll{1000};

/// One of `asker`, which is told by its ticket.
QuestionQueue::Waiting question(std::uint64_t asker, std::uint64_t ticket,
                                std::chrono::seconds until = std::chrono::seconds{2}) {
  QuestionQueue::Waiting made;
  made.ask.asker = asker;
  made.ticket = ticket;
  made.deadline = kNow + until;
  return made;
}

std::vector<std::uint64_t> taken(QuestionQueue& queue, const Progress& progress = kAll) {
  std::vector<std::uint64_t> tickets;
  while (auto next = queue.take(progress, kNow)) tickets.push_back(next->ticket);
  return tickets;
}

TEST_CASE("questions: those who ask take turns", "[store][questions]") {
  QuestionQueue queue;
  for (std::uint64_t ticket = 10; ticket < 14; ++ticket) queue.push(question(1, ticket));
  queue.push(question(2, 20));
  queue.push(question(2, 21));
  queue.push(question(3, 30));
  CHECK(queue.has_others(1));
  CHECK(taken(queue) == std::vector<std::uint64_t>{10, 20, 30, 11, 21, 12, 13});
  CHECK(queue.empty());
  CHECK_FALSE(queue.has_others(1));
  CHECK_FALSE(queue.take(kAll, kNow));
}

TEST_CASE("questions: one that was served last comes after one who begins", "[store][questions]") {
  QuestionQueue queue;
  queue.push(question(1, 10));
  queue.push(question(1, 11));
  CHECK(queue.take(kAll, kNow)->ticket == 10);
  queue.push(question(2, 20));
  CHECK(taken(queue) == std::vector<std::uint64_t>{20, 11});
}

TEST_CASE("questions: what is not written yet is waited for, and holds up nobody",
          "[store][questions]") {
  QuestionQueue queue;
  queue.push(question(1, 7));
  queue.push(question(1, 5));
  CHECK(taken(queue, {4}).empty());
  CHECK(taken(queue, {5}) == std::vector<std::uint64_t>{5});
  CHECK(taken(queue, {6, true}) == std::vector<std::uint64_t>{7});
}

TEST_CASE("questions: whose time is over is taken out, whatever it waits for",
          "[store][questions]") {
  QuestionQueue queue;
  queue.push(question(1, 10));
  queue.push(question(2, 2000, std::chrono::seconds{0}));
  CHECK(*queue.deadline() == kNow);
  CHECK(queue.take(kAll, kNow)->ticket == 2000);
  CHECK(*queue.deadline() == kNow + std::chrono::seconds{2});
  CHECK(queue.take(kAll, kNow)->ticket == 10);
  CHECK_FALSE(queue.deadline());
}

}  // namespace
}  // namespace chatd::store::test
