/// What waits for the worker, and what is said of it.
#include "store/backlog.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "store/report.hpp"
#include "support/catch.hpp"

namespace store = chatd::store;
using store::Backlog;
using store::Batch;
using store::kNoOrigin;
using store::Record;
using store::Report;

namespace {

Batch batch_of(std::uint64_t seq, std::size_t text = 10,
               std::uint32_t origin = chatd::store::kNoOrigin) {
  const std::string said(text, 'x');
  Record record;
  record.seq = seq;
  record.origin = origin;
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
    REQUIRE(backlog.push(batch, 100 + seq).empty());
  }
  CHECK(backlog.waiting().events == 6);
  CHECK(backlog.batches() == 3);
  CHECK(drained(backlog) == std::vector<std::vector<std::uint64_t>>{{1, 2, 3}, {4, 5}, {6}});
  CHECK(backlog.waiting().events == 0);
  CHECK(backlog.waiting().bytes == 0);
  CHECK(backlog.batches() == 0);
}

TEST_CASE("backlog: whoever takes a batch learns up to where nothing waits", "[store][backlog]") {
  Backlog backlog{1UL << 30U};
  Batch batch;
  CHECK(backlog.pop(batch) == 0);
  CHECK(batch.empty());
  std::uint64_t ticket = 10;
  for (const std::size_t size : {10UL, kBig, 10UL}) {
    auto next = batch_of(1, size);
    REQUIRE(backlog.push(next, ++ticket).empty());
  }
  CHECK(backlog.pop(batch) == 12);
  batch.clear();
  CHECK(backlog.pop(batch) == 13);
  batch.clear();
  CHECK(backlog.pop(batch) == 0);
}

/// `count` records of `origin`, one after the other.
void say(Backlog& backlog, std::uint32_t origin, std::size_t count, std::uint64_t& seq,
         std::map<std::uint32_t, std::size_t>& dropped) {
  for (std::size_t i = 0; i < count; ++i) {
    auto batch = batch_of(++seq, 1000, origin);
    for (const auto& each : backlog.push(batch, seq)) dropped[each.origin] += each.events;
  }
}

TEST_CASE("backlog: beyond its bound the newest records of those go that have most",
          "[store][backlog]") {
  constexpr std::uint32_t kNoisy = 1;
  constexpr std::uint32_t kLoud = 2;
  constexpr std::uint32_t kQuiet = 3;
  Backlog backlog{1UL << 20U};
  std::map<std::uint32_t, std::size_t> dropped;
  std::uint64_t seq = 0;
  say(backlog, kNoOrigin, 100, seq, dropped);
  say(backlog, kNoisy, 500, seq, dropped);
  say(backlog, kLoud, 300, seq, dropped);
  CHECK(dropped.empty());
  const auto first_of_noisy = 101;
  for (int round = 0; round < 50; ++round) {
    say(backlog, kNoisy, 60, seq, dropped);
    say(backlog, kQuiet, 2, seq, dropped);
    CHECK(backlog.waiting().bytes <= 1UL << 20U);
  }
  CHECK(dropped.size() == 1);
  CHECK(dropped[kNoisy] > 2000);
  CHECK(backlog.waiting().events == seq - dropped[kNoisy]);
  // Two that are noisy share what is left.
  say(backlog, kLoud, 2000, seq, dropped);
  CHECK(dropped.size() == 2);
  CHECK(dropped[kLoud] > 1700);
  CHECK_FALSE(dropped.contains(kQuiet));
  CHECK_FALSE(dropped.contains(kNoOrigin));
  std::vector<std::uint64_t> left;
  for (const auto& batch : drained(backlog)) left.insert(left.end(), batch.begin(), batch.end());
  CHECK(left.size() == seq - dropped[kNoisy] - dropped[kLoud]);
  CHECK(std::is_sorted(left.begin(), left.end()));
  // The oldest of each are there, without a gap.
  for (std::size_t i = 0; i < 300; ++i) CHECK(left[i] == i + 1);
  CHECK(left[first_of_noisy - 1] == first_of_noisy);
  CHECK(backlog.waiting().bytes == 0);
}

TEST_CASE("backlog: what is charged to nobody goes last", "[store][backlog]") {
  Backlog backlog{100'000};
  std::map<std::uint32_t, std::size_t> dropped;
  std::uint64_t seq = 0;
  say(backlog, kNoOrigin, 80, seq, dropped);
  say(backlog, 5, 10, seq, dropped);
  CHECK(dropped.empty());
  say(backlog, kNoOrigin, 50, seq, dropped);
  CHECK(dropped[5] == 10);
  CHECK(dropped[kNoOrigin] > 30);
  CHECK(backlog.waiting().events == seq - 10 - dropped[kNoOrigin]);
}

TEST_CASE("backlog: up to which number operators have heard all is never dropped",
          "[store][backlog]") {
  Backlog backlog{1000};
  Batch batch;
  Record record;
  record.kind = store::Kind::kAttended;
  record.ref = 7;
  batch.add(record);
  REQUIRE(backlog.push(batch, 1).empty());
  auto large = batch_of(1, 5000, 4);
  CHECK(backlog.push(large, 2) == std::vector<store::Dropped>{{4, 1}});
  Batch left;
  CHECK(backlog.pop(left) == 2);
  CHECK_FALSE(left.empty());
  CHECK(left.events() == 0);
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
