/// The further facts of a PROXY header of version 2 (TLV; proxy-protocol.txt, sections 2.2.1 to
/// 2.2.7): which server was asked for, which protocol was agreed upon, what is known of TLS, and
/// the checksum. All others are skipped. Part of ProxyReader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "clients/proxy_header.hpp"

namespace chatd {

/// The byte there, and the number of two bytes there, in the order of the network.
[[nodiscard]] inline std::uint8_t proxy_byte(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
[[nodiscard]] inline std::size_t proxy_number(std::string_view bytes, std::size_t at) {
  return std::size_t{proxy_byte(bytes, at)} << 8U | proxy_byte(bytes, at + 1);
}

/// Reads `rest`, the end of the header `whole`, into `header`. A fault of facts, of one that stands
/// twice, or of the checksum; then `header` is good for nothing.
[[nodiscard]] ProxyFault read_proxy_facts(std::string_view rest, std::string_view whole,
                                          ProxyHeader& header);

}  // namespace chatd
