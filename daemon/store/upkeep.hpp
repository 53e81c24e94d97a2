/// What the worker does beside recording: the index follows the events, memory is given back, and
/// old events are forgotten, as are the oldest ones where there is no room for more. Says when
/// something is due, and does it in steps of some milliseconds, between which whoever uses it
/// records what has come. Used by the worker's thread alone, which holds no lock while step()
/// works.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/time.hpp"
#include "store/archive.hpp"
#include "store/trusted_clock.hpp"

namespace chatd::store {

/// What is kept, at most.
struct Bounds {
  Duration keep{0};             ///< older events go; zero: never
  std::uint64_t max_bytes = 0;  ///< of the file; where it has more the oldest go. 0: no bound
  /// Percent of the file system. Where less is free, the file does not grow: the oldest events
  /// go for what comes. 0: it may take all.
  unsigned keep_free = 0;

  friend bool operator==(const Bounds&, const Bounds&) = default;
};

/// Of a file system.
struct Space {
  std::uint64_t free = 0;
  std::uint64_t all = 0;
};

class Upkeep {
 public:
  using Steady = std::chrono::steady_clock;

  struct Clocks {
    std::function<std::int64_t()> wall;     ///< milliseconds since 1970, UTC
    std::function<std::int64_t()> elapsed;  ///< as TrustedClock's
    std::function<Space()> space;           ///< of the file system that the file is in
  };

  /// The index follows `index_after` later, or after Index::kBehind events if they come sooner.
  Upkeep(Archive& archive, Clocks clocks, std::chrono::milliseconds index_after);

  /// So many events were written.
  void recorded(std::size_t events);
  void set_bounds(const Bounds& bounds);

  /// When something is due next; it may have passed.
  [[nodiscard]] std::optional<Steady::time_point> next() const;
  [[nodiscard]] bool is_due() const;
  /// Whether memory is given back by the next step(): then whoever keeps buffers does the same.
  [[nodiscard]] bool gives_memory_back() const { return has_come(trim_at_); }
  /// Does a part of what is due.
  void step();
  /// Whether it is to be looked after whether there is room for more, which is what make_room()
  /// does a part of: the only part of a step() that does not wait until nothing is recorded.
  [[nodiscard]] bool room_is_due() const { return has_come(room_at_); }
  void make_room();
  /// Keeps what the next process has to know of the clock.
  void close();
  /// A sentence for people; mostly empty.
  [[nodiscard]] std::string take_notice() { return std::exchange(notice_, {}); }

 private:
  using Due = std::optional<Steady::time_point>;

  static bool has_come(const Due& due) { return due && Steady::now() >= *due; }
  [[nodiscard]] bool index_is_due() const;
  void follow();
  void trim();
  void forget_old();
  void keep_clock(bool always);
  [[nodiscard]] std::string why_it_lacks(std::uint64_t used);

  Archive& archive_;
  Clocks clocks_;
  TrustedClock trusted_;
  TrustedClock::State kept_;  // what is written of it
  std::chrono::milliseconds index_after_;
  Bounds bounds_;
  std::uint64_t unindexed_ = 0;  // events that were written since the index followed
  Due index_at_;                 // at first, what an earlier process has left
  Due trim_at_;
  Due forget_at_ = Steady::now();
  Due room_at_ = Steady::now();             // nothing: nothing was recorded since
  std::optional<std::uint64_t> scarce_at_;  // too little was free when the file had so many bytes
  bool told_ = false;                       // that the oldest go
  std::string notice_;
};

}  // namespace chatd::store
