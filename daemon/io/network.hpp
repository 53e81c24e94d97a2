/// A network of addresses, one address alone, or a user of this machine: what can be banned, or
/// have a name. Knows how one is written, and whether a peer is in it.
///
/// Invariant: the bits behind its prefix are zero, so that equal networks are equal.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/peer.hpp"

namespace chatd::io {

class Network {
 public:
  enum class Kind : std::uint8_t { kIpv4, kIpv6, kUser };
  using Bytes = std::array<std::uint8_t, 16>;

  /// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32", "uid:1000". Bits behind the prefix are
  /// ignored. A mapped address (::ffff:192.0.2.7) is the IPv4 address. The error says what is
  /// wrong and what would be right.
  [[nodiscard]] static Result<Network> parse(std::string_view text);

  /// `bits` of an address, at most so many as its kind has; IPv4 in the first four bytes.
  [[nodiscard]] static Network of(Kind kind, unsigned bits, const Bytes& address) {
    return {kind, bits, address};
  }
  /// A user of this machine, whoever connects by a unix socket: a network of one.
  [[nodiscard]] static Network of_user(uid_t user);
  /// The network of `peer` with a prefix of so many bits, no more than its kind has. Nothing if
  /// it is a user nobody knows.
  [[nodiscard]] static std::optional<Network> around(const Peer& peer, unsigned bits);

  /// A network contains only what is of its own kind.
  [[nodiscard]] bool contains(const Peer& peer) const;
  [[nodiscard]] bool contains(const Network& other) const;
  /// As parse() takes it; an address alone without its bits.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] unsigned bits() const { return bits_; }

  /// In the order of the kinds; shorter prefixes first.
  friend auto operator<=>(const Network&, const Network&) = default;

 private:
  Network(Kind kind, unsigned bits, const Bytes& address);

  [[nodiscard]] static Result<Network> parse_user(std::string_view text);

  Kind kind_;
  unsigned bits_;
  Bytes address_;  ///< IPv4, and a user's id, in the first four, in the order of the network
};

}  // namespace chatd::io
