/// Who is connected, as far as the daemon has told: learned from events and from
/// `sessions` alone. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "console/event.hpp"

namespace chatd::console {

class Roster {
 public:
  void apply(const Event& event);
  /// What `sessions` says replaces all that was known.
  void replace(const std::vector<SessionInfo>& sessions);

  [[nodiscard]] bool contains(SessionId session) const { return names_.contains(session); }
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  /// Empty if it has none, or if there is no such session.
  [[nodiscard]] std::string_view name_of(SessionId session) const;
  /// Whom it is claimed by; empty if it is nobody's, or if there is no such session.
  [[nodiscard]] std::string_view claimed_by(SessionId session) const;
  /// Every session of exactly that name.
  [[nodiscard]] std::vector<SessionId> named(std::string_view name) const;
  /// Every session with its name, by id.
  [[nodiscard]] const std::map<SessionId, std::string>& all() const { return names_; }

 private:
  std::map<SessionId, std::string> names_;
  std::map<SessionId, std::string> claims_;  ///< of those that are claimed
};

}  // namespace chatd::console
