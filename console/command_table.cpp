#include "console/command_table.hpp"

#include <algorithm>
#include <utility>

#include "base/nearest.hpp"

namespace chatd::console {
namespace {

using Kind = Parameter::Kind;
using enum Parameter::Kind;

constexpr Parameter kNothingMore{};
constexpr Parameter kId{kSession, "ID"};
constexpr Parameter kIdOrFocus{kFocusSession, "ID"};
constexpr Parameter kWhere{kNetwork, "ADDRESS[/BITS]"};

constexpr std::array kCommands{
    CommandSpec{"all",
                Verb::kSend,
                Place::kTyped,
                {Parameter{kText, "TEXT"}, kNothingMore},
                "sends TEXT to every client"},
    CommandSpec{"send",
                Verb::kSend,
                Place::kScript,
                {Parameter{kReceiver, "ID|all"}, Parameter{kText, "TEXT..."}},
                "sends TEXT to one client or to all; - reads standard input"},
    CommandSpec{"ask",
                Verb::kAsk,
                Place::kScript,
                {kId, Parameter{kText, "TEXT..."}},
                "sends TEXT to a client, and prints what it says next; see --timeout"},
    CommandSpec{"list", Verb::kList, Place::kBoth, {}, "shows every session"},
    CommandSpec{"focus",
                Verb::kFocus,
                Place::kTyped,
                {Parameter{kPerhapsSession, "ID"}, kNothingMore},
                "chooses the client that plain lines go to; without ID, none"},
    CommandSpec{"bye",
                Verb::kBye,
                Place::kBoth,
                {kIdOrFocus, kNothingMore},
                "says bye to a client and ends its session"},
    CommandSpec{"kick",
                Verb::kKick,
                Place::kBoth,
                {Parameter{kTargets, "ID,...|ADDRESS[/BITS]"}, Parameter{kPerhapsText, "REASON"}},
                "ends sessions at once: one, several, or all from an address"},
    CommandSpec{"name",
                Verb::kName,
                Place::kBoth,
                {kId, Parameter{kNewName, "NAME"}},
                "names a session; an empty NAME takes the name away"},
    CommandSpec{"claim",
                Verb::kClaim,
                Place::kBoth,
                {kIdOrFocus, Parameter{kFlag, "--force"}},
                "keeps a client for you alone; --force takes it from another operator"},
    CommandSpec{"release",
                Verb::kRelease,
                Place::kBoth,
                {kIdOrFocus, kNothingMore},
                "lets every operator write to a client again"},
    CommandSpec{"give",
                Verb::kGive,
                Place::kBoth,
                {kId, Parameter{kText, "NAME"}},
                "hands a client that you answer to the operator NAME"},
    CommandSpec{"note",
                Verb::kNote,
                Place::kBoth,
                {kId, Parameter{kText, "TEXT"}},
                "keeps TEXT with a client, for operators to see"},
    CommandSpec{"ops",
                Verb::kOps,
                Place::kBoth,
                {Parameter{kText, "TEXT"}, kNothingMore},
                "says TEXT to the other operators; no client sees it"},
    CommandSpec{"history",
                Verb::kHistory,
                Place::kBoth,
                {Parameter{kScope, "ID|all"}, Parameter{kCount, "N"}},
                "shows the last N messages of one client or of all"},
    CommandSpec{"search",
                Verb::kSearch,
                Place::kBoth,
                {Parameter{kSessionOption, "--client"}, Parameter{kText, "WORDS"}},
                "shows the messages that have all these words; --client: of one client"},
    CommandSpec{"more",
                Verb::kMore,
                Place::kTyped,
                {},
                "shows the messages before those of the last /history or /search"},
    CommandSpec{"ban",
                Verb::kBan,
                Place::kBoth,
                {kWhere, Parameter{kDuration, "DURATION"}, Parameter{kFlag, "--now"}},
                "refuses an address for a time, such as 10m, 2h or 1d, or for good; --now ends who "
                "is connected"},
    CommandSpec{
        "unban", Verb::kUnban, Place::kBoth, {kWhere, kNothingMore}, "admits an address again"},
    CommandSpec{"bans", Verb::kBans, Place::kBoth, {}, "shows every banned address"},
    CommandSpec{"origins",
                Verb::kOrigins,
                Place::kBoth,
                {Parameter{kCount, "N"}},
                "shows what each address costs, the N dearest first"},
    CommandSpec{"away",
                Verb::kAway,
                Place::kTyped,
                {Parameter{kText, "TEXT"}, kNothingMore},
                "answers TEXT once to each client who writes while every operator is away"},
    CommandSpec{"back", Verb::kBack, Place::kTyped, {}, "ends /away"},
    CommandSpec{"tail",
                Verb::kTail,
                Place::kScript,
                {Parameter{kNumberOption, "--since"}, kNothingMore},
                "prints events as they happen; --since: first those after event SEQ"},
    CommandSpec{"talk",
                Verb::kTalk,
                Place::kScript,
                {Parameter{kServer, "HOST[:PORT]"}, Parameter{kPort, "PORT"}},
                "talks to a chat server as one of its clients"},
    CommandSpec{"stats", Verb::kStats, Place::kBoth, {}, "shows the daemon's counters"},
    CommandSpec{
        "reload", Verb::kReload, Place::kBoth, {}, "makes the daemon read its configuration again"},
    CommandSpec{"stop", Verb::kStop, Place::kScript, {}, "stops the daemon"},
    CommandSpec{"completion",
                Verb::kCompletion,
                Place::kScript,
                {Parameter{kShell, kShells}, kNothingMore},
                "prints the completion script of a shell"},
    CommandSpec{"help",
                Verb::kHelp,
                Place::kScript,
                {Parameter{kPerhapsText, "COMMAND"}, kNothingMore},
                "prints this help, or that of one command"},
    CommandSpec{"help", Verb::kHelp, Place::kTyped, {}, "shows this help"},
    CommandSpec{"quit", Verb::kQuit, Place::kTyped, {}, "leaves the console"},
};

constexpr std::array kOptions{
    OptionSpec{"--socket", "", "PATH", "the daemon's control socket"},
    OptionSpec{"--json", "", "", "one JSON document a line, of one shape for all that was said"},
    OptionSpec{"--name", "", "NAME", "your name, as other operators see it"},
    OptionSpec{"--timeout", "", "DURATION",
               "how long to wait for the daemon's answer (10s); ask: for the client's (5m)"},
    OptionSpec{"--timestamps", "", "none|time|datetime", "the time before each event"},
    OptionSpec{"--color", "", "auto|always|never", "colours; auto: in a terminal"},
    OptionSpec{"--version", "-V", "", "prints the version and exits"},
    OptionSpec{"--help", "-h", "", "prints this help and exits"},
};

// What can be typed besides the commands of the table, and the keys that are ours.
struct OtherForm {
  std::string_view usage;
  std::string_view help;
};
constexpr std::array kOtherForms{
    OtherForm{"TEXT", "sends TEXT to the client in focus"},
    OtherForm{"@ID TEXT", "sends TEXT to that client; the focus stays"},
    OtherForm{"//TEXT", "sends /TEXT to the client in focus"},
    OtherForm{"bye", "the same as /bye"},
};
constexpr std::array kKeys{
    OtherForm{"Alt-a", "focuses the client whose unread message is the oldest"},
    OtherForm{"Alt-1 .. Alt-9", "focuses the client with that key in /list"},
    OtherForm{"Alt-o", "shows the client in focus alone, or all again"},
    OtherForm{"Alt-Enter, Ctrl-J", "begins a new line within the message"},
    OtherForm{"Ctrl-R", "looks for an earlier line; Tab completes"},
    OtherForm{"Ctrl-C", "clears the line; on an empty one it is /quit"},
};

bool is_at(const CommandSpec& spec, Place place) {
  return place == Place::kTyped ? spec.typed() : spec.scripted();
}

constexpr std::size_t kPageWidth = 80;  // of chatctl --help
constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastHelp = 24;  // columns; where there are fewer, below the usage

// `text` cut between words into lines of at most `width` columns. ASCII alone.
std::vector<std::string_view> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string_view> lines;
  while (text.size() > width) {
    std::size_t end = text.rfind(' ', width);
    if (end == std::string_view::npos || end == 0) end = text.find(' ');
    if (end == std::string_view::npos) break;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  lines.push_back(text);
  return lines;
}

class Sheet {
 public:
  void add(std::string usage, std::string_view help) {
    widest_ = std::max(widest_, usage.size());
    rows_.emplace_back(std::move(usage), help);
  }

