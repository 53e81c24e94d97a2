/// What an operator has not looked at yet: for each session the number of messages that
/// have come since it was in focus or somebody answered it. No event costs more, however much is
/// unread. Pure.
///
/// Invariant: waiting_ has each session of counts_ once, at its turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "console/event.hpp"
#include "console/focus.hpp"

namespace chatd::console {

class Unread {
 public:
  struct Entry {
    SessionId session = 0;
    std::uint64_t messages = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  /// A message counts unless its session is in focus. An answer of any operator (not the
  /// automatic one of /away) and the end of a session set its count to 0.
  void apply(const Event& event, Target focus);
  /// What `sessions` says replaces all that was known.
  void replace(const std::vector<SessionInfo>& sessions, Target focus);
  /// Forgets every session but these.
  void keep(const std::vector<SessionInfo>& sessions);
  /// The operator has looked at that session.
  void seen(SessionId session) { forget(session); }

  [[nodiscard]] std::uint64_t of(SessionId session) const;
  [[nodiscard]] std::size_t sessions() const { return counts_.size(); }
  /// The session whose oldest unread message has waited longest; none if nothing is unread.
  [[nodiscard]] Target next() const;
  /// At most `most` sessions, the one that has waited longest first.
  [[nodiscard]] std::vector<Entry> first(std::size_t most) const;

 private:
  struct Count {
    std::uint64_t messages = 0;
    std::uint64_t turn = 0;  // its place in the queue, by when it began to wait
  };
  void add(SessionId session, std::uint64_t messages);
  void forget(SessionId session);

  std::map<SessionId, Count> counts_;
  std::map<std::uint64_t, SessionId> waiting_;  // by turn
  std::uint64_t turns_ = 0;
};

}  // namespace chatd::console
