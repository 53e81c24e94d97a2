/// Records that wait for the worker, the oldest first, up to a bound, in batches that are
/// written as one. Knows no thread: whoever uses it holds the lock.
///
/// Invariant: what one origin has recorded costs no other a record. Where more would wait than
/// may, those origins give way that have most waiting, by their newest records; what is charged
/// to nobody goes last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "store/record.hpp"

namespace chatd::store {

/// Events that will never be in the file, and whose they were.
struct Dropped {
  std::uint32_t origin;
  std::size_t events;

  friend bool operator==(const Dropped&, const Dropped&) = default;
};

/// What waits.
struct Waiting {
  std::size_t events = 0;
  std::size_t bytes = 0;
};

class Backlog {
 public:
  explicit Backlog(std::size_t max_bytes) : max_bytes_{max_bytes} {}

  /// Adds the records of `batch`, which are numbers up to `ticket`; the caller then clears it: it
  /// may have got the memory of another batch. Returns what had to go, which is empty while at
  /// most `max_bytes` wait. Then a sixteenth of that is free, so that it is not done for each.
  [[nodiscard]] std::vector<Dropped> push(Batch& batch, std::uint64_t ticket);
  /// Moves the oldest batch to `batch`, which is empty before, and after if nothing waits.
  /// Returns the ticket up to which nothing waits any more; 0 if nothing waited.
  std::uint64_t pop(Batch& batch);

  [[nodiscard]] bool empty() const { return ticket_ == 0; }
  [[nodiscard]] std::size_t batches() const { return empty() ? 0 : 1 + rest_.size(); }
  [[nodiscard]] Waiting waiting() const;
  /// Gives back the memory that is kept for the next batch, if none waits.
  void release_memory() { first_.release_memory(); }

 private:
  struct Part {
    Batch batch;
    std::uint64_t ticket;
  };

  template <class Visit>
  void each_batch(Visit visit) {
    visit(first_);
    for (Part& each : rest_) visit(each.batch);
  }
  std::vector<Dropped> make_room();

  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Batch first_;
  std::uint64_t ticket_ = 0;  // of first_; 0: nothing waits
  std::deque<Part> rest_;     // each of about kBatchBytes
};

}  // namespace chatd::store
