/// The operator's console: puts together what an operator types, what the daemon
/// says over the control protocol, and the screen. It speaks to the daemon over
/// one connected socket and knows no session object; what it knows of sessions it
/// learned from events and from `sessions`.
/// Invariant: nothing here blocks the loop, whatever the terminal, the reader of
/// the output or the daemon does.
///
/// In chatd (the daemon on the same loop, no socket file in between):
///
///   int ends[2];
///   socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
///   ...the daemon takes ends[0] as if an operator had connected...
///   console::ConsoleOptions options;
///   options.interactive = console::can_be_interactive(0, 1);
///   options.color = console::wants_color(console::ColorChoice::kAuto, 1);
///   options.from_start = true;             // also what came before this console
///   options.on_quit = [&] { ...stop the daemon... };
///   options.reattach = [&]() -> Result<UniqueFd> { ...another socketpair... };
///   console = std::make_unique<console::Console>(loop, UniqueFd{ends[1]}, std::move(options));
///
/// The destructor gives the terminal back: destroy the console on every way out,
/// before the loop, and never inside one of its own callbacks. If any of descriptors
/// 0 to 2 was closed at start, open /dev/null on it before anything else is
/// opened. While an interactive console lives, nobody else may write to the
/// terminal: everything else is printed by say(). Where the locale is
/// not UTF-8 an interactive console sets LC_ALL in the environment.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "console/interactive.hpp"
#include "io/loop.hpp"

namespace chatd::console {

enum class Timestamps { kNone, kTime, kDateTime };

struct ConsoleOptions {
  /// Line editing on a terminal, else plain lines in and out.
  bool interactive = false;
  bool color = false;
  Timestamps timestamps = Timestamps::kTime;
  std::size_t history = 1000;  ///< lines that can be recalled
  std::string lines_file;      ///< where they are kept between runs; empty: nowhere
  /// The operator's name for `hello`; empty: the daemon chooses.
  std::string name;
  /// Where to read and write. They stay the caller's: their shared file
  /// descriptions (the shell's, too) are not changed, not even to non-blocking.
  int input = 0;
  int output = 1;
  int errors = 2;

  /// Whether every event since the daemon began is heard, not only those from
  /// now on: for the console that begins together with its daemon.
  bool from_start = false;
  /// Makes a new connection after one was lost, such as when the daemon detaches a
  /// console whose output stands still; the console then goes on from its cursor.
  /// Without it, and when it fails, the daemon is lost; but an operator in a terminal waits for
  /// it, with the line that is being typed, until it is there again and lets it in.
  std::function<Result<UniqueFd>()> reattach;
  /// Whether reattach() leads to the same running daemon for certain, so that ids
  /// mean the same people. If not, the focus stays only on one who is surely the same.
  bool reattaches_to_same = false;

  /// Whether on_quit ends the service of clients: then it has to be wished twice while some are
  /// connected, Ctrl-Z and Ctrl-\ do nothing, and a terminal that hangs up ends the console alone
  /// (on_end).
  bool ends_service = false;

  /// /quit, or Ctrl-C or Ctrl-D on an empty line in a terminal.
  std::function<void()> on_quit;
  /// Ctrl-\ in a terminal. The terminal is given back already; the console is idle for good.
  std::function<void()> on_abort;
  /// Plain lines only: end of file, and everything asked for is answered and
  /// printed. The console has closed its connection and is idle for good.
  std::function<void()> on_end;
  /// The daemon has gone. The terminal is given back already; the console is idle.
  std::function<void(const Error&)> on_lost;
  /// Nobody reads the output any more (EPIPE, a terminal that hung up). The
  /// console has closed its connection and is idle for good. Default: on_quit in a
  /// terminal, else on_end.
  std::function<void()> on_output_gone;
};

class Console {
 public:
  /// Takes a connected stream socket to the daemon and begins to talk.
  Console(io::Loop& loop, UniqueFd control, ConsoleOptions options);
  /// Gives the terminal back and tries, without waiting, to write what is queued.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Prints one line (already escaped, without LF) as a message about the program
  /// itself, above the line that is being typed. On the loop's thread.
  void say(std::string_view line);
  /// The same as the key in its terminal that SIGINT, SIGQUIT or SIGTSTP stands for. On the loop's
  /// thread.
  void take_key(int signal);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chatd::console
