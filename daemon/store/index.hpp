/// The index of history and search: which events are a session's, and which words a message
/// has. Indexing an event costs more than recording it, and much less where many are indexed
/// together, so the index follows some `kBehind` events behind, or less. Knows the tables of
/// schema.cpp and no thread.
///
/// Invariant: all events up to the number `indexed` in `meta` are in it, and none after.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/database.hpp"

namespace chatd::store {

class Index {
 public:
  [[nodiscard]] static Result<Index> make(Database& database);

  /// Adds some of the events that are not in it yet, which takes some milliseconds. In one
  /// transaction, outside of any other. True if there may be more.
  [[nodiscard]] Result<bool> step();
  /// Adds all of them.
  [[nodiscard]] Result<> catch_up();

  /// SQL for the events of a session, whether they are indexed or not: their numbers and
  /// `columns`, where `e` is the event and `#` in the condition `which` its number. They come
  /// in the order of their numbers: `order` is ASC or DESC, and may go on with a LIMIT.
  [[nodiscard]] static std::string of_session(std::string_view session, std::string_view columns,
                                              std::string_view which, std::string_view order);

  /// After so many events it is time to catch up, although more may come. A search that comes
  /// just before that waits for all of them, some 30 ms.
  static constexpr std::uint64_t kBehind = 8192;
  /// Events of a step. With a quarter of this, each event costs a third more.
  static constexpr std::int64_t kAtOnce = 4096;

 private:
  bool add_missing(std::int64_t upto);

  Database* database_ = nullptr;
  Statement upto_;
  Statement add_words_;
  Statement add_sessions_;
  Statement set_indexed_;
};

}  // namespace chatd::store
