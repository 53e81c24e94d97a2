/// Visitors for whom there is no place yet. A client is known as one that asks only when it was
/// read, and several may have been accepted before that: whoever is one too many is not refused
/// at once, but asked again a few times, with a turn of the loop between them.
///
/// Invariants: at most kMost wait; each is let in or given up within kTries tries, or when this
/// is emptied or destroyed.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>

#include "base/time.hpp"
#include "clients/doors.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd {

class VisitorQueue {
 public:
  struct Callbacks {
    /// Lets a visitor in, or refuses it for good, and takes its socket then. With `last`, one of
    /// both happens. A visitor whose socket was not taken is asked again.
    std::function<void(Doors::Visitor& visitor, bool last)> on_try;
  };

  static constexpr std::size_t kMost = 64;
  static constexpr int kTries = 10;
  static constexpr Duration kPause{10};  ///< between two tries, and before the first

  VisitorQueue(io::Loop& loop, Callbacks callbacks);
  VisitorQueue(const VisitorQueue&) = delete;
  VisitorQueue& operator=(const VisitorQueue&) = delete;

  /// False: kMost wait already, and the visitor is still the caller's.
  [[nodiscard]] bool add(Doors::Visitor& visitor);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  /// Everybody's last try is now.
  void finish();

 private:
  struct Waiting {
    Doors::Visitor visitor;
    int tries = 0;
  };

  void try_all(bool last);

  Callbacks callbacks_;
  std::deque<Waiting> waiting_;  ///< in the order in which they came
  io::Timer timer_;
};

}  // namespace chatd
