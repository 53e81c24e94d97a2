/// What a text of the configuration may not be. Each check says what is wrong and
/// what would be right, or answers with an empty string. Pure functions: whether a
/// folder or a group exists is for those to find out who use it.
#pragma once

#include <string>
#include <string_view>

#include "io/endpoint.hpp"

namespace chatd {

/// Greeting and farewell: a few lines, because every client gets them at once.
[[nodiscard]] std::string check_spoken(std::string_view text);

/// Empty, or absolute: a daemon has no folder of its own.
[[nodiscard]] std::string check_file_path(std::string_view text);

/// The same, and at most 107 bytes, the most that a unix socket's address holds.
[[nodiscard]] std::string check_socket_path(std::string_view text);

/// Empty, or what can be the name of a group.
[[nodiscard]] std::string check_group(std::string_view text);

/// An IPv4 or IPv6 address, or "unix:/path".
[[nodiscard]] std::string check_address(std::string_view text);

/// The one way of writing an address that several ways lead to ("::0:1" is "::1").
[[nodiscard]] io::Endpoint canonical(const io::Endpoint& endpoint);

/// Whether the kernel would refuse to listen on the second of two: the same place,
/// or one port for all addresses and for a single one too. IPv4 and IPv6 do not
/// meet, and port 0 is always a new one. Both are canonical.
[[nodiscard]] bool conflict(const io::Endpoint& a, const io::Endpoint& b);

}  // namespace chatd
