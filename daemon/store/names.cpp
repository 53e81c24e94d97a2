#include "store/names.hpp"

#include <utility>

#include "base/names.hpp"
#include "store/record.hpp"

namespace chatd::store {

Result<Names> Names::make(Database& database) {
  Names names;
  names.database_ = &database;
  auto last_called = database.prepare(kLastCalled);
  if (!last_called) return std::move(last_called.error());
  names.last_called_ = std::move(*last_called);
  auto last = database.prepare(kLast);
  if (!last) return std::move(last.error());
  names.last_ = std::move(*last);
  return names;
}

std::string_view Names::last_before(std::uint64_t seq, std::uint64_t session) {
  found_.clear();
  last_.bind(1, static_cast<std::int64_t>(session)).bind(2, static_cast<std::int64_t>(seq));
  const Statement::Use use{last_};
  if (last_.step() == Statement::Step::kRow) found_ = last_.text(0);
  return found_;
}

Result<std::string> Names::look_for(std::string_view name) {
  std::string look = look_of(name);
  auto given = last_called(look, static_cast<std::uint64_t>(INT64_MAX));
  if (!given) return std::move(given.error());
  if (!*given) look.insert(look.begin(), kWishedName);
  return look;
}

Result<std::optional<Names::Tenure>> Names::last_called(std::string_view look, std::uint64_t seq) {
  last_called_.bind(1, look).bind(2, static_cast<std::int64_t>(seq));
  const Statement::Use use{last_called_};
  const auto step = last_called_.step();
  if (step == Statement::Step::kFailed) return database_->error();
  if (step == Statement::Step::kDone) return std::optional<Tenure>{};
  Tenure tenure{static_cast<std::uint64_t>(last_called_.number(0)),
                static_cast<std::uint64_t>(last_called_.number(1)),
                static_cast<std::uint64_t>(INT64_MAX)};
  if (!last_called_.is_null(2)) tenure.to = static_cast<std::uint64_t>(last_called_.number(2));
  return std::optional{tenure};
}

}  // namespace chatd::store
