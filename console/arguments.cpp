#include "console/arguments.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/line_ends.hpp"
#include "base/nearest.hpp"
#include "base/protocol.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "base/words.hpp"
#include "console/command_table.hpp"
#include "console/line.hpp"

namespace chatd::console {
namespace {

constexpr std::string_view kHelpBegin = R"(Usage: chatctl [OPTION]... [COMMAND ARGS...]
Without a command: the operator's console of a running chatd, with line editing if
standard input and output are a terminal. /help shows what can be typed there.

Commands:
)";
constexpr std::string_view kHelpEnd = R"(
Options stand anywhere before a text. Without --socket: $CHATD_SOCKET,
$RUNTIME_DIRECTORY/control.sock, /run/chatd/control.sock,
$XDG_RUNTIME_DIR/chatd/control.sock, /tmp/chatd-UID/control.sock.

Exit codes:
  0  done                        4  no such session
  1  the daemon refused          5  permission denied
  2  wrong usage                 6  talk: the connection broke
  3  no daemon; talk: no         7  done for some, refused for others
     connection                  8  no answer within --timeout
                                 9  talk: not the server that was meant
)";

struct Words {
  std::vector<std::pair<const OptionSpec*, std::string>> options;
  std::vector<std::string> command;  // with its arguments
};

Exit usage(const std::string& what) {
  complain(what + "; chatctl --help lists everything");
  return {ExitCode::kUsage};
}

// How many words stand before the text of a command; the largest number if it has no
// text.
std::size_t words_before_text(const CommandSpec& spec) {
  std::size_t count = 1;
  for (const Parameter& parameter : spec.parameters) {
    switch (parameter.kind) {
      case Parameter::Kind::kText:
      case Parameter::Kind::kPerhapsText:
      case Parameter::Kind::kNewName:
        return count;
      case Parameter::Kind::kNone:
        break;
      default:
        if (!parameter.is_option()) ++count;
    }
  }
  return static_cast<std::size_t>(-1);
}

const Parameter* option_of(const CommandSpec* spec, std::string_view word) {
  if (spec == nullptr) return nullptr;
  const auto found = std::find_if(spec->parameters.begin(), spec->parameters.end(),
                                  [&](const Parameter& each) { return each.noun == word; });
  return found == spec->parameters.end() ? nullptr : &*found;
}

Exit unknown_option(std::string_view word, const CommandSpec* spec) {
  std::vector<std::string_view> known;
  for (const OptionSpec& each : options()) known.push_back(each.word);
  if (spec != nullptr) {
    for (const Parameter& each : spec->parameters) {
      if (each.noun.starts_with("--")) known.push_back(each.noun);
    }
  }
  const std::string what = "unknown option '" + std::string{word} + "'";
  const std::string_view near = nearest(word, known);
  if (near.empty()) return usage(what);
  complain(what + "; did you mean " + std::string{near} + "?");
  return {ExitCode::kUsage};
}

const OptionSpec* find_option(std::string_view name) {
  const auto found = std::find_if(options().begin(), options().end(), [&](const auto& each) {
    return each.word == name || each.letter == name;
  });
  return found == options().end() ? nullptr : &*found;
}

constexpr std::string_view kTimeout = "--timeout";

// `ask ID TEXT --timeout 5m` may be written in this order, too: how many words at the end of the
// arguments are that option. Behind a "--" before the text they are the text's own.
std::size_t words_of_last_timeout(std::span<const char* const> arguments) {
  const auto is = [&](std::size_t from_end, std::string_view begin) {
    return arguments.size() >= from_end &&
           std::string_view{arguments[arguments.size() - from_end]}.starts_with(begin);
  };
  if (is(1, "--timeout=")) return 1;
  const bool apart = is(2, kTimeout) && kTimeout == arguments[arguments.size() - 2];
  return apart && parse_duration(arguments.back()) ? 2 : 0;
}

