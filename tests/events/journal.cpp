/// The journal: numbers, and by which event a message that is held is known.
#include "events/journal.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "log/log.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

using nlohmann::json;

/// Keeps the journal out of the log of the tests.
struct QuietJournal : Journal {
  QuietJournal() : Journal{1024} { Log::set_level(LogLevel::kError); }
};

Event event(EventKind kind, core::SessionId session = 0) {
  Event made;
  made.kind = kind;
  made.session = session;
  return made;
}

Event held(core::SessionId session, core::MessageNumber message) {
  auto made = event(EventKind::kSent, session);
  made.sent_state = core::SendState::kHeld;
  made.message = message;
  return made;
}

Event delivered(core::SessionId session, core::MessageNumber message) {
  auto made = event(EventKind::kDelivered, session);
  made.message = message;
  return made;
}

/// The events since the last call, as operators are sent them.
std::vector<json> sealed(Journal& journal) {
  std::uint32_t count = 0;
  const Payload lines = journal.seal(count);
  std::vector<json> all;
  for (auto rest = lines.view(); !rest.empty();) {
    const auto end = rest.find('\n');
    all.push_back(json::parse(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  CHECK(all.size() == count);
  return all;
}

TEST_CASE("journal: it numbers events, one after the other", "[events][journal]") {
  QuietJournal journal;
  journal.go_on_after(41);
  journal.add(event(EventKind::kWarning));
  journal.add(event(EventKind::kConnected, 1), WallTime{std::chrono::milliseconds{0}});
  CHECK(journal.last_seq() == 43);
  CHECK(journal.sealed_seq() == 41);
  const auto events = sealed(journal);
  CHECK(events.at(0)["params"]["seq"] == 42);
  CHECK(events.at(1)["params"]["seq"] == 43);
  CHECK(events.at(1)["params"]["time"] == "1970-01-01T00:00:00.000Z");
  CHECK(journal.sealed_seq() == 43);
  CHECK(journal.first_seq() == 42);
  Seq since = 42;
  CHECK(json::parse(journal.after(since).view())["method"] == "connected");
}

TEST_CASE("journal: a delivery names the event that said that the message is held",
          "[events][journal]") {
  QuietJournal journal;
  journal.add(event(EventKind::kConnected, 1));
  journal.add(held(1, 1));  // 2
  journal.add(held(1, 2));  // 3
  journal.add(held(2, 1));  // 4
  CHECK(journal.held_messages().number_of(1, 2) == 3);
  journal.add(delivered(1, 1));
  journal.add(delivered(2, 1));
  journal.add(delivered(1, 2));
  const auto events = sealed(journal);
  CHECK(events.at(4)["params"]["ref"] == 2);
  CHECK(events.at(5)["params"]["ref"] == 4);
  CHECK(events.at(6)["params"]["ref"] == 3);
}

TEST_CASE("journal: what is held for several is one event, and a delivery for each",
          "[events][journal]") {
  QuietJournal journal;
  const std::vector<core::SessionId> ids{3, 5, 4};
  const std::vector<core::MessageNumber> numbers{9, 1, 2};
  auto all = held(0, 0);
  all.sessions = ids;
  all.messages = numbers;
  journal.add(all);
  for (const std::size_t i : {2U, 0U, 1U}) {
    journal.add(delivered(ids[i], numbers[i]));
  }
  const auto events = sealed(journal);
  for (std::size_t i = 1; i < events.size(); ++i) CHECK(events[i]["params"]["ref"] == 1);
}

TEST_CASE("journal: a session that has gone leaves nothing, and takes nothing of others",
          "[events][journal]") {
  HeldMessages messages;
  for (const core::SessionId id : {1U, 2U, 3U}) {
    for (const core::MessageNumber number : {1U, 2U}) {
      messages.add(10 * id + number, {&id, 1}, {&number, 1});
    }
  }
  messages.remove_all(2);
  CHECK(messages.size() == 4);
  messages.remove_all(7);
  CHECK(messages.remove(1, 2) == 12);
  CHECK(messages.remove(3, 1) == 31);
  messages.remove_all(1);
  messages.remove_all(3);
  CHECK(messages.size() == 0);
}

TEST_CASE("journal: numbers and lines go on in the next process", "[events][journal]") {
  QuietJournal journal;
  journal.add(event(EventKind::kWarning));
  journal.add(event(EventKind::kWarning));
  std::uint32_t count = 0;
  const auto lines = journal.seal(count);
  ByteWriter out;
  journal.save(out);
  QuietJournal next;
  ByteReader in{out.bytes()};
  next.restore(in);
  REQUIRE(in.finished());
  next.add(event(EventKind::kWarning));
  CHECK(next.last_seq() == 3);
  Seq since = 0;
  CHECK(next.after(since).view() == lines.view());
}

TEST_CASE("journal: its memory can be given back", "[events][journal]") {
  QuietJournal journal;
  auto warning = event(EventKind::kWarning);
  const std::string text(100'000, 'x');
  warning.text = text;
  journal.add(warning);
  CHECK(journal.retained_bytes() > text.size());
  (void)sealed(journal);
  journal.release_memory();
  CHECK(journal.retained_bytes() < 1000);
}

}  // namespace
}  // namespace chatd::test
