/// What people write for a place to listen on, on the command line and in CHATD_LISTEN.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/endpoint.hpp"

namespace chatd {

/// The endpoints that `text` means, each canonical:
///
/// | text               | endpoints                                       |
/// | ------------------ | ----------------------------------------------- |
/// | `127.0.0.1:8081`, `[::1]:8081`, `unix:/path` | that one              |
/// | `8081`             | 127.0.0.1:8081                                  |
/// | `localhost:8081`   | 127.0.0.1:8081 and, if there is one, [::1]:8081 |
/// | `:8081`            | 0.0.0.0:8081 and, if there is IPv6, [::]:8081   |
///
/// Errors say what would be right.
[[nodiscard]] Result<std::vector<io::Endpoint>> parse_listen_places(std::string_view text);

}  // namespace chatd
