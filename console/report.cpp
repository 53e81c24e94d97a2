#include "console/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "console/interactive.hpp"
#include "console/queue.hpp"
#include "console/script_json.hpp"
#include "console/wire.hpp"
#include "io/descriptor.hpp"

namespace chatd::console {
namespace {

using nlohmann::json;

ExitCode code_of(bool some_done, const std::vector<RefusedSession>& refused) {
  if (refused.empty()) return ExitCode::kDone;
  return some_done ? ExitCode::kPartly : ExitCode::kRefused;
}

std::size_t width() {
  return io::terminal_columns(STDOUT_FILENO);
}

// The order of the queue, for documents that have more members than we know.
json in_order(const json& sessions) {
  if (!sessions.is_array()) return sessions;
  std::vector<std::pair<SessionInfo, const json*>> rows;
  for (const json& each : sessions) {
    rows.emplace_back(decode_sessions(json::array({each})).front(), &each);
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return is_before_in_queue(a.first, b.first); });
  json sorted = json::array();
  for (const auto& [info, document] : rows) sorted.push_back(*document);
  return sorted;
}

}  // namespace

Report::Report(const OneShot& one_shot)
    : one_shot_{one_shot}, view_{one_shot.color, one_shot.timestamps, has_many_colors()} {}

// --- answers ---

ExitCode Report::list(const json& result) {
  const json sessions = in_order(result);
  if (one_shot_.json) {
    for (const json& session : sessions) print_json(session);
  } else {
    print_all(view_.sessions(decode_sessions(sessions), width(), std::time(nullptr)));
  }
  return ExitCode::kDone;
}

ExitCode Report::sent(const json& result) {
  const SendOutcome outcome = decode_send(result);
  const bool sent = !outcome.delivered.empty() || !outcome.held.empty();
  if (one_shot_.json) {
    print_json(result);
    return code_of(sent, outcome.refused);
  }
  for (const SessionId id : outcome.held) {
    print(view_.about(id, roster_, "held until it has spoken"));
  }
  complain_of(outcome.refused, "not sent");
  for (const SessionId id : outcome.left_out) {
    print(view_.about(id, roster_, "left out: it waits for one answer"));
  }
  // To say something to nobody is no failure, but whoever types it should know.
  if (!sent && outcome.refused.empty() && outcome.left_out.empty()) {
    complain("nobody is connected");
  }
  return code_of(sent, outcome.refused);
}

ExitCode Report::kicked(const json& result) {
  const KickOutcome outcome = decode_kick(result);
  const bool nobody = outcome.kicked.empty() && outcome.refused.empty();
  if (one_shot_.json) {
    print_json(result);
  } else {
    print_all(view_.kicked(outcome));
    complain_of(outcome.refused, "not ended");
    if (nobody) complain("nobody is connected from " + escaped(one_shot_.command.address));
  }
  return nobody ? ExitCode::kNoSession : code_of(!outcome.kicked.empty(), outcome.refused);
}

ExitCode Report::banned(const json& result) {
  const BanOutcome outcome = decode_ban(result);
  if (one_shot_.json) {
    print_json(result);
  } else {
    print_all(view_.banned(outcome));
    complain_of(outcome.ended.refused, "not ended");
  }
  return code_of(true, outcome.ended.refused);  // the ban itself is done
}

ExitCode Report::bans(const json& result) {
  if (one_shot_.json) {
    for (const json& ban : result) print_json(ban);
  } else {
    print_all(view_.bans(decode_bans(result), width()));
  }
  return ExitCode::kDone;
}

ExitCode Report::origins(const json& result) {
  if (one_shot_.json) {
    for (const json& origin : result) print_json(origin);
  } else {
    print_all(view_.origins(decode_origins(result), width()));
  }
  return ExitCode::kDone;
}

ExitCode Report::stats(const json& result) {
  one_shot_.json ? print_json(result) : print_all(view_.stats(decode_stats(result)));
  return ExitCode::kDone;
}

ExitCode Report::reload(const json& result) {
  one_shot_.json ? print_json(result) : print_all(view_.reload(decode_reload(result)));
  return ExitCode::kDone;
}

ExitCode Report::nothing(const json& result) {
  if (one_shot_.json) print_json(result);
  return ExitCode::kDone;
}

// --- what was said ---

// What is old needs its date.
View Report::dated_view() const {
  const bool time = one_shot_.timestamps == Timestamps::kTime;
  return {one_shot_.color, time ? Timestamps::kDateTime : one_shot_.timestamps, has_many_colors()};
}

ExitCode Report::notes(SessionId session, const json& result) {
  const auto notes = decode_notes(result);
  if (notes.empty()) complain("nothing is noted");
  if (one_shot_.json) {
    for (const json& note : result) print_json(note);
    return ExitCode::kDone;
  }
  const View dated = dated_view();
  for (const NoteInfo& each : notes) {
    print_all(dated.noted(session, each, roster_));
  }
  return ExitCode::kDone;
}

ExitCode Report::past(const Pages& pages, std::string_view own_name) {
  if (pages.messages().empty()) complain("nothing was found");
  if (one_shot_.json) {
    for (const json& each : pages.documents()) print_json(flat_past(each));
    return ExitCode::kDone;
  }
  const View dated = dated_view();
  for (const PastMessage& each : pages.messages()) {
    print_all(dated.past(each, roster_, own_name));
  }
  return ExitCode::kDone;
}

void Report::event(const Event& event, const json& document, std::string_view own_name) {
  if (event.kind != EventKind::kDisconnected) roster_.apply(event);
  if (one_shot_.json) {
    print_json(flat_event(document));
  } else {
    print_all(view_.event(event, roster_, own_name));
  }
  if (event.kind == EventKind::kDisconnected) roster_.apply(event);
}

ExitCode Report::answer(const Event& event, const json& document) {
  if (one_shot_.json) {
    print_json(flat_event(document));
  } else if (::isatty(STDOUT_FILENO) == 1) {
    print_all(view_.event(event, roster_, {}));
  } else {
    std::fwrite(event.text.data(), 1, event.text.size(), stdout);
    std::fputc('\n', stdout);
  }
  return ExitCode::kDone;
}

// --- problems ---

void Report::complain(std::string_view line) {
  put_line(stderr, "chatctl: " + std::string{line});
}

void Report::complain_lines(std::string_view text) const {
  const View plain{false, one_shot_.timestamps};
  for (const std::string& line : plain.problem(text)) complain(line);
}

void Report::complain_about(SessionId session, std::string_view what) const {
  complain(bracket(session, roster_.name_of(session)) + "* " + escaped(what));
}

void Report::complain_of(const std::vector<RefusedSession>& refused, std::string_view what) const {
  for (const auto& [id, reason] : refused) {
    complain_about(id, std::string{what} + ": " + reason);
  }
}

void Report::print(std::string_view line) {
  put_line(stdout, line);
}

void Report::print_json(const json& document) {
  print(to_plain_json(document));
}

void Report::print_all(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) print(line);
}

void Report::print_all(const std::vector<Line>& lines) {
  for (const Line& line : lines) put_line(stdout, line.text, line.hang);
}

}  // namespace chatd::console
