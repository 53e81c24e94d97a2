/// Events in the daemon's log: a sentence for each kind that the table wants there, at the
/// level that the table says.
#include "events/event_line.hpp"

#include <string>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

std::string line_of(const Event& event) {
  std::string line;
  append_log_line(line, event);
  return line;
}

Event event(EventKind kind, core::SessionId session = 0) {
  Event made;
  made.kind = kind;
  made.session = session;
  made.text = "a\x1bz";
  made.operator_name = "ann";
  made.name = "Zoe";
  made.state = "away";
  made.address = "192.0.2.1:4711";
  made.listener = "0.0.0.0:8080";
  made.reason = "left";
  return made;
}

TEST_CASE("event line: each kind has its sentence", "[events][event_line]") {
  CHECK(line_of(event(EventKind::kConnected, 3)) ==
        "[3] connected from 192.0.2.1:4711 on 0.0.0.0:8080");
  auto connected = event(EventKind::kConnected, 3);
  connected.tls = "TLSv1.3 TLS_AES_128_GCM_SHA256";
  CHECK(line_of(connected) ==
        "[3] connected from 192.0.2.1:4711 on 0.0.0.0:8080, over TLSv1.3 TLS_AES_128_GCM_SHA256");
  connected.verified = "a\x1bz";
  connected.tls = "TLSv1.2\x1b";
  connected.via = "10.0.0.1:555";
  CHECK(line_of(connected) ==
        "[3] connected from 192.0.2.1:4711 on 0.0.0.0:8080, verified as a\\x1bz, "
        "over TLSv1.2\\x1b, by way of 10.0.0.1:555");
  CHECK(line_of(event(EventKind::kDisconnected, 3)) ==
        "[3] disconnected from 192.0.2.1:4711: left");
  CHECK(line_of(event(EventKind::kMessage, 3)) == "[3] says: a\\x1bz");
  CHECK(line_of(event(EventKind::kAsking, 3)) ==
        "[3] waits for one answer: it has closed its sending side");
  CHECK(line_of(event(EventKind::kSent, 3)) == "[3] is sent: a\\x1bz");
  CHECK(line_of(event(EventKind::kSent)) == "is sent: a\\x1bz");
  CHECK(line_of(event(EventKind::kNamed, 3)) == "[3] named Zoe");
  auto claimed = event(EventKind::kClaimed, 3);
  CHECK(line_of(claimed) == "[3] claimed by ann");
  claimed.from = "bob";
  CHECK(line_of(claimed) == "[3] claimed by ann, taken from bob");
  claimed.by = "bob";
  CHECK(line_of(claimed) == "[3] claimed by ann, given by bob");
  claimed.from = "eve";
  CHECK(line_of(claimed) == "[3] claimed by ann, taken from eve, given by bob");
  CHECK(line_of(event(EventKind::kReleased, 3)) == "[3] released by ann");
  CHECK(line_of(event(EventKind::kNoted, 3)) == "[3] noted by ann: a\\x1bz");
  auto banned = event(EventKind::kBanned);
  CHECK(line_of(banned) == "192.0.2.1:4711 banned by ann");
  banned.until = "2026-11-23T06:50:00.123Z";
  CHECK(line_of(banned) == "192.0.2.1:4711 banned by ann until 2026-11-23T06:50:00.123Z");
  auto unbanned = event(EventKind::kUnbanned);
  CHECK(line_of(unbanned) == "192.0.2.1:4711 unbanned by ann");
  unbanned.operator_name = {};
  CHECK(line_of(unbanned) == "the ban of 192.0.2.1:4711 has ended");
  CHECK(line_of(event(EventKind::kOperator)) == "operator Zoe away");
  CHECK(line_of(event(EventKind::kOps)) == "ann says to the operators: a\\x1bz");
  CHECK(line_of(event(EventKind::kWarning)) == "a\\x1bz");
}

TEST_CASE("event line: each kind that the table wants in the log has a sentence there",
          "[events][event_line]") {
  for (const EventWord& row : kEventWords) {
    INFO(row.word);
    CHECK(line_of(event(row.kind)).empty() == (row.logging == EventLogging::kNotLogged));
  }
}

TEST_CASE("event line: what people say is logged at trace alone", "[events][event_line]") {
  CHECK(log_level(row_of(EventKind::kMessage).logging) == LogLevel::kTrace);
  CHECK(log_level(row_of(EventKind::kSent).logging) == LogLevel::kTrace);
  CHECK(log_level(row_of(EventKind::kNoted).logging) == LogLevel::kTrace);
  CHECK(log_level(row_of(EventKind::kOps).logging) == LogLevel::kTrace);
  CHECK(log_level(row_of(EventKind::kWarning).logging) == LogLevel::kWarn);
  CHECK(log_level(row_of(EventKind::kConnected).logging) == LogLevel::kInfo);
}

}  // namespace
}  // namespace chatd::test
