/// Batches that wait for the worker, the oldest first, up to a bound. Knows no thread:
/// whoever uses it holds the lock.
#pragma once

#include <cstddef>
#include <deque>

#include "store/record.hpp"

namespace chatd::store {

class Backlog {
 public:
  explicit Backlog(std::size_t max_bytes) : max_bytes_{max_bytes} {}

  /// Adds the records of `batch`, which the caller then clears: it may have got the memory of
  /// another batch. False, and nothing is added, if more than `max_bytes` would wait.
  [[nodiscard]] bool push(Batch& batch);
  /// Moves the oldest batch to `batch`, which is empty before, and after if nothing waits.
  void pop(Batch& batch);

  [[nodiscard]] bool empty() const { return first_.empty(); }
  [[nodiscard]] std::size_t batches() const { return empty() ? 0 : 1 + rest_.size(); }
  [[nodiscard]] std::size_t events() const;
  /// Gives back the memory that is kept for the next batch, if none waits.
  void release_memory() { first_.release_memory(); }

 private:
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Batch first_;             // empty only if `rest_` is
  std::deque<Batch> rest_;  // each of about kBatchBytes
};

}  // namespace chatd::store
