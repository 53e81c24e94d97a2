#include "store/names.hpp"

#include <utility>

namespace chatd::store {

Result<Names> Names::make(Database& database) {
  Names names;
  auto last = database.prepare(
      "SELECT e.extra FROM names n JOIN events e ON e.seq = n.seq"
      " WHERE n.session = ?1 AND n.seq < ?2 ORDER BY n.seq DESC LIMIT 1");
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

}  // namespace chatd::store
