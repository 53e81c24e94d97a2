/// Reads back what was said: pages of history, search, and events for a replay. Knows
/// the tables of schema.cpp and no thread. Whoever asks sets the bound: a visitor that
/// answers false ends the reading.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/ban.hpp"
#include "store/database.hpp"
#include "store/names.hpp"
#include "store/record.hpp"
#include "store/trusted_clock.hpp"
#include "store/wanted.hpp"

namespace chatd::store {

/// A message with what became of it: of kind kMessage or kSent, `state` as it is now.
/// With `sessions` and no `session` it went to several.
using Message = Record;

/// Returns whether it wants more. The texts are valid during the call only.
using Visit = std::function<bool(const Record& record)>;

struct Question {
  std::uint64_t session = 0;  ///< 0: any. Broadcasts to it are shown as if to it alone
  std::uint64_t before = 0;   ///< only messages with smaller numbers; 0: all
  /// Only messages of sessions that were called so when it was said, as Names::look_for() finds
  /// them; empty: all. Broadcasts to one are shown as if to it alone.
  std::string name = {};
};

/// A count of messages of clients that goes on.
struct Unread {
  std::uint64_t messages = 0;
  std::uint64_t seen = 0;  ///< the number of the last event that was looked at
  std::uint64_t upto = 0;  ///< the number of the last event that is to be

  [[nodiscard]] bool is_known() const { return seen >= upto; }
};

class Reader {
 public:
  [[nodiscard]] static Result<Reader> make(Database& database);

  /// Messages, newest first.
  [[nodiscard]] Result<> history(const Question& question, const Visit& visit);
  /// Messages that have all words of `text`, as Wanted has them, newest first. What the index
  /// does not have yet is read as it is. Errors: more words than a search may have, besides what
  /// SQLite says.
  [[nodiscard]] Result<> search(std::string_view text, const Question& question,
                                const Visit& visit);
  /// Events after `after` up to `upto`, in order, as they were when they happened.
  [[nodiscard]] Result<> replay(std::uint64_t after, std::uint64_t upto, const Visit& visit);

  /// The names that sessions had.
  [[nodiscard]] Names& names() { return names_; }

  /// The number of the last event; 0 if there is none.
  [[nodiscard]] Result<std::uint64_t> last_seq();
  /// The highest session that the index knows.
  [[nodiscard]] Result<std::uint64_t> last_indexed_session();
  /// The highest session that anything is known of. Reads what the index does not have yet.
  [[nodiscard]] Result<std::uint64_t> last_session();
  /// The number up to which operators have heard everything.
  [[nodiscard]] Result<std::uint64_t> attended();
  /// Goes on counting, over at most `most` events. True if there are more.
  [[nodiscard]] Result<bool> count_unread(Unread& unread, std::int64_t most);
  /// What is known of the clock.
  [[nodiscard]] Result<TrustedClock::State> clock();
  [[nodiscard]] Result<std::vector<Ban>> bans();

 private:
  struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };

  Result<> history_of(std::uint64_t session_id, std::uint64_t from, std::uint64_t before,
                      const Visit& all);
  Result<> history_of_name(const Question& question, const Visit& visit);
  Result<> search_any(const Wanted& wanted, const Question& question, const Visit& visit);
  Result<> search_name(const Wanted& wanted, const Question& question, const Visit& visit);
  Result<> search_unindexed(const Wanted& wanted, const Question& question, const Span& span,
                            const Visit& visit);
  Result<> search_index(const Wanted& wanted, const Question& question, const Span& span,
                        const Visit& visit);
  Result<> messages(Statement& statement, const Question& question, const Visit& visit);
  std::optional<Span> span_of(std::uint64_t session);
  Record record_of(const Statement& row);
  void update_state(Record& record, std::uint64_t session);
  Result<std::uint64_t> number(const char* sql, std::int64_t parameter = 0);

  Database* database_ = nullptr;
  Names names_;
  Statement all_;
  Statement of_session_;
  Statement to_several_;
  Statement unindexed_;
  Statement found_;
  Statement found_of_session_;
  Statement first_of_;
  Statement last_of_;
  Statement replay_;
  Statement outcomes_;
  Statement unread_;
  std::vector<std::uint64_t> sessions_;  ///< of the row that is being read
};

}  // namespace chatd::store
