/// Where a client comes from, in 20 bytes. Knows how an address is written, and which
/// addresses count as one.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

namespace chatd {

class ByteReader;
class ByteWriter;

class Peer {
 public:
  /// Addresses that share a key share a limit: an IPv4 address, also as
  /// ::ffff:a.b.c.d, or the /64 of an IPv6 address.
  using Key = std::array<std::uint8_t, 9>;

  Peer() = default;
  Peer(const sockaddr_storage& address, socklen_t length);

  /// The reader refuses what cannot be a peer.
  void save(ByteWriter& out) const;
  static Peer read(ByteReader& in);

  /// "192.0.2.1:4711", "[2001:db8::1]:4711", "unix:".
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] Key key() const;
  [[nodiscard]] bool is_v6() const { return family_ == AF_INET6; }
  /// In the order of the network; an IPv4 address is the first four.
  [[nodiscard]] const std::array<std::uint8_t, 16>& address() const { return address_; }
  /// A unix socket has no address that could be counted.
  [[nodiscard]] bool has_address() const { return family_ != AF_UNIX; }

 private:
  std::array<std::uint8_t, 16> address_{};  ///< IPv4 in the first four
  std::uint16_t port_ = 0;
  std::uint16_t family_ = AF_UNIX;
};

}  // namespace chatd
