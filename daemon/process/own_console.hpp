/// The console of the daemon itself, in the terminal or pipe that it was started with: an
/// operator like any other, on a pair of sockets. Knows when there is one, and lets the log
/// speak through it where both write to the same terminal.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "config/config.hpp"
#include "config/options.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "log/log.hpp"

namespace chatd::console {
class Console;
}

namespace chatd {

class OwnConsole {
 public:
  /// What the console needs of the daemon.
  struct Hooks {
    /// Takes a socket as an operator's, or says why not.
    std::function<Result<>(UniqueFd)> attach;
    /// The operator has typed /quit.
    std::function<void()> quit;
    /// Whether its connection ends because the daemon does.
    std::function<bool()> is_stopping;
  };

  /// Looks at standard input and output.
  OwnConsole(io::Loop& loop, ConsoleMode mode, ColorMode color);
  ~OwnConsole();
  OwnConsole(const OwnConsole&) = delete;
  OwnConsole& operator=(const OwnConsole&) = delete;

  /// Whether there is to be one.
  [[nodiscard]] bool is_wanted() const { return is_wanted_; }
  /// Takes the lines of the log that would destroy what is being typed; null: there are none.
  [[nodiscard]] ConsoleLines* lines() { return lines_.get(); }

  [[nodiscard]] Result<> open(const Config::Console& config, Hooks hooks);
  [[nodiscard]] bool is_open() const { return console_ != nullptr; }
  /// What a key of the terminal means that has come as a signal (SIGINT, SIGQUIT, SIGTSTP). False
  /// if there is no console with line editing now, or the daemon stops anyway.
  bool take_key(int signal);
  /// Shows a line, if it is open.
  void say(const std::string& line);
  /// The terminal is then as it was before. Nothing happens if it is not open.
  void close();

 private:
  Result<UniqueFd> connect();

  io::Loop& loop_;
  ColorMode color_;
  bool is_wanted_;
  bool is_interactive_;
  Hooks hooks_;
  std::unique_ptr<ConsoleLines> lines_;
  std::unique_ptr<console::Console> console_;
  io::Timer end_;  // the console may not be destroyed in its own callback
};

}  // namespace chatd