// Takes chatctl's own options out of the arguments. What follows the beginning of a
// text, or "--", is not an option.
std::variant<Words, Exit> split(std::span<const char* const> arguments) {
  Words words;
  const CommandSpec* spec = nullptr;
  auto text_after = static_cast<std::size_t>(-1);
  std::size_t taken = 0;  // words of the command that are not options
  bool only_words = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    // The text of an ask has begun, and what is left may be its time-out.
    if (spec != nullptr && spec->verb == Verb::kAsk && taken > text_after && !only_words) {
      const std::size_t last = words_of_last_timeout(arguments);
      if (last > 0 && i == arguments.size() - last) {
        const std::string_view value =
            last == 1 ? word.substr(kTimeout.size() + 1) : arguments[i + 1];
        words.options.emplace_back(find_option(kTimeout), value);
        break;
      }
    }
    if (word == "--" && taken == text_after && !only_words) {
      only_words = true;  // `send 3 -- "$text"`: a script that takes no chances
      continue;
    }
    if (only_words || taken >= text_after || word.size() < 2 || word.front() != '-') {
      if (words.command.empty()) {
        spec = find_command(word, Place::kScript);
        if (spec != nullptr) text_after = words_before_text(*spec);
      }
      words.command.emplace_back(word);
      ++taken;
      continue;
    }
    if (word == "--") {
      only_words = true;
      continue;
    }
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const std::string_view name = word.substr(0, equals);
    const OptionSpec* own = find_option(name);
    const bool known = own != nullptr;
    const Parameter* parameter = known ? nullptr : option_of(spec, name);
    if (!known && parameter == nullptr) return unknown_option(name, spec);
    const bool wants = known ? !own->value.empty() : parameter->takes_value();
    std::string value;
    if (equals != std::string_view::npos) {
      if (!wants) return usage(std::string{name} + " takes no value");
      value = word.substr(equals + 1);
    } else if (wants) {
      if (++i == arguments.size()) return usage(std::string{name} + ": its value is missing");
      value = arguments[i];
    }
    if (known) {
      // An unset variable of a script must not mean some other daemon.
      if (own->word == "--socket" && value.empty()) {
        return usage("--socket: the path of a socket is missing");
      }
      words.options.emplace_back(own, std::move(value));
    } else {
      words.command.emplace_back(name);
      if (wants) words.command.push_back(std::move(value));
    }
  }
  return words;
}

// What `-` stands for. An LF at the end is the shell's, not the text's.
std::optional<std::string> read_text() {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      complain(Error::from_errno("reading standard input", errno).message);
      return std::nullopt;
    }
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxControlText) {
      complain("the text on standard input is longer than 1 MiB");
      return std::nullopt;
    }
  }
  text = with_lf(text);  // the file may be one of Windows
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// The place of `word` among the choices of its option.
template <class T>
std::optional<T> chosen(const OptionSpec& option, std::string_view word) {
  const auto choices = choices_of(option.value);
  const auto found = std::find(choices.begin(), choices.end(), word);
  if (found == choices.end()) return std::nullopt;
  return static_cast<T>(found - choices.begin());
}

Exit wrong_choice(const OptionSpec& option) {
  return usage(std::string{option.word} + " is " + listed(choices_of(option.value)));
}

// What belongs to a daemon and its operators means nothing to a client.
Exit useless_with_talk(std::string_view option) {
  return usage(std::string{option} + " has no meaning for talk, which is a client and no operator");
}

std::variant<Arguments, Exit> talk_to(const Words& words, const Command& command,
                                      Arguments arguments) {
  for (const auto& [option, value] : words.options) {
    if (option->word != "--color") return useless_with_talk(option->word);
  }
  auto server = ServerName::parse(command.text, command.number);
  if (!server) return usage(server.error().message);
  const bool has_files = !(command.ca + command.certificate + command.key).empty();
  if (has_files && !server->tls) {
    return usage("files of TLS have no meaning without tls: before the server");
  }
  if (command.certificate.empty() && !command.key.empty()) {
    return usage("--key belongs to --certificate");
  }
  // One file may have both.
  const std::string& key = command.key.empty() ? command.certificate : command.key;
  arguments.talk = Talk{std::move(*server), {command.ca, {command.certificate, key}}};
  return arguments;
}

Exit print_help() {
  std::string help{kHelpBegin};
  for (const std::string& line : script_command_lines()) help += line + '\n';
  help += "\nOptions:\n";
  for (const std::string& line : option_lines()) help += line + '\n';
  help += kHelpEnd;
  return print_and_exit(help);
}

