/// Who is connected, as far as the daemon has told: learned from events and from
/// `sessions` alone. Pure.
#pragma once

#include <cstddef>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "console/event.hpp"

namespace chatd::console {

/// Where a session came from and when. This decides whether a session is the one that was
/// known before under the same id, perhaps at another daemon.
struct Origin {
  std::string address;  ///< with its port, unless it is a unix socket
  std::optional<std::time_t> since;

  /// Whether both are certainly one client: at any moment an address and port have one
  /// connection. A session's `since` may be off by the length of a turn.
  [[nodiscard]] bool is_surely(const Origin& other) const;
};

class Roster {
 public:
  void apply(const Event& event);
  /// What `sessions` says replaces all that was known.
  void replace(const std::vector<SessionInfo>& sessions);
  /// What `operators` says replaces all that was known of them.
  void set_operators(const std::vector<OperatorInfo>& operators);

  [[nodiscard]] bool contains(SessionId session) const { return names_.contains(session); }
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  /// Empty if it has none, or if there is no such session.
  [[nodiscard]] std::string_view name_of(SessionId session) const;
  /// The operator who has claimed it; empty if nobody has, or if there is no such session.
  [[nodiscard]] std::string_view claimed_by(SessionId session) const;
  /// Every session that is claimed, with its holder.
  [[nodiscard]] const std::map<SessionId, std::string>& claims() const { return claims_; }
  /// Whether somebody else has claimed it who is there to answer.
  [[nodiscard]] bool is_anothers(SessionId session, std::string_view own_name) const;
  /// Whether it waits for one answer, and says no more.
  [[nodiscard]] bool is_asking(SessionId session) const { return asking_.contains(session); }
  /// Whether an operator has noted something about it.
  [[nodiscard]] bool has_notes(SessionId session) const { return noted_.contains(session); }
  /// The operators who are there to answer, as far as is known.
  [[nodiscard]] std::vector<std::string> present() const;
  /// Without an address if there is no such session.
  [[nodiscard]] Origin origin_of(SessionId session) const;
  /// Every session that `word` may mean by its name: those of exactly that name; if there are
  /// none, those whose name differs in its case alone; else, unless it has to be the `whole` name,
  /// those whose name begins so.
  [[nodiscard]] std::vector<SessionId> meant_by(std::string_view word, bool whole = false) const;
  /// Every session with its name, by id.
  [[nodiscard]] const std::map<SessionId, std::string>& all() const { return names_; }

 private:
  void apply_operator(const Event& event);

  std::map<SessionId, std::string> names_;
  std::map<SessionId, std::string> claims_;  ///< of those that are claimed
  std::map<SessionId, Origin> origins_;
  std::set<SessionId> asking_;
  std::set<SessionId> noted_;
  using Names = std::set<std::string, std::less<>>;
  std::optional<Names> present_;  ///< operators who are there to answer, once that has been told
  Names absent_;                  ///< before that: who is known to be away, or to have gone
};

}  // namespace chatd::console
