/// What the console tells of itself: /help, and /help COMMAND. Made from the table of commands;
/// which command belongs to which group, and the examples, stand here. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::console {

/// What one needs every day, and the names of all other commands, by group. No line is wider than
/// `width` columns if that is at all possible (0: 80).
[[nodiscard]] std::vector<std::string> short_help_lines(std::size_t width);

/// About the command that `word` means, with or without its slash, or its beginning; "all": every
/// command (of that name there is "/all"). If it means none, or several, one line says so.
[[nodiscard]] std::vector<std::string> help_lines_of(std::string_view word, std::size_t width);

/// Whether short_help_lines() has that command.
[[nodiscard]] bool is_in_short_help(std::string_view word);

}  // namespace chatd::console
