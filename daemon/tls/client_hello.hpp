/// Whether somebody who has just connected begins TLS. It knows no more of the protocol than
/// its first six bytes; OpenSSL judges the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chatd::tls {

enum class LooksLikeClientHello : std::uint8_t {
  kNo,       ///< and never will, whatever follows
  kPerhaps,  ///< all that came agrees, and it is too little
  kYes,
};

/// So many bytes are enough for a yes or a no.
inline constexpr std::size_t kClientHelloSign = 6;
inline constexpr std::size_t kOldHelloSign = 5;

/// Whether `first` agrees with `sign` in the bits that count, as far as both go.
[[nodiscard]] constexpr LooksLikeClientHello agrees(std::string_view first, std::string_view sign,
                                                    std::string_view counts) {
  for (std::size_t i = 0; i < sign.size() && i < first.size(); ++i) {
    if (((first[i] ^ sign[i]) & counts[i]) != 0) return LooksLikeClientHello::kNo;
  }
  return first.size() < sign.size() ? LooksLikeClientHello::kPerhaps : LooksLikeClientHello::kYes;
}

/// `first` is everything that came so far. A handshake record (type 22) of version 3.x with any
/// length (RFC 8446, 5.1) that begins with a ClientHello (type 1; RFC 8446, 4). One byte alone
/// would be too weak a sign: 0x16 is what Ctrl-V sends.
[[nodiscard]] constexpr LooksLikeClientHello looks_like_client_hello(std::string_view first) {
  constexpr std::string_view kSign{"\x16\x03\x00\x00\x00\x01", kClientHelloSign};
  constexpr std::string_view kCounts{"\xFF\xFF\xF0\x00\x00\xFF", kClientHelloSign};
  return agrees(first, kSign, kCounts);
}

/// The same for a ClientHello in the form of SSL 2.0 (RFC 5246, E.2) of less than 256 bytes, for
/// that version or a later one. Scanners send it, and nobody answers it any more. No text begins
/// so: 0x80 is no first byte of UTF-8, and the third byte is a control character.
[[nodiscard]] constexpr LooksLikeClientHello looks_like_old_hello(std::string_view first) {
  constexpr std::string_view kSsl2{"\x80\x00\x01\x00\x02", kOldHelloSign};
  constexpr std::string_view kCountsOfSsl2{"\xFF\x00\xFF\xFF\xFF", kOldHelloSign};
  constexpr std::string_view kLater{"\x80\x00\x01\x03\x00", kOldHelloSign};
  constexpr std::string_view kCountsOfLater{"\xFF\x00\xFF\xFF\xF0", kOldHelloSign};
  const auto ssl2 = agrees(first, kSsl2, kCountsOfSsl2);
  return ssl2 != LooksLikeClientHello::kNo ? ssl2 : agrees(first, kLater, kCountsOfLater);
}

}  // namespace chatd::tls
