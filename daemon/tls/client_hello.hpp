/// Whether somebody who has just connected begins TLS. It knows no more of the protocol than
/// its first six bytes; OpenSSL judges the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chatd::tls {

enum class LooksLikeClientHello : std::uint8_t {
  kNo,       ///< and never will, whatever follows
  kPerhaps,  ///< all that came agrees, and it is fewer than kClientHelloSign bytes
  kYes,
};

/// So many bytes are enough for a yes or a no.
inline constexpr std::size_t kClientHelloSign = 6;

/// `first` is everything that came so far. A handshake record (type 22) of version 3.x with any
/// length (RFC 8446, 5.1) that begins with a ClientHello (type 1; RFC 8446, 4). One byte alone
/// would be too weak a sign: 0x16 is what Ctrl-V sends.
[[nodiscard]] constexpr LooksLikeClientHello looks_like_client_hello(std::string_view first) {
  constexpr std::string_view kSign{"\x16\x03\x00\x00\x00\x01", kClientHelloSign};
  constexpr std::string_view kCounts{"\xFF\xFF\xF0\x00\x00\xFF", kClientHelloSign};
  for (std::size_t i = 0; i < kClientHelloSign && i < first.size(); ++i) {
    if (((first[i] ^ kSign[i]) & kCounts[i]) != 0) return LooksLikeClientHello::kNo;
  }
  return first.size() < kClientHelloSign ? LooksLikeClientHello::kPerhaps
                                         : LooksLikeClientHello::kYes;
}

}  // namespace chatd::tls
