// Requests of operators about each other: who is there, what they say among themselves, and who
// is writing to whom.
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/wall_time.hpp"
#include "base/words.hpp"
#include "events/event_json.hpp"
#include "operators/requests.hpp"

namespace chatd {

namespace {

constexpr std::size_t kMaxOps = 8192;
static_assert(kMaxOps == 8192, "a sentence below says 8192 bytes");

std::string_view word_of(Attendance::Presence presence) {
  switch (presence) {
    case Attendance::Presence::kPresent:
      return "present";
    case Attendance::Presence::kAway:
      return "away";
    case Attendance::Presence::kWatching:
    case Attendance::Presence::kNotHere:
      break;
  }
  return "watching";
}

}  // namespace

void ask_operators(const Requests::Request& request) {
  if (!request.accept()) return;
  request.reply.result_by([&](std::string& out) {
    out += '[';
    for (const auto& each : request.parts.attendance.list()) {
      if (out.back() != '[') out += ',';
      out += R"({"name":)";
      append_json_string(out, each.name);
      out += R"(,"state":")";
      out += word_of(each.presence);
      out += '"';
      if (!each.away.empty()) {
        out += R"(,"text":)";
        append_json_string(out, each.away);
      }
      out += R"(,"since":")";
      append_rfc3339(out, each.since);
      out += R"(","connections":)";
      append_number(out, each.connections);
      out += '}';
    }
    out += ']';
  });
}

void ask_ops(const Requests::Request& request) {
  const auto text = request.params.text("text");
  if (trimmed(text).empty()) {
    request.params.fail("text must say something");
  } else if (text.size() > kMaxOps) {
    request.params.fail("text must have at most 8192 bytes");
  }
  if (!request.accept()) return;
  Event event;
  event.kind = EventKind::kOps;
  event.operator_name = request.operator_name();
  event.text = text;
  request.parts.journal.add(event);
  request.reply.result("{}");
}

void ask_writing(const Requests::Request& request) {
  const auto session = request.params.id("session");
  if (!request.accept()) return;
  const auto& parts = request.parts;
  const auto from = request.from;
  if (!parts.clients.sessions().has(session)) {
    fail_no_session(parts, request.reply, session);
    return;
  }
  request.reply.result("{}");
  const auto& name = request.operator_name();
  if (!parts.writers.may_tell(name, session, parts.loop.now())) return;
  parts.clients.sessions().writing(session, name);
  Event event;
  event.kind = EventKind::kWriting;
  event.session = session;
  event.operator_name = name;
  std::string line;
  append_event(line, 0, wall_now(), event);
  parts.feed.tell(line, [&](OperatorId id) {
    return !parts.attendance.is_same(id, from) && !parts.attendance.watches(id);
  });
}

}  // namespace chatd
