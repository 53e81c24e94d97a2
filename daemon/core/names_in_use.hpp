/// Which names sessions have, as they are seen: no name is given twice. Knows no session.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/outbox.hpp"

namespace chatd::core {

class NamesInUse {
 public:
  /// The session that is called so; 0: none.
  [[nodiscard]] SessionId holder(std::string_view name) const;
  /// `session` is called so from now on. Where two have come from an earlier process with one
  /// name, the one with the lower id counts, and the other from when that has left it.
  void add(std::string_view name, SessionId session);
  /// It is not, any more.
  void remove(std::string_view name, SessionId session);
  /// `wish`, or the first of "wish-2", "wish-3", ... that nobody has; of many, "wish-ID" with the
  /// id of `session`. Empty: it has that as well.
  [[nodiscard]] std::string free_name(std::string_view wish, SessionId session) const;

 private:
  std::unordered_multimap<std::string, SessionId> holders_;  ///< by look_of()
};

}  // namespace chatd::core
