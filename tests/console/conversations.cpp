// What was said, as far as there is room for it.
#include "console/conversations.hpp"

#include "support/catch.hpp"

namespace chatd::console {
namespace {

Event said(std::uint64_t seq, std::vector<SessionId> sessions, std::string text,
           EventKind kind = EventKind::kMessage) {
  Event event;
  event.kind = kind;
  event.seq = seq;
  event.sessions = std::move(sessions);
  event.text = std::move(text);
  return event;
}

PastMessage past(std::uint64_t seq, std::vector<SessionId> sessions, std::string text) {
  PastMessage message;
  message.seq = seq;
  message.sessions = std::move(sessions);
  message.text = std::move(text);
  return message;
}

std::string texts(const std::vector<PastMessage>& messages) {
  std::string all;
  for (const PastMessage& each : messages) all += each.text;
  return all;
}

}  // namespace

TEST_CASE("conversations: each client has its own lines, and what went to several is in each",
          "[console][conversations]") {
  Conversations all;
  all.apply(said(1, {1}, "a"));
  all.apply(said(2, {2}, "b"));
  all.apply(said(3, {1, 2}, "c", EventKind::kSent));
  all.apply(said(4, {1}, "d"));
  CHECK(texts(all.of(1)) == "acd");
  CHECK(texts(all.of(2)) == "bc");
  CHECK(all.of(3).empty());
  CHECK(all.of(2)[0].incoming);
  CHECK_FALSE(all.of(2)[1].incoming);
  CHECK(all.of(2)[1].sessions == std::vector<SessionId>{2});
  // Heard again after the connection was lost.
  all.apply(said(4, {1}, "d"));
  CHECK(texts(all.of(1)) == "acd");
  all.forget(1);
  CHECK(all.of(1).empty());
  CHECK(texts(all.of(2)) == "bc");
}

TEST_CASE("conversations: what was said before is merged by its number, and nothing is doubled",
          "[console][conversations]") {
  Conversations all;
  all.apply(said(5, {1}, "e"));
  all.apply(said(7, {1}, "g"));
  const std::vector<PastMessage> earlier{past(2, {1}, "b"), past(3, {2}, "not mine"),
                                         past(5, {1}, "e"), past(6, {1, 2}, "f")};
  CHECK(texts(all.of(1, earlier)) == "befg");
  CHECK(all.of(1, earlier)[2].sessions == std::vector<SessionId>{1});
}

TEST_CASE("conversations: a client is known as a whole from its beginning, until a line goes",
          "[console][conversations]") {
  Conversations all{{3, 1024 * 1024}};
  all.apply(said(1, {1}, "a"));
  CHECK_FALSE(all.is_whole(1));
  all.apply(said(2, {2}, "", EventKind::kConnected));
  for (std::uint64_t seq = 3; seq < 6; ++seq) all.apply(said(seq, {2}, "x"));
  CHECK(all.is_whole(2));
  all.apply(said(6, {2}, "y"));
  CHECK_FALSE(all.is_whole(2));
  CHECK(texts(all.of(2)) == "xxy");
  all.apply(said(7, {3}, "", EventKind::kConnected));
  CHECK(all.is_whole(3));
  all.apply(said(0, {}, "", EventKind::kLagged));
  CHECK_FALSE(all.is_whole(3));
}

TEST_CASE("conversations: all together have a bound, and the oldest goes first",
          "[console][conversations]") {
  constexpr std::size_t kBytes = 100'000;
  Conversations all{{1000, kBytes}};
  all.apply(said(1, {1}, "", EventKind::kConnected));
  all.apply(said(2, {1}, "first"));
  for (std::uint64_t seq = 3; seq < 3000; ++seq) {
    all.apply(said(seq, {seq % 50 + 2}, std::string(seq % 500, 'x')));
    REQUIRE(all.bytes() <= kBytes);
  }
  CHECK(all.of(1).empty());
  CHECK_FALSE(all.is_whole(1));
  CHECK(all.of(2999 % 50 + 2).back().seq == 2999);
  // What is longer than all that there is room for is not kept, and nothing goes for it.
  const std::size_t before = all.bytes();
  all.apply(said(3000, {9}, std::string(kBytes, 'x')));
  CHECK(all.bytes() == before);
  for (SessionId id = 1; id < 60; ++id) all.forget(id);
  CHECK(all.bytes() == 0);
}

}  // namespace chatd::console
