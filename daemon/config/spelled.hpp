/// Values of the configuration that are more than a text, as they are written in it: proxies,
/// origins of pages, hosts. Pure. Invariant: reading what is spelled gives the same value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/site.hpp"
#include "io/network.hpp"

namespace chatd {

/// As io::Network writes it; a user of no bits, which is everybody on a unix socket, as "unix".
[[nodiscard]] std::string spelled(const io::Network& proxy);
/// "example.org", "[2001:db8::1]:8080".
[[nodiscard]] std::string spelled(const http::Site& site);
/// "https://example.org"; the port as it was written.
[[nodiscard]] std::string spelled(const http::WebOrigin& origin);

/// The value that is written so; nothing if there is none.
template <class Value>
[[nodiscard]] std::optional<Value> read_spelled(std::string_view text);
template <>
[[nodiscard]] std::optional<io::Network> read_spelled(std::string_view text);
template <>
[[nodiscard]] std::optional<http::Site> read_spelled(std::string_view text);
template <>
[[nodiscard]] std::optional<http::WebOrigin> read_spelled(std::string_view text);

}  // namespace chatd
