/// Questions that wait for their turn. Those who ask take turns, each with its oldest question
/// that can be answered; one that took long and gave way comes again with more time. Knows no
/// thread: whoever uses it holds the lock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "store/reader.hpp"

namespace chatd::store {

/// What is recorded, by the tickets of the records.
struct Progress {
  std::uint64_t recorded = 0;
  bool fails = false;  ///< it does not go on for now

  friend bool operator==(const Progress&, const Progress&) = default;
};

/// Called on the loop's thread when a question was answered, or was not in time.
using Done = std::function<void()>;

/// What somebody wants to know.
struct Ask {
  /// Those who ask take turns.
  std::uint64_t asker = 0;
  /// Runs on a thread of its own, perhaps several times: where reading ends with an error because
  /// others have to be answered, what it returns is forgotten.
  std::function<Done(Reader& reader)> read;
  /// For what takes longer than it may.
  Done late;
};

class QuestionQueue {
 public:
  using Steady = std::chrono::steady_clock;

  struct Waiting {
    Ask ask;
    std::uint64_t ticket = 0;  ///< the records up to this one come first
    Steady::time_point deadline{};
    Steady::duration slice = kFirstSlice;  ///< it may run so long before others who wait
  };

  void push(Waiting question) { all_.push_back(std::move(question)); }
  /// Takes out a question whose time is over by `now`, else the next one that can be answered.
  [[nodiscard]] std::optional<Waiting> take(const Progress& progress, Steady::time_point now);
  /// When the time of a question is over; nothing if none waits.
  [[nodiscard]] std::optional<Steady::time_point> deadline() const;
  /// Whether somebody else than `asker` waits.
  [[nodiscard]] bool has_others(std::uint64_t asker) const;
  [[nodiscard]] bool empty() const { return all_.empty(); }

  static constexpr std::chrono::milliseconds kFirstSlice{100};

 private:
  std::deque<Waiting> all_;           // in the order in which they came; there are few
  std::deque<std::uint64_t> served_;  // who was, the last one at the end
};

}  // namespace chatd::store
