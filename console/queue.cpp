#include "console/queue.hpp"

#include <algorithm>
#include <tuple>

namespace chatd::console {
namespace {

enum class Rank { kWaiting, kAsking, kOther, kGone };

Rank rank_of(const SessionInfo& session) {
  if (session.state == "closing") return Rank::kGone;
  if (session.waiting_since.empty()) return Rank::kOther;
  return session.state == "asking" ? Rank::kAsking : Rank::kWaiting;
}

}  // namespace

bool is_before_in_queue(const SessionInfo& a, const SessionInfo& b) {
  const Rank rank = rank_of(a);
  if (rank != rank_of(b)) return rank < rank_of(b);
  if (rank == Rank::kOther || rank == Rank::kGone) return a.session < b.session;
  // RFC 3339 in UTC, all of one form: the order of the words is that of the times.
  return std::tie(a.waiting_since, a.session) < std::tie(b.waiting_since, b.session);
}

void sort_as_queue(std::vector<SessionInfo>& sessions) {
  std::sort(sessions.begin(), sessions.end(), is_before_in_queue);
}

}  // namespace chatd::console
