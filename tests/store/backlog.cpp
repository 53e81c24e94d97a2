/// What waits for the worker, and what is said of it.
#include "store/backlog.hpp"

#include <string>
#include <vector>

#include "store/report.hpp"
#include "support/catch.hpp"

using chatd::store::Backlog;
using chatd::store::Batch;
using chatd::store::Record;
using chatd::store::Report;

namespace {

Batch batch_of(std::uint64_t seq, std::size_t text = 10) {
  const std::string said(text, 'x');
  Record record;
  record.seq = seq;
  record.text = said;
  Batch batch;
  batch.add(record);
  return batch;
}

std::vector<std::uint64_t> numbers_in(const Batch& batch) {
  std::vector<std::uint64_t> numbers;
  batch.each([&](const Record& record) {
    numbers.push_back(record.seq);
    return true;
  });
  return numbers;
}

/// All that comes out, batch for batch.
std::vector<std::vector<std::uint64_t>> drained(Backlog& backlog) {
  std::vector<std::vector<std::uint64_t>> all;
  while (!backlog.empty()) {
    Batch batch;
    backlog.pop(batch);
    all.push_back(numbers_in(batch));
  }
  return all;
}

constexpr std::size_t kBig = 300UL * 1024;

}  // namespace

TEST_CASE("backlog: small batches come out as one, large ones one by one, the oldest first",
          "[store][backlog]") {
  Backlog backlog{1UL << 30U};
  CHECK(backlog.empty());
  CHECK(backlog.batches() == 0);
  std::uint64_t seq = 0;
  for (const std::size_t size : {10UL, 10UL, kBig, 10UL, kBig, 10UL}) {
    auto batch = batch_of(++seq, size);
    REQUIRE(backlog.push(batch));
  }
  CHECK(backlog.events() == 6);
  CHECK(backlog.batches() == 3);
  CHECK(drained(backlog) == std::vector<std::vector<std::uint64_t>>{{1, 2, 3}, {4, 5}, {6}});
  CHECK(backlog.events() == 0);
  CHECK(backlog.batches() == 0);
}

TEST_CASE("backlog: an empty one gives an empty batch", "[store][backlog]") {
  Backlog backlog{1000};
  Batch batch;
  backlog.pop(batch);
  CHECK(batch.empty());
}

TEST_CASE("backlog: beyond its bound a batch is refused whole, and what waits stays",
          "[store][backlog]") {
  auto first = batch_of(1);
  const std::size_t size = first.bytes();
  Backlog backlog{2 * size};
  REQUIRE(backlog.push(first));
  auto too_large = batch_of(2, size + 1);
  CHECK_FALSE(backlog.push(too_large));
  CHECK(numbers_in(too_large) == std::vector<std::uint64_t>{2});
  auto second = batch_of(3);
  CHECK(backlog.push(second));
  auto third = batch_of(4);
  CHECK_FALSE(backlog.push(third));
  CHECK(drained(backlog) == std::vector<std::vector<std::uint64_t>>{{1, 3}});
  CHECK(backlog.push(third));
}

TEST_CASE("report: a failure is told once, and its end with what it has cost", "[store][report]") {
  Report report;
  report.works();
  CHECK_FALSE(report.has_notices());
  report.lost(5);
  report.fails("the disk is full");
  report.lost(7);
  report.fails("the disk is still full");
  CHECK(report.has_notices());
  CHECK(report.take_notices() ==
        std::vector<std::string>{"transcripts cannot be written: the disk is full; the chat goes "
                                 "on, but what is said may not be recorded"});
  CHECK_FALSE(report.has_notices());
  report.works();
  report.works();
  CHECK(report.take_notices() ==
        std::vector<std::string>{"transcripts are written again; 7 events were not recorded"});
  report.fails("the disk is full");
  (void)report.take_notices();
  report.works();
  CHECK(report.take_notices() ==
        std::vector<std::string>{"transcripts are written again; nothing is missing"});
  report.recorded(3);
  CHECK(report.counts().recorded == 3);
  CHECK(report.counts().lost == 12);
}
