#include "console/arguments.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <exception>
#include <span>
#include <string_view>

#include "base/nearest.hpp"
#include "base/result.hpp"
#include "core/text.hpp"

namespace chatd::console {
namespace {

using Operation = OneShot::Operation;

constexpr const char* kHelp = R"(Usage: chatctl [OPTION]... [COMMAND ARGS...]
Without a command: the operator's console of a running chatd, line by line where
standard input is not a terminal. /help shows what can be typed there.

Commands:
  list                every session
  send ID|all TEXT... sends TEXT to one client or to all; - reads standard input
  bye ID              says bye to a client and ends its session
  kick ID [REASON]    ends a session at once
  name ID NAME        names a session
  tail [--since SEQ]  prints what happens, first what happened after event SEQ
  stats               the daemon's counters
  reload              lets the daemon read its configuration again
  stop                stops the daemon

Options:
  --socket PATH       the daemon's control socket
  --json              one JSON document a line, as in the control protocol
  --name NAME         what other operators see
  --timestamps none|time|datetime
  --color auto|always|never
  -V, --version
  -h, --help

Without --socket: $CHATD_SOCKET, $RUNTIME_DIRECTORY/control.sock,
/run/chatd/control.sock, $XDG_RUNTIME_DIR/chatd/control.sock,
/tmp/chatd-UID/control.sock.

Exit codes:
  0  done                        3  no daemon at that socket
  1  the daemon refused          4  no such session
  2  wrong usage                 5  permission denied
)";

struct CommandForm {
  std::string_view word;
  Operation operation;
  std::string_view usage;
  bool session;       // takes an ID first
  std::size_t least;  // further arguments
  std::size_t most;
};

constexpr std::size_t kAny = static_cast<std::size_t>(-1);
constexpr std::array<CommandForm, 9> kForms{{
    {"list", Operation::kList, "list", false, 0, 0},
    {"send", Operation::kSend, "send ID|all TEXT...", true, 1, kAny},
    {"bye", Operation::kBye, "bye ID", true, 0, 0},
    {"kick", Operation::kKick, "kick ID [REASON]", true, 0, kAny},
    {"name", Operation::kName, "name ID NAME", true, 1, kAny},
    {"stats", Operation::kStats, "stats", false, 0, 0},
    {"reload", Operation::kReload, "reload", false, 0, 0},
    {"stop", Operation::kStop, "stop", false, 0, 0},
    {"tail", Operation::kTail, "tail [--since SEQ]", false, 0, 0},
}};

// The most that one line of the control protocol takes, with a margin.
constexpr std::size_t kMaxText = 1024 * 1024 - 4096;

constexpr std::array<std::string_view, 8> kOptions{
    "--socket", "--json", "--name", "--color", "--timestamps", "--since", "--version", "--help"};

struct Words {
  std::string socket;
  bool json = false;
  bool version = false;
  bool help = false;
  std::string name;
  std::string color = "auto";
  std::string timestamps = "time";
  std::string since;
  std::vector<std::string> command;  // with its arguments
};

Exit usage(const std::string& what) {
  complain(what + "; chatctl --help lists everything");
  return {ExitCode::kUsage};
}

template <class T>
std::optional<T> chosen(std::string_view word, std::initializer_list<std::string_view> words) {
  int index = 0;
  for (const std::string_view each : words) {
    if (each == word) return static_cast<T>(index);
    ++index;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// Options may stand before and after the command, but not after the first word of a
// text: that is text.
std::variant<Words, Exit> split(int argc, char** argv) {
  Words words;
  try {
    CLI::App app;
    app.set_help_flag();
    app.add_option("--socket", words.socket);
    app.add_flag("--json", words.json);
    app.add_option("--name", words.name);
    app.add_option("--color", words.color);
    app.add_option("--timestamps", words.timestamps);
    app.add_option("--since", words.since);
    app.add_flag("-V,--version", words.version);
    app.add_flag("-h,--help", words.help);
    app.prefix_command();
    // CLI11 takes options up to the first word that is none, and wants the last
    // word first.
    std::vector<std::string> left{argv + 1, argv + argc};
    std::reverse(left.begin(), left.end());
    app.parse(left);
    words.command = app.remaining();
    if (words.command.size() > 1 && words.command.front() != "send" &&
        words.command[1].starts_with("-")) {
      std::string command = std::move(words.command.front());
      left.assign(words.command.rbegin(), words.command.rend() - 1);
      app.parse(left);
      words.command = app.remaining();
      words.command.insert(words.command.begin(), std::move(command));
    }
  } catch (const std::exception& error) {
    return usage(error.what());
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
    if (text.size() > kMaxText) {
      complain("the text on standard input is longer than 1 MiB");
      return std::nullopt;
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

Exit unknown(const std::string& word, std::span<const std::string_view> commands) {
  const bool option = word.starts_with("-");
  const std::string name = option ? word.substr(0, word.find('=')) : word;
  const std::string what =
      std::string{"unknown "} + (option ? "option" : "command") + " '" + name + "'";
  const std::string_view near = nearest(name, option ? std::span{kOptions} : commands);
  if (near.empty()) return usage(what);
  complain(what + "; did you mean " + std::string{near} + "?");
  return {ExitCode::kUsage};
}

std::variant<OneShot, Exit> read_command(const Words& words) {
  const std::string& word = words.command.front();
  const CommandForm* form = nullptr;
  std::vector<std::string_view> known;
  for (const CommandForm& each : kForms) {
    known.push_back(each.word);
    if (each.word == word) form = &each;
  }
  if (form == nullptr) return unknown(word, known);

  OneShot wish;
  wish.operation = form->operation;
  std::size_t next = 1;
  const std::size_t given = words.command.size() - 1;
  const std::size_t ids = form->session ? 1 : 0;
  if (given < form->least + ids || (form->most != kAny && given > form->most + ids)) {
    return usage("usage: chatctl " + std::string{form->usage});
  }
  if (form->session) {
    const std::string& id = words.command[next++];
    wish.session = number(id);
    const bool all = form->operation == Operation::kSend && id == "all";
    if (!all && wish.session.value_or(0) == 0) {
      return usage("'" + id + "' is no session id; usage: chatctl " + std::string{form->usage});
    }
  }
  for (; next < words.command.size(); ++next) {
    wish.text += (wish.text.empty() ? "" : " ") + words.command[next];
  }
  if (!words.since.empty()) {
    wish.since = number(words.since);
    if (form->operation != Operation::kTail || !wish.since) {
      return usage("--since takes an event's number, and belongs to tail");
    }
  }
  if (form->operation == Operation::kSend && wish.text == "-") {
    auto text = read_text();
    if (!text) return Exit{ExitCode::kRefused};
    wish.text = std::move(*text);
  }
  return wish;
}

}  // namespace

void complain(const std::string& text) {
  std::fprintf(stderr, "chatctl: %s\n", core::escaped(text).c_str());
}

std::variant<Arguments, Exit> read_arguments(int argc, char** argv) {
  auto read = split(argc, argv);
  if (const auto* exit = std::get_if<Exit>(&read)) return *exit;
  const Words& words = *std::get_if<Words>(&read);
  if (words.help || words.version) {
    std::fputs(words.help ? kHelp : "chatctl " CHATD_VERSION "\n", stdout);
    return Exit{std::fflush(stdout) == 0 ? ExitCode::kDone : ExitCode::kRefused};
  }
  Arguments arguments;
  arguments.socket = words.socket;
  arguments.name = words.name;
  const auto color = chosen<ColorChoice>(words.color, {"auto", "always", "never"});
  if (!color) return usage("--color is auto, always or never");
  arguments.color = *color;
  const auto timestamps = chosen<Timestamps>(words.timestamps, {"none", "time", "datetime"});
  if (!timestamps) return usage("--timestamps is none, time or datetime");
  arguments.timestamps = *timestamps;
  if (words.command.empty()) {
    if (words.json || !words.since.empty()) return usage("--json and --since belong to a command");
    return arguments;
  }
  auto command = read_command(words);
  if (const auto* exit = std::get_if<Exit>(&command)) return *exit;
  arguments.command = std::move(*std::get_if<OneShot>(&command));
  arguments.command->json = words.json;
  return arguments;
}

}  // namespace chatd::console
