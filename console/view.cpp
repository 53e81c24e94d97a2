#include "console/view.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "console/table.hpp"
#include "console/utc_time.hpp"

namespace chatd::console {
namespace {

// A message to more clients than this is shown once for all of them.
constexpr std::size_t kSeparately = 5;
constexpr std::size_t kLongestName = 32;
// The columns of the "* " before what the console says.
constexpr std::size_t kMarkWidth = 2;
// The id, the name, the wait and the unread messages.
constexpr std::size_t kAlwaysInQueue = 4;

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string{count == 1 ? one : many};
}

// The lines of `text`; after an LF at its end there is an empty one.
std::vector<std::string> escaped_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(escaped(text.substr(0, end)));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

// " [1] [2]"; of many only the first.
std::string first_brackets(const std::vector<SessionId>& ids) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kSeparately, ids.size()); ++i) {
    out += " " + bracket(ids[i], {});
  }
  return ids.size() > kSeparately ? out + " ..." : out;
}

std::string formatted(std::time_t time, const char* format) {
  std::tm broken{};
  ::localtime_r(&time, &broken);
  std::array<char, 64> buffer;
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &broken)};
}

// How long it has waited for an answer; empty: it does not.
std::string wait_of(const SessionInfo& session, std::time_t now) {
  const auto waiting = parse_utc(session.waiting_since);
  if (!waiting) return {};
  return short_duration(now > *waiting ? static_cast<std::uint64_t>(now - *waiting) * 1000 : 0);
}

// What was said last. Its first character is ours, so that no client's words look like an
// operator's.
std::string last_words(const SessionInfo& session, std::string_view own_name) {
  if (!session.last_text) return {};
  const std::string_view from = session.last_operator;
  const std::string lead = from.empty()       ? "  "
                           : from == own_name ? "< "
                                              : "< " + escaped(from) + ": ";
  return lead + escaped(*session.last_text);
}

// How the client of `connected` came, where there is something to say. Of TLS the version: which
// suite it is, is for the log and for scripts.
std::string way_of(const Event& event) {
  const std::string_view version = std::string_view{event.tls}.substr(0, event.tls.find(' '));
  std::string out;
  if (!event.verified.empty()) out += ", verified as " + escaped(event.verified);
  if (!version.empty()) out += ", over " + escaped(version);
  if (!event.via.empty()) out += ", by way of " + escaped(event.via);
  return out;
}

// What the session is called in a line about `event`.
std::string_view name_in(const Event& event, SessionId session, const Roster& roster) {
  const bool is_said = event.kind == EventKind::kMessage || event.kind == EventKind::kSent;
  return is_said && !event.name.empty() ? std::string_view{event.name} : roster.name_of(session);
}

}  // namespace

std::string bracket(SessionId session, std::string_view name) {
  std::string out = "[" + std::to_string(session);
  if (!name.empty()) {
    const std::string_view shown = prefix_of(name, kLongestName);
    out += " " + escaped(shown) + (shown.size() < name.size() ? "\u2026" : "");
  }
  return out + "]";
}

