/// One deadline for each of many ids, and one timer for all of them. The loop runs on while
/// there is a deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "base/time.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd::io {

class Deadlines {
 public:
  /// `over` is called for an id whose deadline has passed, in the order of the deadlines; it
  /// gives that id a later deadline or none.
  Deadlines(Loop& loop, std::function<void(std::uint32_t id)> over);

  /// Gives `id` the deadline `when`; kNever: none. `now` is the deadline that it has, kNever
  /// at first; it is kept by the caller and set to `when` here.
  void set(std::uint32_t id, Time& now, Time when);

 private:
  void on_timer();

  Loop& loop_;
  std::function<void(std::uint32_t id)> over_;
  std::set<std::pair<Time, std::uint32_t>> ids_;
  Timer timer_;
};

}  // namespace chatd::io