  [[nodiscard]] std::vector<std::string> lines(std::size_t width) const {
    std::size_t column = kIndent + widest_ + kGap;
    const bool below = width > 0 && column + kLeastHelp > width;
    if (below) column = 2 * kIndent;
    const std::size_t room =
        width == 0 ? static_cast<std::size_t>(-1) : width - std::min(width, column);
    std::vector<std::string> lines;
    for (const auto& [usage, help] : rows_) {
      std::string line = std::string(kIndent, ' ') + usage;
      if (below) lines.push_back(std::exchange(line, {}));
      for (const std::string_view part : wrapped(help, room)) {
        line.append(column - std::min(column, line.size()), ' ');
        lines.push_back(line.append(part));
        line.clear();
      }
    }
    return lines;
  }

 private:
  std::vector<std::pair<std::string, std::string_view>> rows_;
  std::size_t widest_ = 0;
};

}  // namespace

std::span<const CommandSpec> commands() {
  return kCommands;
}

std::span<const OptionSpec> options() {
  return kOptions;
}

const CommandSpec* find_command(std::string_view word, Place place) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(), [&](const auto& spec) {
    return spec.word == word && is_at(spec, place);
  });
  return found == kCommands.end() ? nullptr : &*found;
}

std::string_view nearest_command(std::string_view word, Place place) {
  std::vector<std::string_view> known;
  for (const CommandSpec& spec : kCommands) {
    if (is_at(spec, place)) known.push_back(spec.word);
  }
  return nearest(word, known);
}

