/// Forgets events that are too old, a few at a time, and gives the room back to the file
/// system. Knows no clock and no thread.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "store/database.hpp"

namespace chatd::store {

class Retention {
 public:
  [[nodiscard]] static Result<Retention> make(Database& database);

  /// Deletes the oldest events from before `cutoff_ms`, at most `kAtOnce` of them.
  /// True if there may be more.
  [[nodiscard]] Result<bool> forget(std::int64_t cutoff_ms);
  /// When the oldest event happened; -1 if there is none.
  [[nodiscard]] Result<std::int64_t> oldest_ms();

  /// So few that whoever waits for the worker meanwhile waits a few milliseconds.
  static constexpr std::int64_t kAtOnce = 500;

 private:
  bool delete_up_to(std::int64_t seq);

  Database* database_ = nullptr;
  Statement oldest_;
  Statement forget_words_;
  Statement forget_sessions_;
  Statement forget_events_;
  Statement forget_outcomes_;
  Statement forget_held_;
  Statement move_index_;
};

}  // namespace chatd::store
