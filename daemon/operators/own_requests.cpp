// Requests of an operator about itself: its name, the events that it gets, and its absence.
#include <optional>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/line_ends.hpp"
#include "base/protocol.hpp"
#include "base/version.hpp"
#include "base/words.hpp"
#include "operators/requests.hpp"

namespace chatd {

static_assert(Attendance::kMaxAway == 1024, "a sentence below says 1024 bytes");

namespace {

/// False, with the answer that says so, if there are as many operators as there may be.
bool take_place(const Requests::Request& request) {
  if (request.parts.attendance.has_place(request.from)) return true;
  const std::string reason = "the limit of operators is reached (control.max_operators)";
  request.parts.attendance.count_refusal(reason);
  request.reply.fail(rpc::kLimit, reason);
  return false;
}

}  // namespace

void ask_hello(const Requests::Request& request) {
  const auto wish = request.params.text_or("name", {});
  const bool quiet = request.params.flag("quiet");
  check_name(request.params, wish);
  if (!request.accept()) return;
  const auto& parts = request.parts;
  if (!quiet && !take_place(request)) return;
  const auto& name = parts.attendance.greet(request.from, wish, quiet);
  std::string result = "{\"version\":\"" + std::string{kVersion} +
                       "\",\"protocol\":" + std::to_string(kProtocolVersion) + ",\"operator\":";
  append_json_string(result, name);
  if (const auto& away = parts.attendance.away_of(request.from); !away.empty()) {
    result += ",\"away\":";
    append_json_string(result, away);
  }
  // Beyond what a number of JSON holds in every language (RFC 8259, section 6).
  const auto lineage = parts.clients.sessions().lineage();
  result += R"(,"lineage":")" + std::to_string(lineage) + '"';
  result += ",\"seq\":" + std::to_string(parts.journal.last_seq());
  const auto& unattended = parts.attendance.unattended();
  result += ",\"unread\":" + std::to_string(unattended.unread());
  if (!unattended.is_counted()) result += ",\"counting\":true";
  result += ",\"attended\":" + std::to_string(unattended.attended()) + "}";
  request.reply.result(result);
}

void ask_subscribe(const Requests::Request& request) {
  std::optional<Seq> since;
  if (request.params.has("since")) since = request.params.number_or("since", 0);
  const bool watch = request.params.flag("watch");
  if (!request.accept()) return;
  const auto& parts = request.parts;
  const auto from = request.from;
  if (!watch && !take_place(request)) return;
  parts.feed.seal();  // "from now on" means after what has happened already
  if (!parts.socket.has(from)) return;
  request.reply.result("{\"seq\":" + std::to_string(parts.journal.sealed_seq()) + "}");
  parts.socket.write(from, std::exchange(request.reply.out, {}));  // before any event
  if (!parts.socket.has(from)) return;
  parts.attendance.listens(from, watch);
  parts.feed.subscribe(from, since);
}

void ask_away(const Requests::Request& request) {
  const auto text = with_lf(request.params.text("text"));
  if (trimmed(text).empty()) {
    request.params.fail("text must say something");
  } else if (text.size() > Attendance::kMaxAway) {
    request.params.fail(
        "text must have at most 1024 bytes, which is what an original client reads at once");
  }
  if (!request.accept()) return;
  request.parts.attendance.go_away(request.from, text);
  request.reply.result("{}");
}

void ask_back(const Requests::Request& request) {
  if (!request.accept()) return;
  request.parts.attendance.come_back(request.from);
  request.reply.result("{}");
}

}  // namespace chatd
