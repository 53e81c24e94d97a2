/// The handshake of TLS on a connection, before anything is said on it.
#pragma once

#include <variant>

#include "base/result.hpp"
#include "base/time.hpp"
#include "console/one_shot.hpp"
#include "tls/client_handshake.hpp"

namespace chatd::console {

/// How long a server may take for all of it: as long as chatd gives a client.
inline constexpr Duration kHandshakePatience{10'000};

/// There is no session with the server.
struct Strange {
  ExitCode code = ExitCode::kNoDaemon;
  std::string why;  ///< the end of a sentence that begins with the server; not escaped
  bool unknown_authority = false;
};

/// Blocks until it is done or cannot be, for `patience` at most; a signal that ends the program
/// ends that, too. `socket` is connected and non-blocking. What the server said with the end of the
/// handshake is for the session to open.
[[nodiscard]] std::variant<tls::ClientSession, Strange> shake_hands(
    int socket, tls::ClientHandshake handshake, Duration patience = kHandshakePatience);

}  // namespace chatd::console
