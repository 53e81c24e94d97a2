/// `chatctl talk`: a client of a chat server, for a person in a terminal or for a script.
/// Needs no daemon on this machine and knows no control socket.
#pragma once

#include "console/one_shot.hpp"
#include "console/server_name.hpp"
#include "io/loop.hpp"

namespace chatd::console {

/// Looks the server up, connects to it and talks until one side has had enough. A terminal is
/// given back before this returns. Returns the exit code of the program: an ExitCode, or
/// 128 and the signal that ended it.
[[nodiscard]] int run_talk(io::Loop& loop, const ServerName& server, bool color);

}  // namespace chatd::console
