/// The names that sessions had: for each the events that gave it one, or took it away. Knows the
/// tables of schema.cpp, and not how an event says the name.
///
/// A lookup costs two steps down a tree, however much was said: the table `names` has the numbers
/// of these events alone. An event that is forgotten takes its row along (a trigger in schema.cpp).
/// What was recorded before there was such a table has no rows in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/database.hpp"

namespace chatd::store {

class Names {
 public:
  /// A session was called so by the events with numbers between `from` and `to`.
  struct Tenure {
    std::uint64_t session = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };

  [[nodiscard]] static Result<Names> make(Database& database);

  /// What was recorded (Record::text) of the last event before `seq` that named `session`; empty
  /// if none is known. Valid until the next call.
  [[nodiscard]] std::string_view last_before(std::uint64_t seq, std::uint64_t session);

  /// What those who had `name` are found by (Record::look): those who were given it or, if nobody
  /// ever was, those who called themselves so. So nobody who takes a name hides who was given it.
  [[nodiscard]] Result<std::string> look_for(std::string_view name);
  /// Who had a name last, from some event before `seq` on; the name is given as look_for() it.
  /// Whoever is given a name has it: nobody else has it from there on.
  [[nodiscard]] Result<std::optional<Tenure>> last_called(std::string_view look, std::uint64_t seq);

  /// Whether an event of kind kOther that was recorded as `text` names a session.
  [[nodiscard]] static bool is_naming(std::string_view text) { return text.starts_with("named,"); }

  // The questions in SQL, which a test has explained.
  /// The name that session ?1 had before event ?2.
  static constexpr const char* kLast =
      "SELECT e.extra FROM names n JOIN events e ON e.seq = n.seq"
      " WHERE n.session = ?1 AND n.seq < ?2 ORDER BY n.seq DESC LIMIT 1";
  /// Who had the name ?1 before event ?2, from which event on, and to which.
  static constexpr const char* kLastCalled =
      "SELECT n.session, n.seq, (SELECT min(later.seq) FROM names later"
      " WHERE later.session = n.session AND later.seq > n.seq)"
      " FROM names n WHERE n.look = ?1 AND n.seq < ?2 ORDER BY n.seq DESC LIMIT 1";

 private:
  Database* database_ = nullptr;
  Statement last_;
  Statement last_called_;
  std::string found_;
};

}  // namespace chatd::store
