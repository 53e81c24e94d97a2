#include "console/command.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/nearest.hpp"
#include "core/text.hpp"

namespace chatd::console {
namespace {

using enum Argument;

constexpr std::array kCommands{
    CommandSpec{"all", Verb::kAll, {kText, kNone}, "/all text", "sends to every client"},
    CommandSpec{"list", Verb::kList, {kNone, kNone}, "/list", "shows every session"},
    CommandSpec{"focus",
                Verb::kFocus,
                {kOptionalSession, kNone},
                "/focus [ID]",
                "sets the client that plain lines go to; without ID there is none"},
    CommandSpec{"bye",
                Verb::kBye,
                {kOptionalSession, kNone},
                "/bye [ID]",
                "says bye to that client, or to the one in focus, and ends its session"},
    CommandSpec{"kick",
                Verb::kKick,
                {kSession, kOptionalText},
                "/kick ID [reason]",
                "ends a session at once"},
    CommandSpec{"name", Verb::kName, {kSession, kText}, "/name ID NAME", "names a session"},
    CommandSpec{"stats", Verb::kStats, {kNone, kNone}, "/stats", "shows the daemon's numbers"},
    CommandSpec{
        "reload", Verb::kReload, {kNone, kNone}, "/reload", "reads the configuration again"},
    CommandSpec{"help", Verb::kHelp, {kNone, kNone}, "/help", "shows this"},
    CommandSpec{"quit", Verb::kQuit, {kNone, kNone}, "/quit", "leaves the console"},
};

// What can be typed besides the commands of the table.
struct OtherForm {
  std::string_view usage;
  std::string_view help;
};
constexpr std::array kOtherForms{
    OtherForm{"text", "sends it to the client in focus"},
    OtherForm{"@ID text", "sends to that client; the focus stays"},
    OtherForm{"//text", "sends /text to the client in focus"},
    OtherForm{"bye", "the same as /bye"},
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the first word off `rest`, and the one blank that ends it: what follows
// may be text whose own blanks count.
std::string_view take_word(std::string_view& rest) {
  const auto end = std::find_if(rest.begin(), rest.end(), is_blank);
  const auto length = static_cast<std::size_t>(end - rest.begin());
  const std::string_view word = rest.substr(0, length);
  rest.remove_prefix(std::min(rest.size(), length + 1));
  return word;
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
}

// A word as it can be repeated in an answer; the whole of a pasted page cannot.
std::string shown_word(std::string_view word) {
  constexpr std::size_t kLongest = 40;
  const bool cut = word.size() > kLongest;
  return core::escaped(cut ? core::prefix_of(word, kLongest) : word) + (cut ? "..." : "");
}

// The session that a word means, or why it means none.
std::variant<SessionId, Refusal> session_of(std::string_view word, const SessionFinder& find) {
  SessionId id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  const bool digits = end == word.data() + word.size() && !word.empty();
  if (digits && error == std::errc{} && id > 0) return id;
  const std::string shown = shown_word(word);
  if (digits) return Refusal{"'" + shown + "' is no session id; ids count up from 1"};
  const std::vector<SessionId> named = find(word);
  if (named.size() == 1) return named.front();
  if (named.empty()) return Refusal{"no session is called '" + shown + "'; /list shows them all"};
  std::string ids;
  for (const SessionId each : named) ids += (ids.empty() ? "" : ", ") + std::to_string(each);
  return Refusal{"several sessions are called '" + shown + "': " + ids + "; say which id"};
}

Parsed parse_at(std::string_view rest, const SessionFinder& find) {
  const std::string_view word = take_word(rest);
  if (word.empty()) return Refusal{"to whom? @ID text sends text to that client"};
  auto session = session_of(word, find);
  if (auto* refusal = std::get_if<Refusal>(&session)) {
    return Refusal{"not sent: " + refusal->message +
                   ". To send a line that begins with @ write the client's @ID before it"};
  }
  if (rest.empty()) return Refusal{"nothing to send; @ID text sends text to that client"};
  return Command{Verb::kSayTo, std::get<SessionId>(session), std::string{rest}};
}

Refusal unknown(std::string_view word) {
  std::vector<std::string_view> known;
  for (const CommandSpec& spec : kCommands) known.push_back(spec.word);
  const std::string_view near = nearest(word, known);
  std::string message = "unknown command /" + shown_word(word);
  message += near.empty() ? "; /help shows them all" : "; did you mean /" + std::string{near} + "?";
  return Refusal{message + " (//text sends /text)"};
}

Parsed parse_slash(std::string_view rest, const SessionFinder& find) {
  const std::string_view word = take_word(rest);
  const auto spec = std::find_if(kCommands.begin(), kCommands.end(),
                                 [&](const CommandSpec& each) { return each.word == word; });
  if (spec == kCommands.end()) return unknown(word);

  const Refusal usage{"usage: " + std::string{spec->usage}};
  Command command{spec->verb, {}, {}};
  for (const Argument argument : spec->arguments) {
    switch (argument) {
      case kNone:
        break;
      case kSession:
      case kOptionalSession: {
        skip_blanks(rest);
        if (rest.empty()) {
          if (argument == kSession) return usage;
          break;
        }
        auto session = session_of(take_word(rest), find);
        if (auto* refusal = std::get_if<Refusal>(&session)) return *refusal;
        command.session = std::get<SessionId>(session);
        break;
      }
      case kText:
        if (trimmed(rest).empty()) return usage;
        [[fallthrough]];
      case kOptionalText:
        command.text = rest;
        rest = {};
        break;
    }
  }
  // Something that the command does not take was meant to be something: asking is
  // better than doing half of it.
  if (!trimmed(rest).empty()) return usage;
  if (command.verb == Verb::kName || command.verb == Verb::kKick) {
    command.text = trimmed(command.text);
  }
  return command;
}

}  // namespace

std::span<const CommandSpec> commands() {
  return kCommands;
}

Parsed parse(std::string_view line, const SessionFinder& find) {
  if (line.empty()) return Command{};
  if (line.starts_with("//")) return Command{Verb::kSay, {}, std::string{line.substr(1)}};
  if (line.front() == '/') return parse_slash(line.substr(1), find);
  if (line.front() == '@') return parse_at(line.substr(1), find);
  if (trimmed(line) == "bye") return Command{Verb::kBye, {}, {}};
  return Command{Verb::kSay, {}, std::string{line}};
}

std::vector<std::string> help_lines() {
  std::size_t width = 0;
  for (const OtherForm& form : kOtherForms) width = std::max(width, form.usage.size());
  for (const CommandSpec& spec : kCommands) width = std::max(width, spec.usage.size());
  std::vector<std::string> lines;
  const auto add = [&](std::string_view usage, std::string_view help) {
    std::string line = "  " + std::string{usage};
    line.append(width - usage.size() + 2, ' ');
    lines.push_back(line.append(help));
  };
  for (const OtherForm& form : kOtherForms) add(form.usage, form.help);
  for (const CommandSpec& spec : kCommands) add(spec.usage, spec.help);
  return lines;
}

}  // namespace chatd::console
