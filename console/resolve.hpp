/// The addresses of a chat server, from the system's resolver.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "console/server_name.hpp"
#include "io/endpoint.hpp"

namespace chatd::console {

/// In the order of the resolver (RFC 6724), never empty. Blocks for as long as the resolver
/// waits for its servers; a signal that ends the program ends that, too.
[[nodiscard]] Result<std::vector<io::Endpoint>> resolve(const ServerName& server);

}  // namespace chatd::console
