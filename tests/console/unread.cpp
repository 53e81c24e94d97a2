// What has not been looked at, and the keys that lead there.
#include "console/unread.hpp"

#include "console/shortcuts.hpp"
#include "support/catch.hpp"

namespace chatd::console {

namespace {

Event event_of(EventKind kind, std::vector<SessionId> sessions) {
  Event event;
  event.kind = kind;
  event.sessions = std::move(sessions);
  return event;
}

SessionInfo with_unread(SessionId id, std::uint64_t unread) {
  SessionInfo session;
  session.session = id;
  session.unread = unread;
  return session;
}

Roster roster_of(const std::vector<SessionId>& ids) {
  Roster roster;
  std::vector<SessionInfo> sessions;
  for (const SessionId id : ids) sessions.push_back(with_unread(id, 0));
  roster.replace(sessions);
  return roster;
}

Rank all_usual(SessionId) {
  return Rank::kUsual;
}

using Entries = std::vector<Unread::Entry>;

}  // namespace

TEST_CASE("unread: messages count until they are looked at or answered", "[console][unread]") {
  using enum EventKind;
  Unread unread;
  CHECK_FALSE(unread.next());
  unread.apply(event_of(kMessage, {3}), Target{1}, all_usual);
  unread.apply(event_of(kMessage, {2}), Target{1}, all_usual);
  unread.apply(event_of(kMessage, {3}), Target{1}, all_usual);
  unread.apply(event_of(kMessage, {1}), Target{1}, all_usual);
  unread.apply(event_of(kMessage, {4}), Target{}, all_usual);
  CHECK(unread.of(1) == 0);
  CHECK(unread.first(9) == Entries{{3, 2}, {2, 1}, {4, 1}});
  CHECK(unread.first(2) == Entries{{3, 2}, {2, 1}});
  CHECK(unread.next() == Target{3});
  unread.seen(3);
  CHECK(unread.next() == Target{2});
  Event automatic = event_of(kSent, {2});
  automatic.automatic = true;
  unread.apply(automatic, Target{1}, all_usual);
  CHECK(unread.next() == Target{2});
  // Who says something to all has read nothing.
  Event announced = event_of(kSent, {2});
  announced.announced = true;
  unread.apply(announced, Target{1}, all_usual);
  CHECK(unread.next() == Target{2});
  unread.apply(event_of(kSent, {2}), Target{1}, all_usual);
  CHECK(unread.next() == Target{4});
  unread.apply(event_of(kMessage, {3}), Target{1}, all_usual);
  unread.apply(event_of(kDisconnected, {4}), Target{1}, all_usual);
  CHECK(unread.first(9) == Entries{{4, 1}, {3, 1}});
}

TEST_CASE(
    "unread: who asks comes behind who talks, who has left behind both, and who is not mine "
    "nowhere",
    "[console][unread]") {
  Unread unread;
  const auto ranks = [](SessionId session) {
    return session == 1 ? Rank::kLeft : session == 2 ? Rank::kAsks : Rank::kUsual;
  };
  for (SessionId id = 1; id <= 4; ++id) {
    unread.apply(event_of(EventKind::kMessage, {id}), {}, ranks);
  }
  CHECK(unread.first(9) == Entries{{3, 1}, {4, 1}, {2, 1, Rank::kAsks}, {1, 1, Rank::kLeft}});
  unread.rank(3, Rank::kPassed);
  CHECK(unread.sessions() == 3);
  CHECK(unread.passed() == 1);
  CHECK(unread.next() == Target{4});
  unread.apply(event_of(EventKind::kMessage, {3}), {}, ranks);
  CHECK(unread.of(3) == 2);
  CHECK(unread.next() == Target{4});
  // It has its place again as soon as it is mine.
  unread.rank(3, Rank::kUsual);
  CHECK(unread.next() == Target{3});
  unread.rank(9, Rank::kPassed);
  CHECK(unread.passed() == 0);
}

TEST_CASE("unread: who comes later keeps nobody from being the first", "[console][unread]") {
  Unread unread;
  CHECK_FALSE(unread.waits(Rank::kLeft));
  unread.apply(event_of(EventKind::kMessage, {1}), {}, [](SessionId) { return Rank::kLeft; });
  CHECK_FALSE(unread.waits(Rank::kUsual));
  CHECK_FALSE(unread.waits(Rank::kAsks));
  unread.apply(event_of(EventKind::kMessage, {2}), {}, [](SessionId) { return Rank::kAsks; });
  CHECK_FALSE(unread.waits(Rank::kUsual));
  CHECK(unread.waits(Rank::kAsks));
  unread.apply(event_of(EventKind::kMessage, {3}), {}, all_usual);
  CHECK(unread.waits(Rank::kUsual));
}

TEST_CASE("unread: what others have claimed is forgotten when it has gone", "[console][unread]") {
  Unread unread;
  unread.apply(event_of(EventKind::kMessage, {1}), {}, [](SessionId) { return Rank::kPassed; });
  unread.keep({}, [](SessionId) { return true; });
  CHECK(unread.of(1) == 0);
  CHECK(unread.passed() == 0);
}

TEST_CASE("unread: the daemon's counts replace our own, and who waited keeps its place",
          "[console][unread]") {
  Unread unread;
  for (const SessionId id : {5UL, 9UL, 8UL}) {
    unread.apply(event_of(EventKind::kMessage, {id}), {}, all_usual);
  }
  unread.rank(8, Rank::kLeft);
  unread.replace({with_unread(1, 0), with_unread(2, 7), with_unread(3, 1), with_unread(5, 2)},
                 Target{3}, all_usual);
  CHECK(unread.first(9) == Entries{{5, 2}, {2, 7}, {8, 1, Rank::kLeft}});
}

TEST_CASE("unread: of sessions that have gone only what is to be read is kept",
          "[console][unread]") {
  Unread unread;
  for (const SessionId id : {5UL, 9UL, 5UL, 7UL}) {
    unread.apply(event_of(EventKind::kMessage, {id}), {}, all_usual);
  }
  unread.keep({with_unread(1, 8), with_unread(5, 0)}, [](SessionId id) { return id == 9; });
  CHECK(unread.first(9) == Entries{{5, 2}, {9, 1, Rank::kLeft}});
}

TEST_CASE("shortcuts: a client keeps its key, and a free one goes to whoever waits longest",
          "[console][shortcuts]") {
  Shortcuts keys;
  keys.update(roster_of({3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
  CHECK(keys.at(1) == Target{3});
  CHECK(keys.at(9) == Target{11});
  CHECK(keys.key_of(12) == 0);
  keys.update(roster_of({3, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
  CHECK(keys.at(2) == Target{12});
  CHECK(keys.key_of(5) == 3);
  keys.update(roster_of({5}));
  CHECK_FALSE(keys.at(1));
  CHECK(keys.at(3) == Target{5});
  keys.update(roster_of({5, 20}));
  CHECK(keys.at(1) == Target{20});
}

}  // namespace chatd::console
