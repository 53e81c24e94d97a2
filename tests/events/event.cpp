/// What the core says of a session, as the event that everybody else takes.
#include "events/event.hpp"

#include <vector>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

struct Said {
  core::Outbox outbox;

  core::Event& add(EventKind kind, std::string_view text = {}, std::string_view by = {}) {
    const auto kept_text = outbox.keep(text);
    const auto kept_by = outbox.keep(by);
    core::Event& event = outbox.add(kind, 7);
    event.text = kept_text;
    event.operator_name = kept_by;
    return event;
  }
  [[nodiscard]] Event last() { return event_of(outbox.events().back(), outbox); }
};

template <class T>
std::vector<T> copied(std::span<const T> span) {
  return {span.begin(), span.end()};
}

TEST_CASE("event: what the core says is told by its own names", "[events][event]") {
  Said said;
  said.add(EventKind::kMessage, "hello").cut = true;
  CHECK(said.last().kind == EventKind::kMessage);
  CHECK(said.last().session == 7);
  CHECK(said.last().text == "hello");
  CHECK(said.last().cut);
  said.add(EventKind::kDisconnected, "left").lost = 2;
  CHECK(said.last().reason == "left");
  CHECK(said.last().lost == 2);
  said.add(EventKind::kNamed, "Zoe", "ann");
  CHECK(said.last().name == "Zoe");
  CHECK(said.last().operator_name == "ann");
  CHECK_FALSE(said.last().automatic);
  said.add(EventKind::kNamed, "lab").automatic = true;
  CHECK(said.last().automatic);
  said.add(EventKind::kClaimed, "bob", "ann");
  CHECK(said.last().from == "bob");
  CHECK(said.last().operator_name == "ann");
  said.add(EventKind::kReleased, {}, "ann");
  CHECK(said.last().operator_name == "ann");
  said.add(EventKind::kNoted, "a regular", "ann");
  CHECK(said.last().text == "a regular");
  CHECK(said.last().operator_name == "ann");
  said.add(EventKind::kDelivered).message = 3;
  CHECK(said.last().message == 3);
  said.add(EventKind::kConnected);
  CHECK(said.last().kind == EventKind::kConnected);
}

TEST_CASE("event: what is held for several has a number for each", "[events][event]") {
  Said said;
  core::Event& event = said.add(EventKind::kSent, "hello", "ann");
  event.session = 0;
  event.state = core::SendState::kHeld;
  event.automatic = true;
  event.sessions = said.outbox.keep_ids(std::vector<core::SessionId>{3, 4});
  event.messages = said.outbox.keep_messages(std::vector<core::MessageNumber>{1, 9});
  const Event sent = said.last();
  CHECK(sent.session == 0);
  CHECK(copied(sent.sessions) == std::vector<core::SessionId>{3, 4});
  CHECK(copied(sent.messages) == std::vector<core::MessageNumber>{1, 9});
  CHECK(sent.text == "hello");
  CHECK(sent.operator_name == "ann");
  CHECK(sent.automatic);
  CHECK(to_string(sent.sent_state) == "held");
}

}  // namespace
}  // namespace chatd::test
