// chatctl: finds the daemon, and is either its console or one operation on it; or it is a
// client of a chat server.
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/chatd_variables.hpp"
#include "console/arguments.hpp"
#include "console/console.hpp"
#include "console/control_client.hpp"
#include "console/find_daemon.hpp"
#include "console/kept_lines.hpp"
#include "console/one_shot.hpp"
#include "console/shell_completion.hpp"
#include "console/talk.hpp"
#include "io/out_of_memory.hpp"
#include "io/signal.hpp"
#include "tls/out_of_memory.hpp"

namespace chatd::console {
namespace {

// How long one of several daemons may take before the next place is tried.
constexpr Duration kKnockPatience{2000};

[[gnu::constructor(io::kFirstOfAll)]] void begin() {
  io::end_when_out_of_memory();
  tls::end_when_out_of_memory();
}

// The kernel does not tell a daemon in a user namespace, such as a container's, who
// attaches. All operators would then be called nobody, and share their claims.
std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "";
}

// A misspelt CHATD_SOCKET would mean some other daemon. Variables of configuration keys are that
// daemon's to judge, whose environment this may be as well.
void warn_of_unknown_variables() {
  const std::vector<std::string> known{"CHATD_CONFIG", "CHATD_LISTEN", "CHATD_SOCKET"};
  for (const std::string& name : chatd_variables()) {
    const bool is_key = std::any_of(
        kVariableSections.begin(), kVariableSections.end(),
        [&](std::string_view section) { return name.find(section) == std::strlen("CHATD_"); });
    if (is_key || std::find(known.begin(), known.end(), name) != known.end()) continue;
    complain(unknown_variable(name, known));
  }
}

int run_console(io::Loop& loop, UniqueFd control, const Arguments& arguments,
                const std::string& path) {
  ExitCode code = ExitCode::kDone;
  std::string why;
  ConsoleOptions options;
  options.color = wants_color(arguments.color, STDOUT_FILENO);
  options.timestamps = arguments.timestamps;
  options.interactive = can_be_interactive(STDIN_FILENO, STDOUT_FILENO);
  options.name = arguments.name;
  options.lines_file = kept_lines_path();
  options.reattach = [path] { return connect_control(path); };
  options.on_quit = options.on_end = [&] { loop.stop(); };
  options.on_lost = [&](const Error& error) {
    why = error.message;
    code = ExitCode::kNoDaemon;
    loop.stop();
  };
  int caught = 0;
  options.on_abort = [&] {
    caught = SIGQUIT;
    loop.stop();
  };
  {
    const Console console{loop, std::move(control), std::move(options)};
    std::vector<std::unique_ptr<io::Signal>> signals;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      signals.push_back(std::make_unique<io::Signal>(loop, number, [&, number] {
        caught = number;
        loop.stop();
      }));
    }
    loop.run();
  }
  if (code != ExitCode::kDone) complain(path + ": " + why);
  return caught == 0 ? static_cast<int>(code) : 128 + caught;
}

Duration knock_patience(const Arguments& arguments) {
  if (!arguments.command) return kKnockPatience;
  return std::min<Duration>(kKnockPatience, arguments.command->daemon_patience());
}

// Ends the program as the signal would have, now that the terminal is given back: whoever has
// started it looks at that.
int end_by_quit() {
  std::signal(SIGQUIT, SIG_DFL);
  ::raise(SIGQUIT);
  return 128 + SIGQUIT;
}

int run(int argc, char** argv) {
  // A closed standard descriptor must not become the number of a socket.
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1 && ::open("/dev/null", O_RDWR) != fd) std::abort();
  }
  io::ignore_sigpipe();
  auto read = read_arguments(argc, argv);
  if (const auto* exit = std::get_if<Exit>(&read)) return static_cast<int>(exit->code);
  auto& arguments = *std::get_if<Arguments>(&read);
  if (arguments.name.empty()) arguments.name = user_name();
  if (arguments.command && arguments.command->command.verb == Verb::kCompletion) {
    return static_cast<int>(print_and_exit(shell_completion(arguments.command->command.text)).code);
  }

  if (arguments.talk) {
    io::Loop loop;
    return run_talk(loop, *arguments.talk, wants_color(arguments.color, STDOUT_FILENO));
  }

  warn_of_unknown_variables();
  auto found = find_daemon(arguments.socket, knock_patience(arguments));
  if (const auto* exit = std::get_if<Exit>(&found)) return static_cast<int>(exit->code);
  auto& [control, path] = *std::get_if<FoundDaemon>(&found);
  io::Loop loop;
  if (!arguments.command) return run_console(loop, std::move(control), arguments, path);
  OneShot& one_shot = *arguments.command;
  one_shot.color = wants_color(arguments.color, STDOUT_FILENO);
  one_shot.timestamps = arguments.timestamps;
  one_shot.name = arguments.name;
  return static_cast<int>(run_one_shot(loop, one_shot, std::move(control),
                                       [&place = path] { return connect_control(place); }));
}

}  // namespace
}  // namespace chatd::console

int main(int argc, char** argv) {
  const int code = chatd::console::run(argc, argv);
  return code == 128 + SIGQUIT ? chatd::console::end_by_quit() : code;
}
