/// Events as lines of the daemon's log, at the level that kEventWords says.
#pragma once

#include <string>

#include "config/config.hpp"
#include "events/event.hpp"

namespace chatd {

/// The level of the log's lines; kNotLogged has none and must not be asked for.
[[nodiscard]] LogLevel log_level(EventLogging logging);

/// Appends what the log says of `event`: the session, and a sentence. What people said is
/// escaped.
void append_log_line(std::string& out, const Event& event);

/// Logs `event`, if its lines are kept. The line is made in `line`, which keeps its memory.
void log_event(const Event& event, std::string& line);

}  // namespace chatd
