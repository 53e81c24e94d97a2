/// Headers of version 2 of the PROXY protocol, right and wrong, as bytes: shared by the tests and
/// the fuzz target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/pieces.hpp"

namespace chatd::test {

/// 192.0.2.7:4711 to 198.51.100.1:443.
inline constexpr std::string_view kIpv4Ends =
    bytes_of("\xC0\x00\x02\x07\xC6\x33\x64\x01\x12\x67\x01\xBB");
/// [2001:db8::7]:4711 to [2001:db8::1]:443.
inline constexpr std::string_view kIpv6Ends = bytes_of(
    "\x20\x01\x0D\xB8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07"
    "\x20\x01\x0D\xB8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
    "\x12\x67\x01\xBB");

inline std::string two_bytes(std::size_t number) {
  return {static_cast<char>(number / 256), static_cast<char>(number % 256)};
}

/// With the length of `rest`.
inline std::string binary_header(std::uint8_t command, std::uint8_t family, std::string_view rest) {
  std::string all{bytes_of("\r\n\r\n\0\r\nQUIT\n")};
  all += static_cast<char>(command);
  all += static_cast<char>(family);
  return all + two_bytes(rest.size()) + std::string{rest};
}

/// A TLV.
inline std::string fact(std::uint8_t type, std::string_view value) {
  return static_cast<char>(type) + two_bytes(value.size()) + std::string{value};
}

inline std::string ssl_fact(std::uint8_t client, std::string_view verify, std::string_view facts) {
  return fact(0x20, static_cast<char>(client) + std::string{verify} + std::string{facts});
}

/// Section B.4 of RFC 3720, by the book.
inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t sum = 0xFFFFFFFF;
  for (const char byte : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const auto of_byte = static_cast<std::uint32_t>(static_cast<std::uint8_t>(byte)) >> bit;
      const bool odd = ((sum ^ of_byte) & 1U) != 0;
      sum >>= 1U;
      if (odd) sum ^= 0x82F63B78;
    }
  }
  return ~sum;
}

/// The same header with the right sum in place of the first fact 3 with the value "....".
inline std::string with_checksum(std::string header) {
  const std::string_view open = bytes_of("\x03\x00\x04....");
  const auto place = header.find(open) + 3;
  header.replace(place, 4, 4, '\0');
  const auto sum = crc32c(header);
  return header.replace(place, 4, two_bytes(sum >> 16U) + two_bytes(sum & 0xFFFFU));
}

}  // namespace chatd::test
