/// SHA-1 (FIPS 180-4) in base64, for rooms that know no OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace chatd::tls {

/// The SHA-1 of `text` in base64 (RFC 4648, 4), 28 characters: what a WebSocket server makes of
/// the client's key and the protocol's GUID for Sec-WebSocket-Accept (RFC 6455, 4.2.2). It
/// proves that the protocol was understood and protects nothing.
[[nodiscard]] std::string sha1_base64(std::string_view text);

}  // namespace chatd::tls
