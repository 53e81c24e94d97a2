#include "config/listen_places.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "base/unique_fd.hpp"
#include "config/checks.hpp"

namespace chatd {

namespace {

/// Whether this machine has `address`, of IPv6.
bool has_address(const std::string& address) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, 0}.to_socket_address(storage);
  const UniqueFd socket{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return length && socket &&
         ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), *length) == 0;
}

/// `port` of the IPv4 address and, if the machine has it, of that of IPv6.
Result<std::vector<io::Endpoint>> both(const char* ipv4, const char* ipv6, std::string_view port) {
  auto first = io::Endpoint::parse(std::string{ipv4} + ':' + std::string{port});
  if (!first) return std::move(first.error());
  std::vector<io::Endpoint> all{*first};
  if (has_address(ipv6)) all.push_back({ipv6, first->port});
  return all;
}

}  // namespace

Result<std::vector<io::Endpoint>> parse_listen_places(std::string_view text) {
  constexpr std::string_view kLocalhost = "localhost:";
  if (text.starts_with(kLocalhost)) {
    return both("127.0.0.1", "::1", text.substr(kLocalhost.size()));
  }
  if (text.starts_with(':') && text.find(':', 1) == std::string_view::npos) {
    return both("0.0.0.0", "::", text.substr(1));
  }
  const bool is_port =
      !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  auto endpoint =
      io::Endpoint::parse(is_port ? "127.0.0.1:" + std::string{text} : std::string{text});
  if (!endpoint) return std::move(endpoint.error());
  return std::vector{canonical(*endpoint)};
}

}  // namespace chatd
