/// chatctl's command line: what it asks for, or why it asks for nothing that there
/// is. Knows no socket.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "console/console.hpp"
#include "console/one_shot.hpp"

namespace chatd::console {

struct Arguments {
  std::string socket;  ///< empty: where a daemon usually has it
  std::string name;    ///< the operator's; empty: the daemon chooses
  ColorChoice color = ColorChoice::kAuto;
  Timestamps timestamps = Timestamps::kTime;
  std::optional<OneShot> command;  ///< without one: the console
};

/// The end of the program already: help was printed, or what is wrong was.
struct Exit {
  ExitCode code = ExitCode::kDone;
};

/// Prints help and complaints itself. For `send ... -` it reads standard input to
/// its end.
[[nodiscard]] std::variant<Arguments, Exit> read_arguments(int argc, const char* const* argv);

/// `text` on standard output, and the end.
[[nodiscard]] Exit print_and_exit(const std::string& text);

/// One line on standard error, escaped, with the program's name before it.
void complain(const std::string& text);

}  // namespace chatd::console
