/// Writes batches of records to the database, each batch in one transaction. Knows the
/// tables of schema.cpp and no thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "store/ban.hpp"
#include "store/database.hpp"
#include "store/record.hpp"
#include "store/span.hpp"
#include "store/trusted_clock.hpp"

namespace chatd::store {

class Recorder {
 public:
  [[nodiscard]] static Result<Recorder> make(Database& database);

  /// All of it, or on an error nothing.
  [[nodiscard]] Result<> write(const Batch& batch, const BanChanges& bans = {});

  /// Keeps what is known of the clock.
  [[nodiscard]] Result<> keep_clock(const TrustedClock::State& state);

  /// Records as lost what is still held for sessions of an earlier daemon.
  [[nodiscard]] Result<> lose_held();

 private:
  bool add(const Record& record);
  bool add_sent(const Record& record);
  bool came_to(std::uint64_t seq, std::uint64_t session, State outcome);
  bool disconnected(const Record& record);
  bool change(const BanChanges& changes);
  bool note_time(std::uint64_t seq, std::int64_t time_ms);
  bool write_span();
  bool lose_all();

  Database* database_ = nullptr;
  Statement insert_event_;
  Statement insert_held_;
  Statement delete_held_;
  Statement held_of_;
  Statement all_held_;
  Statement set_outcome_;
  Statement insert_outcome_;
  Statement recent_sent_;
  Statement insert_name_;
  Statement set_meta_;
  Statement delete_bans_;
  Statement delete_ban_;
  Statement insert_ban_;
  Statement insert_span_;
  std::string ids_;
  std::optional<Span> span_;  ///< of the event that was added last; not in the table yet
};

}  // namespace chatd::store
