/// What a console may do with the descriptors that it was given: edit lines, use colours.
#pragma once

#include <cstdint>

namespace chatd::console {

enum class ColorChoice : std::uint8_t { kAuto, kAlways, kNever };

/// Whether line editing is possible: both are terminals, and this process is in
/// the foreground of its terminal (one in the background would be stopped by the
/// kernel as soon as it touched it).
[[nodiscard]] bool can_be_interactive(int input, int output);

/// Whether to colour what goes to `output`: kAuto is yes for a terminal unless
/// NO_COLOR is set and not empty or TERM is "dumb".
[[nodiscard]] bool wants_color(ColorChoice choice, int output);

/// Whether the terminal says that it has 256 colours.
[[nodiscard]] bool has_many_colors();

}  // namespace chatd::console