// `help COMMAND`, `--help COMMAND`, `COMMAND --help`.
Exit print_help_of(std::string_view word) {
  const CommandSpec* spec = find_command(word, Place::kScript);
  const Place place = spec != nullptr ? Place::kScript : Place::kTyped;
  if (spec == nullptr) spec = find_command(word, Place::kTyped);
  if (spec == nullptr) {
    complain(unknown_script_command(word));
    return {ExitCode::kUsage};
  }
  std::string help = place == Place::kScript ? "Usage: chatctl " : "In the console: ";
  help += usage_of(*spec, place) + "\n  " + std::string{spec->help} + "\n";
  return print_and_exit(help + "man chatctl says more.\n");
}

Exit print_help(std::span<const std::string> words) {
  if (words.size() > 1) return usage("help is about one command");
  return words.empty() ? print_help() : print_help_of(words.front());
}

// What `send` and `ask` send; for "-", standard input.
std::optional<Exit> take_text(Command& command) {
  if (command.text == "-") {
    auto text = read_text();
    if (!text) return Exit{ExitCode::kRefused};
    command.text = std::move(*text);
  } else {
    command.text = with_lf(command.text);  // "$(cat FILE)"
  }
  if (!command.text.empty()) return std::nullopt;
  // A command whose output it should have been has printed nothing.
  complain("not sent: the text is empty");
  return Exit{ExitCode::kUsage};
}

}  // namespace

void complain(const std::string& text) {
  put_line(stderr, "chatctl: " + escaped(text));
}

Exit print_and_exit(const std::string& text) {
  // Of a long text the beginning is written by fputs already.
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  // A reader that has seen enough (EPIPE) is no fault.
  if (printed || errno == EPIPE) return {ExitCode::kDone};
  complain(Error::from_errno("writing to standard output", errno).message);
  return {ExitCode::kRefused};
}

std::variant<Arguments, Exit> read_arguments(int argc, const char* const* argv) {
  auto read = split(std::span{argv, static_cast<std::size_t>(argc)}.subspan(argc > 0 ? 1 : 0));
  if (const auto* exit = std::get_if<Exit>(&read)) return *exit;
  const Words& words = *std::get_if<Words>(&read);

  Arguments arguments;
  bool json = false;
  std::optional<std::uint64_t> timeout;
  for (const auto& [option, value] : words.options) {
    const std::string_view word = option->word;
    if (word == "--help") {
      return print_help(
          std::span{words.command}.first(std::min<std::size_t>(1, words.command.size())));
    }
    if (word == "--version") return print_and_exit("chatctl " + std::string{kVersion} + "\n");
    if (word == "--json") json = true;
    if (word == "--socket") arguments.socket = value;
    if (word == "--name") arguments.name = value;
    if (word == kTimeout) {
      timeout = parse_duration(value);
      if (!timeout) return usage("--timeout is a duration, such as 30s, 5m or 1h");
    }
    if (word == "--color") {
      const auto color = chosen<ColorChoice>(*option, value);
      if (!color) return wrong_choice(*option);
      arguments.color = *color;
    }
    if (word == "--timestamps") {
      const auto timestamps = chosen<Timestamps>(*option, value);
      if (!timestamps) return wrong_choice(*option);
      arguments.timestamps = *timestamps;
    }
  }
  if (words.command.empty()) {
    if (json) return usage("--json belongs to a command");
    if (timeout) return usage("--timeout belongs to a command");
    return arguments;
  }
  if (words.command.front() == "help") return print_help(std::span{words.command}.subspan(1));
  Parsed parsed = parse_script(words.command);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    complain(refusal->message);
    return Exit{ExitCode::kUsage};
  }
  if (auto& command = *std::get_if<Command>(&parsed); command.verb == Verb::kTalk) {
    return talk_to(words, command, std::move(arguments));
  }
  auto& one_shot = arguments.command.emplace();
  one_shot.command = std::move(*std::get_if<Command>(&parsed));
  one_shot.json = json;
  if (timeout) one_shot.timeout = std::chrono::seconds{*timeout};
  const Verb verb = one_shot.command.verb;
  if (timeout && (verb == Verb::kTail || verb == Verb::kCompletion)) {
    return usage("--timeout has no meaning for " + words.command.front());
  }
  if (verb == Verb::kSend || verb == Verb::kAsk) {
    if (const auto exit = take_text(one_shot.command)) return *exit;
  }
  return arguments;
}

}  // namespace chatd::console
