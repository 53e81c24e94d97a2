/// Who serves a control socket. Somebody else could have put a socket of theirs where the
/// daemon's is looked for, and would read all that an operator types.
#pragma once

#include <string>

#include "base/result.hpp"

namespace chatd::console {

/// Whether the process that serves `socket`, which is connected to `path`, is to be trusted: it
/// is one of root, of this user, or of a user to whom root gave the socket's folder, or one
/// above it: nobody but root can write to any folder above that one, as in /run/chatd, in
/// /run/user/UID and in a home. A folder /tmp/chatd-UID says itself whose it is. Otherwise the
/// error, with the code EPERM, says who it is.
[[nodiscard]] Result<> check_server(int socket, const std::string& path);

}  // namespace chatd::console
