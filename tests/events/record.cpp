/// What a transcript keeps of an event is enough to restore the exact line that operators got.
#include "events/record.hpp"

#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/text.hpp"
#include "events/event_json.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr WallTime kWhen{std::chrono::milliseconds{1'709'210'096'007}};

/// The line of `event`, and that of its record as it comes back from a batch.
void check(const Event& event) {
  std::string line;
  const auto body = append_event(line, 12, kWhen, event);
  std::string text;
  store::Batch batch;
  batch.add(record_of(12, kWhen, event, body, text));
  std::string again;
  batch.each([&](const store::Record& record) {
    append_event(again, record);
    CHECK(time_of(record) == kWhen);
    return true;
  });
  CHECK(again == line);
}

TEST_CASE("record: each kind of event comes back as the line that it was", "[events][record]") {
  const std::vector<core::SessionId> ids{3, 4, 5};
  for (const EventWord& row : kEventWords) {
    if (row.audience != Audience::kEverybody) continue;
    INFO(row.word);
    for (const bool whole : {true, false}) {
      for (const auto state :
           {core::SendState::kSent, core::SendState::kHeld, core::SendState::kLost}) {
        Event event;
        event.kind = row.kind;
        event.session = 3;
        event.ref = 7;
        event.sent_state = state;
        event.text = "what, \"was\" said}}\n";
        event.operator_name = event.name = event.state = event.address = event.listener = "x,\"y";
        event.reason = "left";
        if (whole) {
          event.from = event.by = event.until = "x";
          event.verified = event.via = event.tls = "y,\"z";
          event.cut = event.automatic = true;
          event.lost = 2;
        }
        check(event);
        if (row.kind == EventKind::kSent) {
          event.session = 0;
          event.sessions = ids;
          check(event);
        }
      }
    }
  }
}

TEST_CASE("record: what a client calls itself is kept apart from what it is called",
          "[events][record]") {
  Event event;
  event.kind = EventKind::kNamed;
  event.session = 3;
  const auto look = [&] {
    std::string text;
    return std::string{record_of(12, kWhen, event, {}, text).look};
  };
  CHECK(look().empty());  // a name was taken away
  event.name = "Zo\u00EB";
  CHECK(look() == " " + look_of(event.name));
  event.automatic = true;
  CHECK(look() == look_of(event.name));
  event.automatic = false;
  event.operator_name = "ann";
  CHECK(look() == look_of(event.name));
}

TEST_CASE("record: what a newer daemon has recorded comes back as it was", "[events][record]") {
  store::Record record;
  record.seq = 12;
  record.time_ms = kWhen.time_since_epoch().count();
  record.text = R"(later,"session":3,"what":[1,2])";
  std::string line;
  append_event(line, record);
  std::string expected;
  append_recorded(expected, 12, kWhen, "later", R"(,"session":3,"what":[1,2])");
  CHECK(line == expected);
}

TEST_CASE("record: the name that an event gave is found as it stands there", "[events][record]") {
  for (const std::string name :
       {"Zoe", "a \"b\" \\", "\",\"name\":\"x", "\xe2\x80\xae\xe2\x80\xac", "\\"}) {
    Event event;
    event.kind = EventKind::kNamed;
    event.session = 3;
    event.name = name;
    event.operator_name = "x\",\"name\":\"y";
    std::string line;
    const auto body = append_event(line, 12, kWhen, event);
    std::string text;
    const auto record = record_of(12, kWhen, event, body, text);
    std::string expected = "\"";
    append_json(expected, name);
    CHECK(given_name(record.text) == expected + '"');
  }
  CHECK(given_name(R"(named,"session":3,"name":"","operator":"x")").empty());
  CHECK(given_name(R"(named,"session":3,"name":"cut)").empty());
  CHECK(given_name(R"(named,"session":3)").empty());
  CHECK(given_name("").empty());
}

}  // namespace
}  // namespace chatd::test
