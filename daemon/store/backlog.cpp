#include "store/backlog.hpp"

#include <algorithm>
#include <cassert>
#include <unordered_map>
#include <utility>

namespace chatd::store {

namespace {

/// Records are written in transactions of this size: where there is little room on the disk,
/// some of them may fit.
constexpr std::size_t kBatchBytes = 256UL * 1024;

using Bytes = std::unordered_map<std::uint32_t, std::size_t>;

/// How much each origin may keep, so that all of them together give `excess` bytes back; 0 if
/// they have no more than that.
std::size_t level_of(const Bytes& bytes, std::size_t excess) {
  std::vector<std::size_t> sizes;
  for (const auto& [origin, size] : bytes) {
    if (origin != kNoOrigin) sizes.push_back(size);
  }
  std::sort(sizes.rbegin(), sizes.rend());
  std::size_t sum = 0;
  for (std::size_t count = 1; count <= sizes.size(); ++count) {
    sum += sizes[count - 1];
    const auto next = count < sizes.size() ? sizes[count] : 0;
    // Down to what the next one has these would give back enough.
    if (sum - count * next >= excess) return (sum - excess) / count;
  }
  return 0;
}

}  // namespace

std::vector<Dropped> Backlog::push(Batch& batch, std::uint64_t ticket) {
  assert(ticket > ticket_);
  bytes_ += batch.bytes();
  Batch& last = rest_.empty() ? first_ : rest_.back().batch;
  if (empty()) {
    assert(first_.empty());
    std::swap(first_, batch);
    ticket_ = ticket;
  } else if (last.bytes() < kBatchBytes) {
    last.append(batch);
    (rest_.empty() ? ticket_ : rest_.back().ticket) = ticket;
  } else {
    rest_.push_back({std::move(batch), ticket});
  }
  return bytes_ > max_bytes_ ? make_room() : std::vector<Dropped>{};
}

std::vector<Dropped> Backlog::make_room() {
  Bytes waiting;
  each_batch([&](const Batch& batch) {
    batch.each_share([&](const Batch::Share& share) { waiting[share.origin] += share.bytes; });
  });
  const auto target = max_bytes_ - max_bytes_ / 16;
  const auto level = level_of(waiting, bytes_ - target);
  const auto of_nobody = waiting.contains(kNoOrigin) ? waiting[kNoOrigin] : 0;
  // At level 0 nothing of anybody is left.
  const auto level_of_nobody = level > 0 ? of_nobody : std::min(of_nobody, target);
  Bytes kept;
  std::unordered_map<std::uint32_t, std::size_t> dropped;
  bytes_ = 0;
  each_batch([&](Batch& batch) {
    batch.keep_if([&](const Batch::Share& share) {
      auto& size = kept[share.origin];
      const auto most = share.origin == kNoOrigin ? level_of_nobody : level;
      if (!share.is_event || size + share.bytes <= most) {
        size += share.bytes;
        return true;
      }
      size = most;  // nothing newer either
      ++dropped[share.origin];
      return false;
    });
    bytes_ += batch.bytes();
  });
  std::vector<Dropped> all;
  for (const auto& [origin, events] : dropped) all.push_back({origin, events});
  return all;
}

std::uint64_t Backlog::pop(Batch& batch) {
  assert(batch.empty());
  std::swap(batch, first_);
  assert(bytes_ >= batch.bytes());
  bytes_ -= batch.bytes();
  const auto ticket = std::exchange(ticket_, 0);
  if (rest_.empty()) return ticket;
  first_ = std::move(rest_.front().batch);
  ticket_ = rest_.front().ticket;
  rest_.pop_front();
  return ticket;
}

Waiting Backlog::waiting() const {
  Waiting all{first_.events(), bytes_};
  for (const Part& each : rest_) all.events += each.batch.events();
  return all;
}

}  // namespace chatd::store
