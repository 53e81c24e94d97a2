/// What an operator has not looked at yet: for each session the number of messages that
/// have come since it was looked at or somebody answered it, and who is looked at next. No event
/// costs more than the logarithm of what is unread. Pure.
///
/// Invariant: waiting_ has each session of counts_ once, at its turn, but for those that are
/// passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "console/event.hpp"
#include "console/focus.hpp"

namespace chatd::console {

/// Who comes first; among equals, who has waited longest.
enum class Rank : std::uint8_t {
  kUsual,
  kAsks,    ///< waits for one answer, and has all the time
  kLeft,    ///< cannot be answered any more
  kPassed,  ///< not this operator's to look at: it is counted, and told of nowhere
};

class Unread {
 public:
  using RankOf = std::function<Rank(SessionId)>;

  struct Entry {
    SessionId session = 0;
    std::uint64_t messages = 0;
    Rank rank = Rank::kUsual;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  /// A message counts unless its session is being read. An answer of any operator (not the
  /// automatic one of /away, nor what is said to several at once) sets the count of its session to
  /// 0. The end of a session does not: what it said before has still to be read.
  void apply(const Event& event, Target reading, const RankOf& rank_of);
  /// What `sessions` says replaces all that was known, but of those that have left.
  void replace(const std::vector<SessionInfo>& sessions, Target reading, const RankOf& rank_of);
  /// These are other people than before: what `sessions` says of them replaces what was known.
  void renew(const std::vector<SessionInfo>& sessions, Target reading, const RankOf& rank_of);
  /// Of all that are not among these, those that are passed over are forgotten; of the others
  /// `left` is called and decides whether they are kept as having left.
  void keep(const std::vector<SessionInfo>& sessions, const std::function<bool(SessionId)>& left);
  /// The operator has looked at that session, or it does not matter any more.
  void seen(SessionId session);
  void clear();
  /// Has no effect on a session of which nothing is unread.
  void rank(SessionId session, Rank rank);

  [[nodiscard]] std::uint64_t of(SessionId session) const;
  /// How many wait, without those that are passed over; and how many are passed over.
  [[nodiscard]] std::size_t sessions() const { return waiting_.size(); }
  [[nodiscard]] std::size_t passed() const { return counts_.size() - waiting_.size(); }
  /// Whether anybody waits who is no later to be looked at than such a one.
  [[nodiscard]] bool waits(Rank rank) const {
    return !waiting_.empty() && waiting_.begin()->first.first <= rank;
  }
  /// Who is to be looked at next; none if nothing is unread.
  [[nodiscard]] Target next() const;
  /// At most `most` sessions, in their order.
  [[nodiscard]] std::vector<Entry> first(std::size_t most) const;

 private:
  struct Count {
    std::uint64_t messages = 0;
    std::uint64_t turn = 0;  // when it began to wait
    Rank rank = Rank::kUsual;
  };
  using Place = std::pair<Rank, std::uint64_t>;
  void add(SessionId session, std::uint64_t messages, Rank rank);
  void insert(SessionId session, const Count& count);

  std::map<SessionId, Count> counts_;
  std::map<Place, SessionId> waiting_;
  std::uint64_t turns_ = 0;
};

}  // namespace chatd::console
