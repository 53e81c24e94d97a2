#include "cluster/peer_event.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_kinds.hpp"
#include "events/event_json.hpp"
#include "support/catch.hpp"

using chatd::Audience;
using chatd::Event;
using chatd::EventKind;
using chatd::WallTime;
using chatd::cluster::PeerEvent;

namespace {

constexpr WallTime kTime{std::chrono::milliseconds{1'764'489'000'123}};

std::string line_of(chatd::Seq seq, const Event& event) {
  std::string line;
  chatd::append_event(line, seq, kTime, event);
  line.pop_back();
  return line;
}

/// An event of that kind with everything that it may have.
Event whole(EventKind kind, const std::vector<chatd::core::SessionId>& several) {
  Event event;
  event.kind = kind;
  event.session = 7;
  if (kind == EventKind::kSent) {
    event.session = 0;
    event.sessions = several;
    event.sent_state = chatd::core::SendState::kHeld;
  }
  event.cut = true;
  event.automatic = true;
  event.ref = 5;
  event.lost = 3;
  event.text = "what \"she\" said,\ttwo \xe2\x82\xac\n";
  event.operator_name = "ann";
  event.name = "zw\xc3\xb6lf";
  event.state = "attached";
  event.address = "192.0.2.7:40000";
  event.listener = "0.0.0.0:8080";
  event.verified = "carol";
  event.via = "192.0.2.1";
  event.tls = "TLSv1.3 TLS_AES_128_GCM_SHA256";
  event.reason = "kicked by ann";
  event.from = "bob";
  event.by = "carol";
  event.until = "2026-11-30T12:00:00.000Z";
  return event;
}

std::string fault_of(const std::string& line) {
  auto read = PeerEvent::read(line);
  return read ? std::string{} : read.error().message;
}

/// A line with these params besides a number and a time.
std::string line(std::string_view word, std::string_view params) {
  return R"({"jsonrpc":"2.0","method":")" + std::string{word} +
         R"(","params":{"seq":9,"time":"2026-11-30T08:00:00.000Z")" + std::string{params} + "}}";
}

TEST_CASE("peer event: what a node writes down is read as what it was", "[cluster][event]") {
  const std::vector<chatd::core::SessionId> several{3, 7, 12};
  for (const auto& row : chatd::kEventWords) {
    INFO(row.word);
    for (const bool all_of_it : {true, false}) {
      Event event = all_of_it ? whole(row.kind, several) : Event{};
      if (!all_of_it) {
        event.kind = row.kind;
        event.session = 7;
        event.ref = 5;
      }
      const auto written = line_of(31, event);
      auto read = PeerEvent::read(written);
      if (row.audience != Audience::kEverybody) {
        CHECK_FALSE(read);
        continue;
      }
      REQUIRE(read);
      const PeerEvent moved = std::move(*read);  // its texts stay where they are
      CHECK(moved.is_known());
      CHECK(moved.number() == 31);
      CHECK(moved.time() == kTime);
      CHECK(line_of(31, moved.event()) == written);
    }
  }
}

TEST_CASE("peer event: one of a kind that is not known is kept as it is", "[cluster][event]") {
  auto read = PeerEvent::read(line("moved", R"(,"session":4,"to":"c:9")"));
  REQUIRE(read);
  CHECK_FALSE(read->is_known());
  std::string again;
  chatd::append_recorded(again, read->number(), read->time(), read->word(), read->body());
  CHECK(again == line("moved", R"(,"session":4,"to":"c:9")") + "\n");
  read = PeerEvent::read(line("moved", ""));
  REQUIRE(read);
  CHECK(read->body().empty());
}

TEST_CASE("peer event: members that are not known are left out", "[cluster][event]") {
  auto read = PeerEvent::read(line("asking", R"(,"session":4,"mood":"good")"));
  REQUIRE(read);
  CHECK(read->event().session == 4);
}

TEST_CASE("peer event: what is no event is refused, and said why", "[cluster][event]") {
  CHECK(fault_of("") == "the line is not JSON");
  CHECK(fault_of("[]") == "a request is one JSON object a line");
  CHECK(fault_of(R"({"jsonrpc":"2.0","id":1,"method":"asking"})") == "an event has no id");
  CHECK(fault_of(line("Asking", R"(,"session":4)")) == "that is the word of no event");
  CHECK(fault_of(line(std::string(40, 'x'), "")) == "that is the word of no event");
  CHECK(fault_of(line("lagged", R"(,"lost":4)")) == "lagged is for nobody else");
  CHECK(fault_of(line("writing", R"(,"session":4,"operator":"ann")")) ==
        "writing is for nobody else");
  CHECK(fault_of(line("asking", R"(,"session":-4)")) == "asking: session is no number");
  CHECK(fault_of(line("asking", R"(,"session":0)")) == "asking: session is no number");
  CHECK(fault_of(line("asking", R"(,"session":9007199254740993)")) ==
        "asking: session is no number");
  CHECK(fault_of(line("asking", R"(,"session":[4])")) == "asking: session is no number");
  CHECK(fault_of(line("asking", "")) == "asking: session is no number");
  CHECK(fault_of(line("message", R"(,"session":4)")) == "message: text is no string");
  CHECK(fault_of(line("message", R"(,"session":4,"text":"a","cut":1)")) ==
        "message: cut is neither true nor false");
  CHECK(fault_of(line("sent", R"(,"session":[4,0],"operator":"ann","text":"a","state":"sent")")) ==
        "sent: session has one that is none");
  CHECK(fault_of(line("sent", R"(,"session":4,"operator":"ann","text":"a","state":"gone")")) ==
        "sent: state is none");
  CHECK(fault_of(line("named", R"(,"session":4,"name":"a\u202eb","operator":"ann")"))
            .starts_with("named: name must not"));
  CHECK(fault_of(line("released", R"(,"session":4,"operator":" ann")"))
            .starts_with("released: operator must not"));
  CHECK(fault_of(line("disconnected", R"(,"session":4,"reason":")" + std::string(1025, 'x') +
                                          '"')) == "disconnected: reason is too long");
  const std::string head = R"({"jsonrpc":"2.0","method":"asking","params":{"session":4,)";
  CHECK(fault_of(head + R"("seq":1}})") == "asking: time is no string");
  for (const auto* time :
       {"", "2026-11-30T08:00:00Z", "2026-02-30T08:00:00.000Z", "2026-11-30T24:00:00.000Z",
        "2026-11-30T08:60:00.000Z", "2026-11-30T08:00:60.000Z", "2026-11-30 08:00:00.000Z",
        "2026-1x-30T08:00:00.000Z", "2026-00-30T08:00:00.000Z"}) {
    INFO(time);
    CHECK(fault_of(head + R"("seq":1,"time":")" + time + R"("}})") == "asking: time is none");
  }
  CHECK(fault_of(head + R"("seq":0,"time":"2026-11-30T08:00:00.000Z"}})") ==
        "asking: seq is no number");
}

}  // namespace
