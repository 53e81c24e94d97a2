/// What the worker does beside recording and answering: the index follows the events, memory
/// is given back, and old events are forgotten. Says when something is due. Used by the
/// worker's thread alone, which holds no lock while run() works.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/time.hpp"
#include "store/archive.hpp"

namespace chatd::store {

class Upkeep {
 public:
  using Steady = std::chrono::steady_clock;

  /// `clock`: milliseconds since 1970, UTC. The index follows `index_after` later, or after
  /// Index::kBehind events if they come sooner.
  Upkeep(Archive& archive, std::function<std::int64_t()> clock,
         std::chrono::milliseconds index_after);

  /// So many events were written.
  void recorded(std::size_t events);

  /// When something is due next; it may have passed.
  [[nodiscard]] std::optional<Steady::time_point> next() const;
  [[nodiscard]] bool is_due() const;
  /// Whether memory is given back by the next run(): then whoever keeps buffers does the same.
  [[nodiscard]] bool gives_memory_back() const { return has_come(trim_at_); }
  /// Does what is due. Events older than `keep` are forgotten (zero: never); `keep_changed`:
  /// it is not what it was the last time.
  void run(Duration keep, bool keep_changed);

 private:
  using Due = std::optional<Steady::time_point>;

  static bool has_come(const Due& due) { return due && Steady::now() >= *due; }
  [[nodiscard]] bool index_is_due() const;
  void follow();
  void trim();
  void forget_old(Duration keep, bool keep_changed);

  Archive& archive_;
  std::function<std::int64_t()> clock_;
  std::chrono::milliseconds index_after_;
  std::uint64_t unindexed_ = 0;  // events that were written since the index followed
  Due index_at_;
  Due trim_at_;
  Due forget_at_ = Steady::now();  // nothing: never
};

}  // namespace chatd::store