std::string usage_of(const CommandSpec& spec, Place place) {
  std::string usage{place == Place::kTyped ? "/" : ""};
  usage += spec.word;
  for (const Parameter& parameter : spec.parameters) {
    const std::string noun{parameter.noun};
    switch (parameter.kind) {
      case kNone:
        break;
      case kSession:
      case kReceiver:
      case kNetwork:
      case kTargets:
      case kShell:
      case kServer:
      case kText:
        usage += " " + noun;
        break;
      case kFocusSession:
      case kNewName:
        usage += place == Place::kTyped ? " [" + noun + "]" : " " + noun;
        break;
      case kPerhapsSession:
      case kScope:
      case kCount:
      case kDuration:
      case kPort:
      case kPerhapsText:
      case kFlag:
        usage += " [" + noun + "]";
        break;
      case kNumberOption:
        usage += " [" + noun + " SEQ]";
        break;
      case kSessionOption:
        usage += " [" + noun + " ID]";
        break;
    }
  }
  return usage;
}

std::vector<std::string_view> choices_of(std::string_view list) {
  std::vector<std::string_view> choices;
  for (;;) {
    const std::size_t end = list.find('|');
    choices.push_back(list.substr(0, end));
    if (end == std::string_view::npos) return choices;
    list.remove_prefix(end + 1);
  }
}

std::vector<std::string> help_lines(std::size_t width) {
  Sheet sheet;
  for (const OtherForm& form : kOtherForms) sheet.add(std::string{form.usage}, form.help);
  for (const CommandSpec& spec : kCommands) {
    if (spec.typed()) sheet.add(usage_of(spec, Place::kTyped), spec.help);
  }
  for (const OtherForm& key : kKeys) sheet.add(std::string{key.usage}, key.help);
  return sheet.lines(width);
}

std::vector<std::string> script_command_lines() {
  Sheet sheet;
  for (const CommandSpec& spec : kCommands) {
    if (spec.scripted()) sheet.add(usage_of(spec, Place::kScript), spec.help);
  }
  return sheet.lines(kPageWidth);
}

std::vector<std::string> option_lines() {
  Sheet sheet;
  for (const OptionSpec& option : kOptions) {
    std::string usage = option.letter.empty() ? "" : std::string{option.letter} + ", ";
    usage += option.word;
    if (!option.value.empty()) usage += " " + std::string{option.value};
    sheet.add(std::move(usage), option.help);
  }
  return sheet.lines(kPageWidth);
}

}  // namespace chatd::console
