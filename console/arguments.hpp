/// chatctl's command line: what it asks for, or the exit code that it ends the program
/// with. Knows no socket.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "console/console.hpp"
#include "console/one_shot.hpp"
#include "console/talk.hpp"

namespace chatd::console {

struct Arguments {
  std::string socket;  ///< empty: the usual places are tried
  std::string name;    ///< the operator's; empty: the daemon chooses
  ColorChoice color = ColorChoice::kAuto;
  Timestamps timestamps = Timestamps::kTime;
  std::optional<OneShot> command;  ///< without one: the console
  std::optional<Talk> talk;        ///< which is no operation on a daemon
};

/// The program ends already: help or a complaint has been printed.
struct Exit {
  ExitCode code = ExitCode::kDone;
};

/// Prints help and complaints itself. For `send ... -` it reads standard input to
/// its end.
[[nodiscard]] std::variant<Arguments, Exit> read_arguments(int argc, const char* const* argv);

/// Prints `text` on standard output; returns how the program then ends.
[[nodiscard]] Exit print_and_exit(const std::string& text);

/// One line on standard error, escaped, with the program's name before it.
void complain(const std::string& text);

}  // namespace chatd::console
