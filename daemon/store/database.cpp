#include "store/database.hpp"

#include <sqlite3.h>

#include <cassert>
#include <string>
#include <utility>

namespace chatd::store {

namespace {

/// What SQLite keeps of the file: 1 MiB. The system's own cache has the rest.
constexpr int kCachedPages = 256;

/// Who waits longer for another writer tries again.
constexpr int kBusyMs = 250;

/// Of its machine: some hundred microseconds.
constexpr int kStepsBetweenAsking = 2000;

}  // namespace

// ---- statements ----

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  sqlite3_bind_text(statement_.get(), index, text.empty() ? "" : text.data(),
                    static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), index, bytes.empty() ? "" : bytes.data(),
                    static_cast<int>(bytes.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_.get(), index);
  return *this;
}

Statement::Step Statement::step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return Step::kRow;
    case SQLITE_DONE:
      return Step::kDone;
    default:
      return Step::kFailed;
  }
}

bool Statement::run() {
  Step last = step();
  while (last == Step::kRow) last = step();
  reset();
  return last == Step::kDone;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

// ---- the connection ----

void Database::Close::operator()(sqlite3* connection) const {
  // It refuses while there are statements.
  [[maybe_unused]] const int closed = sqlite3_close(connection);
  assert(closed == SQLITE_OK);
}

Result<Database> Database::open(const std::string& path) {
  return open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

Result<Database> Database::open_to_read(const std::string& path) {
  auto database = open(path, SQLITE_OPEN_READONLY);
  if (!database) return database;
  if (auto set = database->run("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"); !set) {
    return std::move(set.error());
  }
  return database;
}

Result<Database> Database::open(const std::string& path, int flags) {
  // Once, and refused without harm if somebody else has begun to use the library.
  [[maybe_unused]] static const bool kSetUp = [] {
    // Nobody asks how much memory it uses, and counting takes a lock for each piece.
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    // Pages in one piece: scattered among what a step of the index needs for a moment, they
    // would hold on to more and more of the heap.
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, kCachedPages);
    return true;
  }();
  Database database;
  sqlite3* connection = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database.connection_.reset(connection);
  if (status != SQLITE_OK) {
    return connection == nullptr ? Error{sqlite3_errstr(status)} : database.error();
  }
  sqlite3_extended_result_codes(connection, 1);
  // Somebody may be looking at the file with a tool of theirs.
  sqlite3_busy_timeout(connection, kBusyMs);
  const auto cache = "PRAGMA cache_size = " + std::to_string(kCachedPages);
  if (auto set = database.run(cache.c_str()); !set) return std::move(set.error());
  return database;
}

void Database::ask_whether(bool (*goes_on)(void*), void* context) {
  *question_ = {goes_on, context};
  sqlite3_progress_handler(
      connection_.get(), kStepsBetweenAsking,
      [](void* asked) {
        const auto& question = *static_cast<const Question*>(asked);
        return question.goes_on(question.context) ? 0 : 1;
      },
      question_.get());
}

Result<> Database::run(const char* sql) {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<> Database::in_transaction(const std::function<bool()>& work) {
  assert(!is_in_transaction());
  if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = work() ? run("COMMIT") : Result<>{error()};
  if (!done) (void)run("ROLLBACK");
  return done;
}

bool Database::is_in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

Result<std::int64_t> Database::number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement.error());
  switch (statement->step()) {
    case Statement::Step::kRow:
      return statement->number(0);
    case Statement::Step::kDone:
      return std::int64_t{0};
    case Statement::Step::kFailed:
      break;
  }
  return error();
}

Result<Statement> Database::prepare(const char* sql) {
  Statement statement;
  sqlite3_stmt* made = nullptr;
  const int status =
      sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  statement.statement_.reset(made);
  if (status != SQLITE_OK) return error();
  return statement;
}

Error Database::error() const {
  return {sqlite3_errmsg(connection_.get()), sqlite3_system_errno(connection_.get())};
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(connection_.get());
}

}  // namespace chatd::store
