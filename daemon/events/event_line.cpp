#include "events/event_line.hpp"

#include <cassert>
#include <initializer_list>
#include <string_view>

#include "base/json.hpp"
#include "base/text.hpp"
#include "log/log.hpp"

namespace chatd {

LogLevel log_level(EventLogging logging) {
  assert(logging != EventLogging::kNotLogged);
  return logging == EventLogging::kWarning ? LogLevel::kWarn
         : logging == EventLogging::kInfo  ? LogLevel::kInfo
                                           : LogLevel::kTrace;
}

void append_log_line(std::string& out, const Event& event) {
  // Two lines a visit: written to the same string, not added up from strings.
  const auto say = [&](std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) out += part;
  };
  const auto quote = [&](std::string_view text) { append_escaped(out, text); };
  if (event.session != 0) {
    out += '[';
    append_number(out, event.session);
    out += "] ";
  }
  switch (event.kind) {
    case EventKind::kConnected:
      say({"connected from ", event.address, " on ", event.listener});
      if (!event.verified.empty()) say({", verified as "});
      quote(event.verified);
      if (!event.tls.empty()) say({", over "});
      quote(event.tls);
      if (!event.via.empty()) say({", by way of "});
      quote(event.via);
      break;
    case EventKind::kMessage:
      say({"says: "});
      quote(event.text);
      break;
    case EventKind::kAsking:
      say({"waits for one answer: it has closed its sending side"});
      break;
    case EventKind::kSent:
      say({"is sent: "});
      quote(event.text);
      break;
    case EventKind::kDisconnected:
      say({"disconnected from ", event.address, ": "});
      quote(event.reason);
      break;
    case EventKind::kNamed:
      say({"named "});
      quote(event.name);
      break;
    case EventKind::kClaimed:
      say({"claimed by "});
      quote(event.operator_name);
      if (!event.from.empty() && event.from != event.by) {
        say({", taken from "});
        quote(event.from);
      }
      if (!event.by.empty()) say({", given by "});
      quote(event.by);
      break;
    case EventKind::kReleased:
      say({"released by "});
      quote(event.operator_name);
      break;
    case EventKind::kNoted:
      say({"noted by "});
      quote(event.operator_name);
      say({": "});
      quote(event.text);
      break;
    case EventKind::kBanned:
      quote(event.address);
      say({" banned by "});
      quote(event.operator_name);
      if (!event.until.empty()) say({" until ", event.until});
      break;
    case EventKind::kUnbanned:
      if (event.operator_name.empty()) say({"the ban of "});
      quote(event.address);
      say({event.operator_name.empty() ? " has ended" : " unbanned by "});
      quote(event.operator_name);
      break;
    case EventKind::kOperator:
      say({"operator "});
      quote(event.name);
      say({" "});
      quote(event.state);
      break;
    case EventKind::kOps:
      quote(event.operator_name);
      say({" says to the operators: "});
      quote(event.text);
      break;
    case EventKind::kWarning:
      quote(event.text);
      break;
    case EventKind::kDelivered:
    case EventKind::kWriting:
    case EventKind::kLagged:
      break;
  }
}

void log_event(const Event& event, std::string& line) {
  const EventWord& row = row_of(event.kind);
  if (row.logging == EventLogging::kNotLogged) return;
  const LogLevel level = log_level(row.logging);
  if (!Log::keeps(level)) return;
  line.clear();
  append_log_line(line, event);
  const bool of_client =
      event.kind == EventKind::kConnected || event.kind == EventKind::kDisconnected;
  Log::line(level, {event.session, of_client ? event.address : std::string_view{}, row.word}, line);
}

}  // namespace chatd
