#include "console/command_table.hpp"

#include <algorithm>
#include <utility>

#include "base/nearest.hpp"
#include "console/fold.hpp"
#include "console/sheet.hpp"

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
    CommandSpec{
        "focus",
        Verb::kFocus,
        Place::kTyped,
        {Parameter{kPerhapsSession, "ID"}, kNothingMore},
        "turns to a client: shows what was said, and plain lines go there; without ID, to none"},
    CommandSpec{"only",
                Verb::kOnly,
                Place::kTyped,
                {},
                "shows the client in focus alone, and counts the others; again: shows all"},
    CommandSpec{"mute",
                Verb::kMute,
                Place::kTyped,
                {Parameter{kPerhapsSession, "ID"}, kNothingMore},
                "neither shows nor counts a client; again: does; without ID shows who is muted"},
    CommandSpec{"reply",
                Verb::kReply,
                Place::kTyped,
                {Parameter{kPerhapsText, "NAME"}, kNothingMore},
                "sends a prepared text to the client in focus; without NAME shows all; also /r"},
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
                {Parameter{kLeadingSession, "ID"}, Parameter{kPerhapsText, "TEXT"}},
                "keeps TEXT with a client, for operators to see; without TEXT shows what is kept"},
    CommandSpec{"ops",
                Verb::kOps,
                Place::kBoth,
                {Parameter{kText, "TEXT"}, kNothingMore},
                "says TEXT to the other operators; no client sees it"},
    CommandSpec{"who",
                Verb::kWho,
                Place::kTyped,
                {},
                "shows which operators are there, and which are away"},
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
                {Parameter{kServer, "[tls:]HOST[:PORT]"}, Parameter{kPort, "PORT"},
                 Parameter{kFileOption, "--ca"}, Parameter{kFileOption, "--certificate"},
                 Parameter{kFileOption, "--key"}},
                "talks to a chat server as one of its clients; tls: over TLS, with a server that "
                "this machine trusts, or --ca; --certificate and --key FILE say who you are"},
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
    CommandSpec{"help",
                Verb::kHelp,
                Place::kTyped,
                {Parameter{kPerhapsText, "COMMAND"}, kNothingMore},
                "shows what one needs every day; tells more of one command, or of all"},
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
    OtherForm{"Alt-a", "turns to the client that has waited longest"},
    OtherForm{"Alt-1 .. Alt-9", "turns to the client with that key in /list"},
    OtherForm{"Alt-o", "the same as /only"},
    OtherForm{"Alt-Enter, Ctrl-J", "begins a new line within the message"},
    OtherForm{"Ctrl-R", "looks for an earlier line; Tab completes"},
    OtherForm{"Ctrl-C", "clears the line; on an empty one it is /quit"},
};

bool is_at(const CommandSpec& spec, Place place) {
  return place == Place::kTyped ? spec.typed() : spec.scripted();
}

constexpr std::size_t kPageWidth = 80;  // of chatctl --help
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

namespace {

// What cannot be undone is not done by half a word.
bool needs_whole_word(Verb verb) {
  switch (verb) {
    case Verb::kKick:
    case Verb::kBan:
    case Verb::kBye:
    case Verb::kSend:
    case Verb::kQuit:
      return true;
    default:
      return false;
  }
}

}  // namespace

Meant meant_command(std::string_view word) {
  if (word.empty()) return {};
  if (word == "r" || word == "R") word = "reply";  // what is typed most often
  if (const CommandSpec* exact = find_command(word, Place::kTyped)) return {exact, {}};
  Meant meant;
  const std::u32string typed = folded(word);
  for (const CommandSpec& spec : kCommands) {
    if (!spec.typed()) continue;
    const std::u32string known = folded(spec.word);
    if (known == typed) return {&spec, {}};
    if (known.starts_with(typed)) meant.candidates.push_back(spec.word);
  }
  if (meant.candidates.size() == 1) {
    const CommandSpec* only = find_command(meant.candidates.front(), Place::kTyped);
    if (!needs_whole_word(only->verb)) meant.spec = only;
  }
  return meant;
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
      case kLeadingSession:
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
      case kFileOption:  // of several the first; its help tells of the others
        if (usage.find(" FILE]") == std::string::npos) usage += " [" + noun + " FILE]";
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
  for (const OtherForm& form : kOtherForms)
    sheet.add(std::string{form.usage}, std::string{form.help});
  for (const CommandSpec& spec : kCommands) {
    if (spec.typed()) sheet.add(usage_of(spec, Place::kTyped), std::string{spec.help});
  }
  for (const OtherForm& key : kKeys) sheet.add(std::string{key.usage}, std::string{key.help});
  return sheet.lines(width);
}

std::vector<std::string> script_command_lines() {
  Sheet sheet;
  for (const CommandSpec& spec : kCommands) {
    if (spec.scripted()) sheet.add(usage_of(spec, Place::kScript), std::string{spec.help});
  }
  return sheet.lines(kPageWidth);
}

std::vector<std::string> option_lines() {
  Sheet sheet;
  for (const OptionSpec& option : kOptions) {
    std::string usage = option.letter.empty() ? "" : std::string{option.letter} + ", ";
    usage += option.word;
    if (!option.value.empty()) usage += " " + std::string{option.value};
    sheet.add(std::move(usage), std::string{option.help});
  }
  return sheet.lines(kPageWidth);
}

}  // namespace chatd::console
