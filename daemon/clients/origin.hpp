/// Where clients come from, as far as they share an account: an IPv4 address, an IPv6 network of
/// /64, or a user of this machine. What a provider gives to one customer may hold many /64, so
/// these lie within origins of /56 and /48.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "io/peer.hpp"

namespace chatd {

class Origin {
 public:
  /// The narrowest origin of `peer`. Peers of unix sockets whose user is not known share one.
  explicit Origin(const io::Peer& peer);

  /// The next one around it: of a /64 its /56, of that its /48; nothing of any other.
  [[nodiscard]] std::optional<Origin> wider() const;
  /// How many times as much it may have as a narrowest one: 1, 4 of a /56, 16 of a /48.
  [[nodiscard]] unsigned share() const;
  /// "192.0.2.7", "2001:db8::/64", "uid:1000".
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Origin&, const Origin&) = default;

 private:
  enum class Kind : std::uint8_t { kIpv4, kIpv6, kUser };

  Origin(Kind kind, std::uint8_t bits, std::uint64_t number)
      : number_{number}, kind_{kind}, bits_{bits} {}

  std::uint64_t number_;  ///< the address, the front half of it, or the user's id
  Kind kind_;
  std::uint8_t bits_;  ///< kIpv6: of the network
};

}  // namespace chatd
