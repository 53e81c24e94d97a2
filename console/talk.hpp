/// `chatctl talk`: a client of a chat server, for a person in a terminal or for a script.
/// Needs no daemon on this machine and knows no control socket.
#pragma once

#include "console/one_shot.hpp"
#include "console/server_name.hpp"
#include "io/loop.hpp"
#include "tls/client_handshake.hpp"

namespace chatd::console {

/// What talk was asked for.
struct Talk {
  ServerName server;
  tls::ClientFiles files;  ///< for a server with TLS; each may be empty
};

/// Looks the server up, connects to it, shakes hands where TLS is asked for, and talks until one
/// side has had enough. A terminal is given back before this returns. Returns the exit code of the
/// program: an ExitCode, or 128 and the signal that ended it.
[[nodiscard]] int run_talk(io::Loop& loop, const Talk& talk, bool color);

}  // namespace chatd::console
