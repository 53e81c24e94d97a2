/// A network of addresses, or one address alone: what can be banned. Knows how one is
/// written, and whether an address is in it.
///
/// Invariant: the bits behind its prefix are zero, so that equal networks are equal.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "clients/peer.hpp"

namespace chatd {

class Network {
 public:
  /// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". Bits behind the prefix are ignored. A
  /// mapped address (::ffff:192.0.2.7) is the IPv4 address. The error says what is wrong
  /// and what would be right.
  [[nodiscard]] static Result<Network> parse(std::string_view text);

  /// The network of `peer`, which must have an address, with a prefix of so many bits, no
  /// more than an address has.
  [[nodiscard]] static Network around(const Peer& peer, unsigned bits);

  /// Never for a unix socket; an IPv4 network contains no IPv6 address, nor the other way.
  [[nodiscard]] bool contains(const Peer& peer) const;
  [[nodiscard]] bool contains(const Network& other) const;
  /// As parse() takes it; an address alone without its bits.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] bool is_v6() const { return v6_; }
  [[nodiscard]] unsigned bits() const { return bits_; }

  /// IPv4 first, shorter prefixes first.
  friend auto operator<=>(const Network&, const Network&) = default;

 private:
  using Bytes = std::array<std::uint8_t, 16>;

  Network(bool v6, unsigned bits, const Bytes& address);

  bool v6_;
  unsigned bits_;
  Bytes address_;  ///< IPv4 in the first four
};

}  // namespace chatd
