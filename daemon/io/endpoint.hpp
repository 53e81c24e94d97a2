/// Where a socket listens or where its peer is: an IPv4 or IPv6 literal with a
/// port, or a unix path. Names are never looked up.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace chatd::io {

/// `address` is an IPv4 or IPv6 literal (without brackets), or "unix:/path".
/// Port 0 means any free port.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;

  [[nodiscard]] bool is_unix() const { return address.starts_with("unix:"); }
  /// The path of a unix endpoint, without "unix:".
  [[nodiscard]] std::string_view path() const;
  /// "127.0.0.1:8080", "[::1]:8080", "unix:/path".
  [[nodiscard]] std::string to_string() const;
  /// The inverse of to_string(). Errors say what would be right.
  static Result<Endpoint> parse(std::string_view text);

  /// The endpoint of a socket address, e.g. of a peer; a unix peer is "unix:" and
  /// its path, which is usually empty ("@name" for one without a file). Bytes of
  /// it that are not printable ASCII become '?', for the peer chose them.
  /// ::ffff:a.b.c.d is shown as a.b.c.d.
  static Endpoint of(const sockaddr_storage& address, socklen_t length);
  /// The inverse of of(), as bind() and connect() want it. Errors: an address that
  /// is not a literal, a path that is empty, longer than 107 bytes or has a NUL in it.
  [[nodiscard]] Result<socklen_t> to_socket_address(sockaddr_storage& storage) const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace chatd::io
