/// SQLite as this room uses it: one connection, prepared statements, errors as
/// Result. Knows no table. Nothing here may be used by two threads at once.
///
/// Invariant: a Statement is gone before its Database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace chatd::store {

class Statement {
 public:
  enum class Step : std::uint8_t { kRow, kDone, kFailed };

  /// Resets the statement when it goes, so that no read is left open.
  class Use {
   public:
    explicit Use(Statement& statement) : statement_{statement} {}
    ~Use() { statement_.reset(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Statement& statement_;
  };

  Statement() = default;

  // Parameters count from 1, columns from 0. A bound text must live until the reset.
  Statement& bind(int index, std::int64_t number);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);

  [[nodiscard]] Step step();
  /// Steps to the end and resets. False if that failed.
  [[nodiscard]] bool run();
  void reset();

  [[nodiscard]] std::int64_t number(int column) const;
  /// A text, or the bytes of a blob. Valid until the next step.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  /// Opens or makes the file, readable by its owner alone, for one thread at a time.
  [[nodiscard]] static Result<Database> open(const std::string& path);
  /// Opens a file that there is, and that another connection may be writing to, to read it.
  [[nodiscard]] static Result<Database> open_to_read(const std::string& path);

  /// Whatever takes long asks `goes_on(context)` from time to time, some thousand times a second,
  /// and fails once the answer is false.
  void ask_whether(bool (*goes_on)(void* context), void* context);

  /// Runs statements that return no rows.
  [[nodiscard]] Result<> run(const char* sql);
  /// Runs `work` in a transaction. Where it returns false, what SQLite said last is the
  /// error; on any error nothing has changed.
  [[nodiscard]] Result<> in_transaction(const std::function<bool()>& work);
  [[nodiscard]] bool is_in_transaction() const;
  /// The first column of the first row; 0 if there is none.
  [[nodiscard]] Result<std::int64_t> number(const char* sql);
  /// To be kept and used again.
  [[nodiscard]] Result<Statement> prepare(const char* sql);

  /// The last error, as a sentence of SQLite's.
  [[nodiscard]] Error error() const;
  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] sqlite3* raw() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  /// What SQLite asks now and then.
  struct Question {
    bool (*goes_on)(void*) = nullptr;
    void* context = nullptr;
  };

  static Result<Database> open(const std::string& path, int flags);

  std::unique_ptr<Question> question_ = std::make_unique<Question>();
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace chatd::store
