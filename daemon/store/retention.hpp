/// Forgets events, a few at a time, and gives their room back: those that are too old, wherever
/// they stand, or the oldest ones where there is no room for more. Knows no clock and no thread.
///
/// Invariant: the last event stays until the index knows of it, or its number could come again.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "store/database.hpp"

namespace chatd::store {

class Retention {
 public:
  [[nodiscard]] static Result<Retention> make(Database& database);

  /// Deletes events from before `cutoff_ms`, at most `kAtOnce` of them. True if there may be
  /// more.
  [[nodiscard]] Result<bool> forget(std::int64_t cutoff_ms);
  /// Deletes the events with the smallest numbers, at most `kAtOnce`. False if there are none.
  [[nodiscard]] Result<bool> forget_first();
  /// No event is older; -1 if there is none, or if that is not known yet.
  [[nodiscard]] Result<std::int64_t> oldest_ms();
  /// What the file has, without what is free in it.
  [[nodiscard]] Result<std::uint64_t> used_bytes();

  /// So few that whoever waits for the worker meanwhile waits a few milliseconds.
  static constexpr std::int64_t kAtOnce = 500;
  /// For the same reason, of the texts that are deleted at once; one event may have more.
  static constexpr std::int64_t kBytesAtOnce = 128L * 1024;

 private:
  /// Events of one step: those from `first` to `last` that are older than `cutoff_ms`.
  struct Portion {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t cutoff_ms = 0;
    std::int64_t count = 0;
    bool held = false;  // some may still wait for a session
    bool whole = true;  // all that were asked for
  };

  [[nodiscard]] Result<Portion> gather(std::int64_t first, std::int64_t last,
                                       std::int64_t cutoff_ms);
  [[nodiscard]] Result<> forget(const Portion& portion);
  bool remove(const Portion& portion);
  bool look_again(std::int64_t span);
  [[nodiscard]] Result<std::int64_t> last_to_go();

  Database* database_ = nullptr;
  Statement old_span_;
  Statement of_portion_;
  Statement first_;
  Statement last_to_go_;
  Statement forget_words_;
  Statement forget_sessions_;
  Statement forget_events_;
  Statement forget_outcomes_;
  Statement forget_held_;
  Statement oldest_of_span_;
  Statement set_span_;
  Statement forget_span_;
  Statement forget_spans_;
  Statement oldest_;
  Statement pages_;
  Statement free_pages_;
  std::int64_t page_size_ = 0;
};

}  // namespace chatd::store
