#include "store/backlog.hpp"

#include <cassert>
#include <utility>

namespace chatd::store {

namespace {

/// Records are written in transactions of this size: where there is little room on the disk,
/// some of them may fit.
constexpr std::size_t kBatchBytes = 256UL * 1024;

}  // namespace

bool Backlog::push(Batch& batch) {
  assert(!first_.empty() || rest_.empty());
  if (bytes_ + batch.bytes() > max_bytes_) return false;
  bytes_ += batch.bytes();
  Batch& last = rest_.empty() ? first_ : rest_.back();
  if (first_.empty()) {
    std::swap(first_, batch);
  } else if (last.bytes() < kBatchBytes) {
    last.append(batch);
  } else {
    rest_.push_back(std::move(batch));
  }
  return true;
}

void Backlog::pop(Batch& batch) {
  assert(batch.empty());
  std::swap(batch, first_);
  assert(bytes_ >= batch.bytes());
  bytes_ -= batch.bytes();
  if (rest_.empty()) return;
  first_ = std::move(rest_.front());
  rest_.pop_front();
}

std::size_t Backlog::events() const {
  std::size_t events = first_.events();
  for (const Batch& each : rest_) events += each.events();
  return events;
}

}  // namespace chatd::store
