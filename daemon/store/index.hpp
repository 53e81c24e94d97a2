/// The index of history and search: which events are a session's, and which words a message
/// has. Indexing an event costs more than recording it, and much less where many are indexed
/// together, so the index follows some `kBehind` events behind, or less, in short steps. Knows
/// the tables of schema.cpp and no thread.
///
/// Invariants: the sessions of all events up to the number `indexed` in `meta` are in it, and
/// those of none after; the same for words and the number `worded`. Whoever asks reads what
/// comes after them as it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/database.hpp"

namespace chatd::store {

class Index {
 public:
  [[nodiscard]] static Result<Index> make(Database& database);

  /// Adds events that are not in it yet, the oldest first, or joins what was added before. In
  /// transactions of its own, outside of any other; takes about kStep, and longer only for one
  /// message that is very long. True if there is more to do.
  [[nodiscard]] Result<bool> step();
  /// Does all that there is to do.
  [[nodiscard]] Result<> catch_up();

  /// SQL for the events of a session, whether they are indexed or not: their numbers and
  /// `columns`, where `e` is the event and `#` in the condition `which` its number. They come
  /// in the order of their numbers: `order` is ASC or DESC, and may go on with a LIMIT.
  [[nodiscard]] static std::string of_session(std::string_view session, std::string_view columns,
                                              std::string_view which, std::string_view order);

  /// After so many events it is time for a step, which takes in about as many.
  static constexpr std::uint64_t kBehind = 2048;
  /// The worker records nothing and answers nobody for so long.
  static constexpr std::chrono::milliseconds kStep{8};

 private:
  using Clock = std::chrono::steady_clock;

  Result<bool> forget_old();
  Result<bool> is_behind();
  bool add_sessions();
  bool add_words(Clock::time_point until);
  Result<bool> join(Clock::time_point until);

  Database* database_ = nullptr;
  std::optional<Statement> forget_old_;  // while there is an index of an older version
  Statement is_behind_;
  Statement add_sessions_;
  Statement set_indexed_;
  Statement without_words_;
  Statement add_words_;
  Statement set_worded_;
  Statement join_;
  bool is_to_join_ = false;
};

/// Gives the connection the SQL function words_of(text): what is to be added to the table of
/// words, and what is to be taken out again.
[[nodiscard]] Result<> add_words_of(Database& database);

}  // namespace chatd::store
