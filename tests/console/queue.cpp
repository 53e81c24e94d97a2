// Who comes first in /list.
#include "console/queue.hpp"

#include "support/catch.hpp"

namespace chatd::console {

namespace {

SessionInfo session(SessionId id, std::string state, std::string waiting_since = {}) {
  SessionInfo info;
  info.session = id;
  info.state = std::move(state);
  info.waiting_since = std::move(waiting_since);
  return info;
}

std::vector<SessionId> sorted(std::vector<SessionInfo> sessions) {
  sort_as_queue(sessions);
  std::vector<SessionId> ids;
  for (const SessionInfo& each : sessions) ids.push_back(each.session);
  return ids;
}

using Ids = std::vector<SessionId>;

}  // namespace

TEST_CASE("queue: who has waited longest comes first, then the others by id", "[console][queue]") {
  CHECK(sorted({session(1, "open"), session(2, "open", "2026-11-29T08:00:02.000Z"),
                session(3, "open", "2026-11-29T08:00:01.000Z"), session(4, "away"),
                session(5, "open", "2026-11-28T09:00:00.000Z")}) == Ids{5, 3, 2, 1, 4});
  CHECK(sorted({session(7, "open", "2026-11-29T08:00:02.000Z"),
                session(3, "open", "2026-11-29T08:00:02.000Z")}) == Ids{3, 7});
  CHECK(sorted({}).empty());
}

TEST_CASE("queue: askers come after those who can say more, and the gone last",
          "[console][queue]") {
  CHECK(sorted({session(1, "closing", "2026-11-29T07:00:00.000Z"),
                session(2, "asking", "2026-11-29T07:30:00.000Z"), session(3, "open"),
                session(4, "parting", "2026-11-29T08:00:00.000Z"),
                session(5, "open", "2026-11-29T08:30:00.000Z"),
                session(6, "asking", "2026-11-29T07:10:00.000Z")}) == Ids{4, 5, 6, 2, 3, 1});
}

}  // namespace chatd::console
