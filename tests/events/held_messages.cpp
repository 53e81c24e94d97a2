/// Messages that are held when another process takes over are delivered there, under the
/// number that operators were told first: over any number of processes, and over a crash.
#include "events/held_messages.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "log/log.hpp"
#include "support/catch.hpp"
#include "support/handed_over.hpp"
#include "support/left_before.hpp"

namespace chatd::test {
namespace {

using Refs = std::vector<Seq>;

/// A router and its journal; clients are at slots 0 and on.
class Process {
 public:
  Process() { Log::set_level(LogLevel::kError); }

  void connect() {
    router_.connect(static_cast<core::Slot>(router_.size()), core::DialectSetting::kAuto, now_,
                    outbox_);
    write_down();
  }
  /// The number of the `sent` event.
  Seq send(const core::Recipients& to, std::string_view text) {
    (void)router_.send(to, text, "ann", now_, outbox_);
    write_down();
    return journal_.last_seq();
  }
  /// The refs of what is delivered for it.
  Refs hear(core::Slot from, std::string_view bytes) {
    router_.receive(from, bytes, now_, outbox_);
    return write_down();
  }
  Refs wait(int ms) {
    router_.tick(now_ += Duration{ms}, outbox_);
    return write_down();
  }

  /// Goes on in another process, as after a handover.
  void hand_over_to(Process& next) {
    std::uint32_t count = 0;
    (void)journal_.seal(count);
    ByteWriter events;
    journal_.save(events);
    ByteReader in{events.bytes()};
    next.journal_.restore(in);
    REQUIRE(in.finished());
    next.take_over(written_down(router_, now_, journal_.held_messages()), now_);
  }
  /// Goes on in another process, from the records of one that crashed.
  void crash_into(Process& next) {
    next.journal_.go_on_after(journal_.last_seq());
    ByteWriter out;
    router_.save(out);
    out.number<std::uint64_t>(router_.size());
    for (const auto* session : router_.sessions()) {
      out.number(session->slot());
      session->save(out, now_, journal_.held_messages(), 512);
    }
    next.take_over(out.bytes(), now_);
  }
  void take_over(std::string_view bytes, Time now, std::uint32_t version = kSavedVersion) {
    now_ = now;
    REQUIRE(read_back(bytes, router_, now_, version));
    for (const auto* session : router_.sessions()) journal_.adopt(*session);
  }
  void go_on_after(Seq seq) { journal_.go_on_after(seq); }

 private:
  Refs write_down() {
    Refs refs;
    for (const core::Event& event : outbox_.events()) {
      journal_.add(event_of(event, outbox_));
      if (event.kind == EventKind::kDelivered) refs.push_back(last_ref());
    }
    outbox_.clear();
    return refs;
  }
  /// The number of the last event.
  Seq last_ref() {
    std::uint32_t count = 0;
    std::string_view lines;
    const Payload sealed = journal_.seal(count);
    lines = sealed.view();
    lines.remove_suffix(1);
    const auto line = lines.substr(lines.rfind('\n') + 1);
    return nlohmann::json::parse(line)["params"]["ref"];
  }

  core::Router router_{core::Settings{}};
  core::Outbox outbox_;
  Journal journal_{1UL << 20U};
  Time now_{Duration{1'000'000}};
};

TEST_CASE("held messages: they are known by the same events in the next process, and in its next",
          "[events][held_messages]") {
  Process first;
  first.connect();
  first.connect();
  const auto one = first.send({false, {1}}, "one");
  const auto all = first.send({true, {}}, "all");
  Process second;
  first.hand_over_to(second);
  const auto two = second.send({false, {1}}, "two");
  CHECK(two == all + 1);
  SECTION("by documents") {
    Process third;
    second.hand_over_to(third);
    const auto three = third.send({true, {}}, "three");
    CHECK(third.hear(0, "a line\n") == Refs{one, all, two, three});
    CHECK(third.hear(1, "a line\n") == Refs{all, three});
  }
  SECTION("by the records of a crash") {
    Process third;
    second.crash_into(third);
    const auto three = third.send({true, {}}, "three");
    CHECK(three == two + 1);
    CHECK(third.hear(0, "a line\n") == Refs{one, all, two, three});
    Process fourth;
    third.crash_into(fourth);
    CHECK(fourth.hear(1, "a line\n") == Refs{all, three});
  }
}

TEST_CASE("held messages: when a part has gone out, the rest is known by its event",
          "[events][held_messages]") {
  Process first;
  first.connect();
  (void)first.hear(0, "hi");
  CHECK(first.wait(60).empty());
  const auto sent = first.send({false, {1}}, std::string(1500, 'x'));
  Process second;
  first.hand_over_to(second);
  Process third;
  second.hand_over_to(third);
  CHECK(third.hear(0, "go on") == Refs{sent});
}

TEST_CASE("held messages: what chatd 0.1.0 left is delivered by the numbers it had",
          "[events][held_messages]") {
  Process next;
  next.go_on_after(110);
  next.take_over(bytes_of(kLeftBefore), kLeftAt, 6);
  CHECK(next.send({false, {41}}, "three") == 111);
  CHECK(next.hear(0, "a line\n") == Refs{104, 106, 107, 111});
  CHECK(next.hear(1, "go on") == Refs{106, 108});
}

}  // namespace
}  // namespace chatd::test
