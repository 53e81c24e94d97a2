/// The opening handshake of a WebSocket, the server's half: RFC 6455, section 4.2. Whether the
/// page may open one (Origin, Host) is asked of site.hpp. It has no cryptography of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/wall_time.hpp"

namespace chatd::http {

class RequestHead;

/// What is wrong with a request for a WebSocket.
enum class UpgradeFault : std::uint8_t {
  kNone,
  kNotAsked,    ///< it is a good request that asks for no WebSocket
  kMethod,      ///< it is not GET
  kHttp10,      ///< it is not of HTTP/1.1
  kConnection,  ///< "Upgrade" is no element of Connection
  kVersion,     ///< Sec-WebSocket-Version is not 13, or missing
  kKey,         ///< Sec-WebSocket-Key is missing, or not the base64 of 16 bytes
  kProtocol,    ///< Sec-WebSocket-Protocol has an element that is no token, one twice, or more than
                ///< 32
};

/// 400 or 426; 101 of kNone.
[[nodiscard]] int status_of(UpgradeFault fault);
/// As of a HeadFault.
[[nodiscard]] std::string_view to_string(UpgradeFault fault);

/// What was asked for, and is to be granted. Views are into the head and into `known`.
struct Upgrade {
  UpgradeFault fault = UpgradeFault::kNone;
  std::string_view key;       ///< Sec-WebSocket-Key; 24 bytes
  std::string_view protocol;  ///< the subprotocol; empty for none
};

/// Whether "websocket" is an element of Upgrade, in a request that may have one (RFC 9110, section
/// 7.8: not one of HTTP/1.0). Then the request is for a WebSocket, be it a good one or not.
[[nodiscard]] bool asks_for_websocket(const RequestHead& head);

/// Checks a request that is whole. Of the subprotocols that the client offers, it is the first one
/// that stands in `known`, whose order does not matter; a client that offers none of them gets
/// none, and may leave. Extensions are never agreed upon.
[[nodiscard]] Upgrade check_upgrade(const RequestHead& head,
                                    std::span<const std::string_view> known);

/// The base64 of the SHA-1 of `text`.
using Sha1Base64 = std::string (*)(std::string_view text);

/// The answer 101 to a request without a fault. What follows are frames, in both directions.
[[nodiscard]] std::string answer_upgrade(const Upgrade& upgrade, Sha1Base64 sha1_base64);

/// The answer to one with a fault. A 426 says what is wanted: Upgrade: websocket, and
/// Sec-WebSocket-Version: 13 (RFC 6455, section 4.4).
[[nodiscard]] std::string answer_refused(const Upgrade& upgrade, bool is_head, WallTime now);

}  // namespace chatd::http
