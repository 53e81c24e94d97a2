/// Where a chat server is, as a user writes it. Pure: no name is looked up here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/default_port.hpp"
#include "base/result.hpp"

namespace chatd::console {

struct ServerName {
  /// A name, an IPv4 or IPv6 literal without brackets (the latter perhaps with %INTERFACE),
  /// or "unix:/path".
  std::string host;
  std::uint16_t port = kDefaultPort;  ///< means nothing for a unix socket
  bool tls = false;                   ///< it has to speak TLS, and to prove that it is `host`

  [[nodiscard]] bool is_unix() const { return host.starts_with("unix:"); }
  /// "localhost:8080", "[::1]:8080", "unix:/path"; whether with TLS is not said.
  [[nodiscard]] std::string to_string() const;

  /// HOST, HOST:PORT, IPV6, [IPV6], [IPV6]:PORT or unix:/PATH, all but the last perhaps behind
  /// "tls:". Two colons or more make an IPv6 literal of what has no brackets. `port` was given
  /// apart from `text`. Errors say what would be right.
  static Result<ServerName> parse(std::string_view text, std::optional<std::uint64_t> port = {});

  friend bool operator==(const ServerName&, const ServerName&) = default;
};

}  // namespace chatd::console
