/// What makes a shell complete chatctl's command line: a script for each shell, made
/// from the one table of commands. Knows how the shells want it and nothing of a
/// daemon; the ids of sessions are asked for by the script, when they are needed.
#pragma once

#include <string>
#include <string_view>

namespace chatd::console {

/// `shell` is one of kShells.
[[nodiscard]] std::string shell_completion(std::string_view shell);

}  // namespace chatd::console
