/// Where a client comes from, in 20 bytes: an address, or a user of this machine. Knows how
/// either is written.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::io {

class Peer {
 public:
  /// Somebody at the other end of a unix socket, nobody knows who.
  Peer() = default;
  Peer(const sockaddr_storage& address, socklen_t length);
  static Peer of_user(uid_t user);

  /// Asks the kernel which user has connected, if this is a unix socket and not known yet. It is
  /// the one that called connect(2), whoever has the socket now.
  void learn_user(int socket);

  /// The reader refuses what cannot be a peer.
  void save(ByteWriter& out) const;
  static Peer read(ByteReader& in);

  /// "192.0.2.1:4711", "[2001:db8::1]:4711", "uid:1000", or "unix:" of an unknown user.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_v6() const { return family_ == AF_INET6; }
  /// In the order of the network; an IPv4 address is the first four.
  [[nodiscard]] const std::array<std::uint8_t, 16>& address() const { return address_; }
  /// A client of a unix socket has none.
  [[nodiscard]] bool has_address() const { return family_ != AF_UNIX; }
  /// Of a client of a unix socket.
  [[nodiscard]] std::optional<uid_t> user() const;

 private:
  /// IPv4 in the first four. A user's id stands there too, with a one behind it.
  std::array<std::uint8_t, 16> address_{};
  std::uint16_t port_ = 0;
  std::uint16_t family_ = AF_UNIX;
};

}  // namespace chatd::io