std::string short_duration(std::uint64_t milliseconds) {
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

std::string local_time(std::string_view rfc3339, bool with_date) {
  const auto time = parse_utc(rfc3339);
  if (!time) return {};
  return formatted(*time, with_date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S");
}

std::string View::painted(Tone tone, std::string_view text) const {
  // Tones differ in weight and underlining as well as in hue, and the hues are cyan and
  // yellow, which nearly everybody can tell apart; never red and green.
  constexpr std::array<std::string_view, 6> kSequences{"",         "\x1b[36m", "\x1b[1;36m",
                                                       "\x1b[33m", "\x1b[2m",  "\x1b[1;4;33m"};
  const std::string_view begin = kSequences[static_cast<std::size_t>(tone)];
  if (!color_ || begin.empty()) return std::string{text};
  return std::string{begin}.append(text).append("\x1b[0m");
}

std::string_view View::color_of(SessionId session) const {
  // Neither the yellow of answers nor red or green; each of them can be read on black and on
  // white, which is why the 16 leave only four.
  constexpr std::array<std::string_view, 7> kOf256{"38;5;32",  "38;5;133", "38;5;30", "38;5;98",
                                                   "38;5;168", "38;5;66",  "38;5;95"};
  constexpr std::array<std::string_view, 4> kOf16{"36", "35", "94", "95"};
  return many_colors_ ? kOf256[session % kOf256.size()] : kOf16[session % kOf16.size()];
}

std::string View::in_color_of(SessionId session, std::string_view text, bool bold) const {
  if (!color_) return std::string{text};
  std::string out = bold ? "\x1b[1;" : "\x1b[";
  return out.append(color_of(session)).append("m").append(text).append("\x1b[0m");
}

std::string View::stamp(const Event& event) const {
  if (timestamps_ == Timestamps::kNone) return {};
  const std::string time = local_time(event.time, timestamps_ == Timestamps::kDateTime);
  return time.empty() ? "" : painted(Tone::kStatus, time) + " ";
}

std::size_t View::stamp_width(const Event& event) const {
  if (timestamps_ == Timestamps::kNone) return 0;
  const std::string time = local_time(event.time, timestamps_ == Timestamps::kDateTime);
  return time.empty() ? 0 : time.size() + 1;
}

void View::append_text(std::vector<Line>& lines, const Event& event, const std::string& lead,
                       std::size_t width, bool bold) const {
  const std::string begin = stamp(event) + lead + " ";
  const std::size_t hang = stamp_width(event) + width + 1;
  for (const std::string& text : escaped_lines(event.text)) {
    const bool bright = color_ && bold && !text.empty();
    lines.push_back({begin + (bright ? "\x1b[1m" + text + "\x1b[0m" : text), hang});
  }
}

void View::append_status(std::vector<Line>& lines, const Event& event, SessionId session,
                         const Roster& roster, const std::string& text) const {
  const std::size_t lead = display_width(bracket(session, roster.name_of(session))) + kMarkWidth;
  lines.push_back({stamp(event) + about(session, roster, text), stamp_width(event) + lead});
}

void View::append_note(std::vector<Line>& lines, const Event& event, const std::string& text,
                       Tone tone) const {
  lines.push_back({stamp(event) + painted(tone, "* " + text), stamp_width(event) + kMarkWidth});
}

void View::append_sent(std::vector<Line>& lines, const Event& event, const Roster& roster,
                       std::string_view own_name) const {
  const std::string from = event.automatic ? " " + escaped(event.operator_name) + " (away):"
                           : event.operator_name == own_name
                               ? ""
                               : " " + escaped(event.operator_name) + ":";
  const bool held = event.state == "held";
  const bool lost = event.state == "lost";
  if (event.sessions.size() > kSeparately) {
    const std::string many = count_of(event.sessions.size(), "client", "clients");
    const std::string lead = "<" + from + " to " + many + ":";
    append_text(lines, event, painted(Tone::kAnswer, lead), display_width(lead), false);
    if (held) append_note(lines, event, "held until they have spoken");
    if (lost) append_note(lines, event, "not delivered");
    return;
  }
  for (const SessionId session : event.sessions) {
    const std::string who = bracket(session, name_in(event, session, roster));
    append_text(lines, event, in_color_of(session, who) + painted(Tone::kAnswer, "<" + from),
                display_width(who + "<" + from), false);
    if (held) append_status(lines, event, session, roster, "held until it has spoken");
    if (lost) append_status(lines, event, session, roster, "not delivered");
  }
}

void View::append_given(std::vector<Line>& lines, const Event& event, const Roster& roster,
                        std::string_view own_name) const {
  const std::string to = event.operator_name == own_name ? "you" : escaped(event.operator_name);
  const std::string by = event.by == own_name ? "" : " by " + escaped(event.by);
  if (event.from == own_name && event.by != own_name) {
    append_taken(lines, event, roster, "was yours; given to " + to + by);
  } else {
    append_status(lines, event, event.session(), roster, "is given to " + to + by);
  }
}

/// The one line that must not be overlooked: a claim of this operator's is another's now.
void View::append_taken(std::vector<Line>& lines, const Event& event, const Roster& roster,
                        const std::string& text) const {
  const std::string lead = bracket(event.session(), roster.name_of(event.session()));
  lines.push_back({stamp(event) + painted(Tone::kProblem, lead + "* " + text),
                   stamp_width(event) + display_width(lead) + kMarkWidth});
}

std::vector<Line> View::event(const Event& event, const Roster& roster, std::string_view own_name,
                              Target focus, bool calls) const {
  using enum EventKind;
  std::vector<Line> lines;
  if (!event.kind) {
    const std::string word = escaped(event.method);
    if (event.session() != 0) {
      append_status(lines, event, event.session(), roster, word);
    } else {
      append_note(lines, event, word);
    }
    return lines;
  }
  const bool is_own = event.operator_name == own_name || event.operator_name.empty();
  const std::string by = is_own ? "" : " by " + escaped(event.operator_name);
  switch (*event.kind) {
    case kConnected:
      append_status(lines, event, event.session(), roster,
                    "connected from " + escaped(event.address) +
                        (event.listener.empty() ? "" : " to " + escaped(event.listener)) +
                        way_of(event));
      break;
    case kMessage: {
      const bool focused = focus == event.session();
      const std::string_view mark = calls ? "!" : focused && !color_ ? "|" : "";
      const std::string who = bracket(event.session(), name_in(event, event.session(), roster));
      append_text(lines, event,
                  in_color_of(event.session(), who, focused || calls) +
                      (calls ? painted(Tone::kProblem, mark) : std::string{mark}),
                  display_width(who) + mark.size(), focused || calls);
      if (event.cut)
        append_status(lines, event, event.session(), roster,
                      "the message was longer; it is cut here");
      break;
    }
    case kAsking:
      append_status(lines, event, event.session(), roster,
                    "waits for one answer, and says no more");
      break;
    case kSent:
      append_sent(lines, event, roster, own_name);
      break;
    case kDelivered:
      append_status(lines, event, event.session(), roster, "the held message has been delivered");
      break;
    case kDisconnected: {
      std::string text = "disconnected";
      if (!event.reason.empty()) text += ": " + escaped(event.reason);
      if (event.lost > 0) {
        text += "; " + count_of(event.lost, "message", "messages") + " did not reach it";
      }
      append_status(lines, event, event.session(), roster, text);
      break;
    }
    case kNamed:
      append_status(lines, event, event.session(), roster,
                    event.name.empty() ? "its name was removed" + by
                    : event.automatic ? "is called " + escaped(event.name) + " by the configuration"
                    : event.operator_name.empty() ? "calls itself " + escaped(event.name)
                                                  : "is now called " + escaped(event.name) + by);
      break;
    case kOperator:
      if (event.operator_name == own_name) break;
      append_note(lines, event,
                  "operator " + escaped(event.operator_name) + " " + escaped(event.state) +
                      (event.text.empty() ? "" : ": ") + escaped(event.text));
      break;
    case kOps: {
      const std::string lead = "* " + escaped(event.operator_name) + " to the operators:";
      append_text(lines, event, painted(Tone::kAnswer, lead), display_width(lead), false);
      break;
    }
    case kWriting:
      break;
    case kClaimed:
      if (!event.by.empty()) {
        append_given(lines, event, roster, own_name);
      } else if (!event.from.empty() && event.from == own_name) {
        append_taken(lines, event, roster, "was yours; taken from you" + by);
      } else {
        append_status(lines, event, event.session(), roster,
                      (event.operator_name == own_name ? "is yours now" : "is claimed" + by) +
                          (event.from.empty() ? "" : ", taken from " + escaped(event.from)));
      }
      break;
    case kNoted: {
      const std::string who = bracket(event.session(), roster.name_of(event.session()));
      const std::string lead = "* note by " + escaped(event.operator_name) + ":";
      append_text(lines, event, in_color_of(event.session(), who) + painted(Tone::kAnswer, lead),
                  display_width(who + lead), false);
      break;
    }
    case kReleased:
      append_status(lines, event, event.session(), roster, "is released" + by);
      break;
    case kBanned: {
      const std::string until = local_time(event.until, true);
      append_note(
          lines, event,
          escaped(event.address) + " is banned" + by + (until.empty() ? "" : " until " + until));
      break;
    }
    case kUnbanned:
      append_note(lines, event,
                  event.operator_name.empty()
                      ? "the ban of " + escaped(event.address) + " has ended"
                      : escaped(event.address) + " is unbanned" + by);
      break;
    case kWarning:
      for (const std::string& line : escaped_lines(event.text)) {
        append_note(lines, event, "warning: " + line, Tone::kProblem);
      }
      break;
    case kLagged:
      append_note(lines, event, count_of(event.lost, "event was", "events were") + " missed");
      break;
  }
  return lines;
}

std::string View::day(std::string_view time, std::string& shown) const {
  const auto at = parse_utc(time);
  if (timestamps_ != Timestamps::kTime || !at) return {};
  std::string day = formatted(*at, "%A, %Y-%m-%d");
  if (day == shown) return {};
  shown = std::move(day);
  return shown;
}

std::string View::rule(std::string_view text) const {
  return painted(Tone::kStatus, "\u2500\u2500 " + std::string{text} + " \u2500\u2500");
}

std::string View::news(std::uint64_t count, std::string_view since, std::time_t now) const {
  std::string told = std::to_string(count) + " new";
  const auto at = parse_utc(since);
  if (!at) return told;
  const bool today = formatted(*at, "%Y-%m-%d") == formatted(now, "%Y-%m-%d");
  return told + " since " + formatted(*at, today ? "%H:%M" : "%Y-%m-%d %H:%M");
}

std::vector<std::string> View::sessions(const std::vector<SessionInfo>& sessions, std::size_t width,
                                        std::time_t now) const {
  const std::string today = formatted(now, "%Y-%m-%d");
  const bool claims = std::any_of(sessions.begin(), sessions.end(),
                                  [](const auto& each) { return !each.claimed_by.empty(); });
  const bool verified = std::any_of(sessions.begin(), sessions.end(),
                                    [](const auto& each) { return !each.verified.empty(); });
  // An address is whole as long as something else can go: half of one is of no use.
  std::vector<Column> columns{
      {"id", false, 0},      {"name", false, 1, 10, 6}, {"address", false, 2, 0, 9},
      {"dialect", false, 6}, {"since", false, 7},       {"idle", true, 5},
      {"waits", true, 4},    {"unread", true, 0},       {"held", true, 0}};
  if (claims) columns.push_back({"claimed by", false, 3, 10});
  if (verified) columns.push_back({"verified", false, 3, 8});
  std::vector<std::vector<std::string>> rows;
  for (const SessionInfo& each : sessions) {
    std::string since = local_time(each.since, true);
    if (since.starts_with(today)) since.erase(0, today.size() + 1);
    std::string dialect = escaped(each.dialect);
    if (!each.state.empty() && each.state != "open") {
      dialect += " (" + escaped(each.state) + ")";
    }
    std::vector<std::string>& row = rows.emplace_back();
    row = {"[" + std::to_string(each.session) + "]",
           escaped(each.name),
           escaped(each.address),
           dialect,
           since,
           short_duration(each.idle_ms),
           wait_of(each, now),
           std::to_string(each.unread),
           std::to_string(each.held)};
    if (claims) row.push_back(escaped(each.claimed_by));
    if (verified) row.push_back(escaped(each.verified));
  }
  std::vector<std::string> lines = format_table(std::move(columns), rows, width);
  lines.front() = painted(Tone::kStatus, lines.front());
  return lines;
}

std::vector<std::string> View::queue(const std::vector<SessionInfo>& sessions, std::size_t width,
                                     std::time_t now, const Shortcuts& shortcuts,
                                     const std::set<SessionId>& muted,
                                     const std::map<SessionId, std::string>& writing,
                                     std::string_view own_name) const {
  const std::string today = formatted(now, "%Y-%m-%d");
  // Who it is and how long it waits stay; of the rest goes first what one needs least to answer.
  std::vector<Column> columns{{"id", false, 0},
                              {"name", false, 1, 10, 6},
                              {"waits", true, 0},
                              {"unread", true, 0},
                              {"last words", false, 4, 24, 8},
                              {"claimed by", false, 3, 8},
                              {"verified", false, 5, 8},
                              {"key", false, 2},
                              {"notes", true, 5},
                              {"state", false, 6},
                              {"answered by", false, 7, 8},
                              {"address", false, 8},
                              {"idle", true, 9},
                              {"held", true, 10},
                              {"dialect", false, 11},
                              {"since", false, 12}};
  std::vector<std::vector<std::string>> rows;
  for (const SessionInfo& each : sessions) {
    std::string since = local_time(each.since, true);
    if (since.starts_with(today)) since.erase(0, today.size() + 1);
    const int key = shortcuts.key_of(each.session);
    const auto writer = writing.find(each.session);
    rows.push_back({"[" + std::to_string(each.session) + "]",
                    escaped(each.name) + (!muted.contains(each.session) ? ""
                                          : each.name.empty()           ? "(muted)"
                                                                        : " (muted)"),
                    wait_of(each, now), std::to_string(each.unread), last_words(each, own_name),
                    escaped(each.claimed_by), escaped(each.verified),
                    key == 0 ? "" : "Alt-" + std::to_string(key),
                    each.notes == 0 ? "" : std::to_string(each.notes),
                    writer != writing.end() ? escaped(writer->second) + " is writing"
                    : each.state == "open"  ? ""
                                            : escaped(each.state),
                    escaped(each.answered_by), escaped(each.address), short_duration(each.idle_ms),
                    std::to_string(each.held), escaped(each.dialect), since});
  }
  // A column of which nothing is told takes no room.
  for (std::size_t i = columns.size(); i-- > kAlwaysInQueue;) {
    if (!std::all_of(rows.begin(), rows.end(), [i](const auto& row) { return row[i].empty(); })) {
      continue;
    }
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& row : rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::vector<std::string> lines = format_table(std::move(columns), rows, width);
  lines.front() = painted(Tone::kStatus, lines.front());
  return lines;
}

std::vector<Line> View::past(const PastMessage& message, const Roster& roster,
                             std::string_view own_name, Target focus, bool calls) const {
  Event event;
  event.kind = message.incoming ? EventKind::kMessage : EventKind::kSent;
  event.time = message.time;
  event.sessions = message.sessions;
  event.text = message.text;
  event.operator_name = message.operator_name;
  event.state = message.state;
  event.name = message.name;
  event.automatic = message.automatic;
  return this->event(event, roster, own_name, focus, calls);
}

std::vector<Line> View::noted(SessionId session, const NoteInfo& note, const Roster& roster) const {
  Event event;
  event.kind = EventKind::kNoted;
  event.time = note.time;
  event.sessions = {session};
  event.operator_name = note.operator_name;
  event.text = note.text;
  return this->event(event, roster, {});
}

std::vector<std::string> View::bans(const std::vector<BanInfo>& bans, std::size_t width) const {
  if (bans.empty()) return {note("no address is banned")};
  std::vector<std::vector<std::string>> rows;
  for (const BanInfo& each : bans) {
    const std::string until = local_time(each.until, true);
    rows.push_back(
        {escaped(each.address), until.empty() ? "for good" : until, escaped(each.operator_name)});
  }
  std::vector<std::string> lines =
      format_table({{"address", false, 0}, {"until", false, 0}, {"by", false, 1, 4}}, rows, width);
  lines.front() = painted(Tone::kStatus, lines.front());
  return lines;
}

std::vector<std::string> View::origins(const std::vector<OriginInfo>& origins,
                                       std::size_t width) const {
  if (origins.empty()) return {note("nobody has connected yet")};
  std::vector<std::vector<std::string>> rows;
  for (const OriginInfo& each : origins) {
    std::vector<std::string> row{escaped(each.origin)};
    for (const auto number : {each.sessions, each.connects, each.refused, each.messages, each.bytes,
                              each.memory, each.records, each.records_lost}) {
      row.push_back(std::to_string(number));
    }
    rows.push_back(std::move(row));
  }
  std::vector<std::string> lines = format_table({{"origin", false, 0},
                                                 {"sessions", true, 0},
                                                 {"connects", true, 1},
                                                 {"refused", true, 2},
                                                 {"messages", true, 1},
                                                 {"bytes", true, 1},
                                                 {"memory", true, 2},
                                                 {"records", true, 3},
                                                 {"not recorded", true, 4}},
                                                rows, width);
  lines.front() = painted(Tone::kStatus, lines.front());
  return lines;
}

std::vector<std::string> View::kicked(const KickOutcome& outcome) const {
  const auto& ids = outcome.kicked;
  if (ids.empty()) return {};
  return {note(count_of(ids.size(), "session", "sessions") + " ended:" + first_brackets(ids))};
}

std::vector<std::string> View::banned(const BanOutcome& outcome) const {
  std::vector<std::string> lines = kicked(outcome.ended);
  if (!outcome.sessions.empty()) {
    lines.push_back(note(
        count_of(outcome.sessions.size(), "client from there stays", "clients from there stay") +
        " connected:" + first_brackets(outcome.sessions)));
  }
  if (!outcome.kept) {
    lines.push_back(note("the ban ends with the daemon: without transcripts no ban is kept"));
  }
  return lines;
}

std::vector<std::string> View::operators(const std::vector<OperatorInfo>& operators,
                                         std::size_t width, std::time_t now) const {
  if (operators.empty()) return {note("no operator is there")};
  const std::string today = formatted(now, "%Y-%m-%d");
  std::vector<std::vector<std::string>> rows;
  for (const OperatorInfo& each : operators) {
    std::string since = local_time(each.since, true);
    if (since.starts_with(today)) since.erase(0, today.size() + 1);
    rows.push_back({escaped(each.name), escaped(each.state), since, escaped(each.text)});
  }
  std::vector<std::string> lines = format_table(
      {{"operator", false, 0, 6}, {"state", false, 0}, {"since", false, 2}, {"says", false, 1, 6}},
      rows, width);
  lines.front() = painted(Tone::kStatus, lines.front());
  return lines;
}

std::vector<std::string> View::stats(const Stats& stats) const {
  std::size_t width = 0;
  for (const auto& [name, value] : stats) width = std::max(width, name.size());
  std::vector<std::string> lines;
  for (const auto& [name, value] : stats) {
    std::string line = "  " + escaped(name);
    line.append(width - name.size() + 2, ' ');
    lines.push_back(line + escaped(value));
  }
  return lines;
}

std::string View::note(std::string_view text) const {
  return painted(Tone::kStatus, "* " + std::string{text});
}

std::vector<std::string> View::problem(std::string_view text) const {
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::vector<std::string> lines = escaped_lines(text);
  for (std::string& line : lines) line = painted(Tone::kProblem, line);
  return lines;
}

std::vector<std::string> View::reload(const ReloadOutcome& outcome) const {
  const auto joined = [](const std::vector<std::string>& keys) {
    std::string out;
    for (const std::string& key : keys) out += (out.empty() ? "" : ", ") + escaped(key);
    return out;
  };
  std::vector<std::string> lines;
  if (!outcome.changed.empty()) lines.push_back(note("changed: " + joined(outcome.changed)));
  if (!outcome.needs_restart.empty()) {
    lines.push_back(note("needs a restart: " + joined(outcome.needs_restart)));
  }
  if (lines.empty()) lines.push_back(note("read again; nothing changed"));
  return lines;
}

std::string View::about(SessionId session, const Roster& roster, std::string_view text) const {
  return painted(Tone::kStatus,
                 bracket(session, roster.name_of(session)) + "* " + std::string{text});
}

namespace {

// How much of the prompt is told; the first that has room is taken.
struct PromptLevel {
  std::size_t name;     // columns of the name of the client in focus
  std::size_t waiting;  // how many clients are told by name
  std::size_t label;    // columns of each of those names
  bool notes;           // whose the client is, and the like
};
constexpr std::size_t kLabel = 10;
constexpr std::array kPromptLevels{
    PromptLevel{32, 3, kLabel, true},     PromptLevel{16, 3, kLabel, true},
    PromptLevel{16, 3, kLabel - 1, true}, PromptLevel{16, 2, kLabel - 1, true},
    PromptLevel{16, 2, 6, true},          PromptLevel{10, 1, 6, true},
    PromptLevel{8, 1, 6, false},          PromptLevel{0, 1, 6, true},
    PromptLevel{0, 1, 6, false},          PromptLevel{0, 1, 4, false},
    PromptLevel{0, 0, 0, false},
};

// What a client is called where its name stands between other things: as much of it as cannot be
// taken for them. Empty: nothing of it.
std::string label_of(std::string_view name, std::size_t columns) {
  const std::string_view shown = name.substr(0, name.find_first_of(" :,()+[]<>"));
  const bool is_digits = shown.find_first_not_of("0123456789") == std::string_view::npos;
  return is_digits ? std::string{} : cut_to_width(escaped(shown), columns);
}

// "ann:2 7:1 left 5:1 +3".
std::string told_of_waiting(const View::PromptNotes& notes, const PromptLevel& level) {
  std::string told;
  const std::size_t listed = std::min(level.waiting, notes.waiting.size());
  bool left = false;
  for (std::size_t i = 0; i < listed; ++i) {
    const View::Waiting& each = notes.waiting[i];
    if (!told.empty()) told += ' ';
    if (each.left && !std::exchange(left, true)) told += "left ";
    const std::string label = label_of(each.name, level.label);
    told += (label.empty() ? std::to_string(each.session) : label) + ":" +
            std::to_string(each.messages);
  }
  const std::size_t more = notes.waiting.size() - listed + notes.more;
  if (more > 0) told += (told.empty() ? "+" : " +") + std::to_string(more);
  return told;
}

}  // namespace

std::string View::prompt(Target focus, const Roster& roster, const PromptNotes& notes) const {
  // The id of the focus is what a line must not be typed without.
  const std::size_t id = focus ? bracket(*focus, {}).size() + 3 : 2;
  const std::size_t room =
      notes.width == 0 ? static_cast<std::size_t>(-1) : std::max(id, notes.width / 3);
  std::string who;
  std::string told;
  for (const PromptLevel& level : kPromptLevels) {
    told.clear();
    const auto tell = [&told](std::string_view text) {
      if (!text.empty()) told.append(told.empty() ? "" : ", ").append(text);
    };
    // Who writes to somebody else is told where there is room to spare.
    const bool writer = !notes.writing.empty() && (!notes.writing_to || level.label >= kLabel);
    if (level.notes && writer) {
      tell(escaped(notes.writing) + " is writing" +
           (notes.writing_to ? " to " + bracket(*notes.writing_to, {}) : ""));
    }
    tell(told_of_waiting(notes, level));
    if (level.notes && focus) {
      const std::string_view holder = roster.claimed_by(*focus);
      if (!holder.empty()) tell(holder == notes.own_name ? "yours" : escaped(holder) + "'s");
    }
    if (level.notes && notes.only) tell("only");
    if (level.notes && notes.away) tell("away");
    who.clear();
    if (focus) {
      const std::string name = level.name == 0
                                   ? std::string{}
                                   : cut_to_width(escaped(roster.name_of(*focus)), level.name);
      who = "[" + std::to_string(*focus) + (name.empty() ? "" : " ") + name + "]";
    }
    const std::size_t width = display_width(who) + (who.empty() ? 0 : 1) + display_width(told) +
                              (told.empty() ? 0 : 3) + 2;
    if (width <= room) break;
    if (&level == &kPromptLevels.back()) told.clear();
  }
  const auto marked = [this](std::string_view sequence, const std::string& text) {
    if (!color_ || text.empty()) return text;
    return "\001\x1b[" + std::string{sequence} + "m\002" + text + "\001\x1b[0m\002";
  };
  std::string prompt =
      focus ? marked("1;" + std::string{color_of(*focus)}, who) + " " : std::string{};
  if (!told.empty()) prompt += marked("33", "(" + told + ")") + " ";
  return prompt + "> ";
}

}  // namespace chatd::console
