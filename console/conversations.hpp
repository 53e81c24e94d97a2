/// What was said to and by each client, as far as this console has heard it and has room for it.
/// Pure.
/// Invariant: of each client the lines are in the order of their numbers, none twice; what all
/// lines cost together stays within the bound, and the oldest of all go first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "console/event.hpp"

namespace chatd::console {

class Conversations {
 public:
  struct Bounds {
    std::size_t lines = 200;              ///< of one client
    std::size_t bytes = 8 * 1024 * 1024;  ///< of all
  };
  Conversations() : Conversations{Bounds{}} {}
  explicit Conversations(Bounds bounds) : bounds_{bounds} {}

  /// Keeps what is said; what was heard before is not kept twice. A client that connects is known
  /// from its beginning.
  void apply(const Event& event);
  void forget(SessionId session);
  void clear();

  /// Whether everything that was ever said to and by that client is here.
  [[nodiscard]] bool is_whole(SessionId session) const;
  [[nodiscard]] std::size_t lines_of(SessionId session) const;
  /// What is here, with `past`, which is older or the same, the oldest first. What went to several
  /// clients is told as if it went to this one alone.
  [[nodiscard]] std::vector<PastMessage> of(SessionId session,
                                            const std::vector<PastMessage>& past = {}) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Line {
    std::uint64_t turn = 0;                      // when it was kept
    std::shared_ptr<const PastMessage> message;  // one for all to whom it went, and without them
  };
  struct Conversation {
    bool whole = false;
    std::deque<Line> lines;
  };
  void keep(SessionId session, const std::shared_ptr<const PastMessage>& message);
  void drop_oldest_of(Conversation& conversation);

  Bounds bounds_;
  std::map<SessionId, Conversation> all_;
  std::map<std::uint64_t, SessionId> turns_;  // whose line each is
  std::uint64_t next_turn_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace chatd::console
