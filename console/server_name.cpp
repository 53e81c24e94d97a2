#include "console/server_name.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/endpoint.hpp"

namespace chatd::console {
namespace {

constexpr std::string_view kTls = "tls:";
constexpr std::string_view kRightForms =
    "HOST, HOST:PORT, [IPV6]:PORT, each perhaps behind tls:, or unix:/PATH would be right, "
    "e.g. localhost:8080";

Error wrong(std::string_view text, std::string_view why) {
  return {std::string{text} + ": " + std::string{why} + "; " + std::string{kRightForms}};
}

// Whether the interface after a % exists is found out by whoever resolves the name.
bool is_ipv6(std::string_view text) {
  in6_addr unused{};
  return ::inet_pton(AF_INET6, std::string{text.substr(0, text.find('%'))}.c_str(), &unused) == 1;
}

std::optional<std::uint16_t> port_of(std::string_view digits) {
  std::uint16_t port = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc{} || rest != end || port == 0) return std::nullopt;
  return port;
}

// What the brackets or the colons of `text` set apart.
struct Parts {
  std::string_view host;
  std::optional<std::string_view> port;
  bool ipv6 = false;
};

std::optional<Parts> parts_of(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    Parts parts{text.substr(1, end - 1), {}, true};
    if (!rest.empty()) parts.port = rest.substr(1);
    return parts;
  }
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (colons != 1) return Parts{text, {}, colons > 1};
  const std::size_t colon = text.find(':');
  return Parts{text.substr(0, colon), text.substr(colon + 1), false};
}

Result<ServerName> parse_unix(std::string_view text, bool has_port) {
  if (has_port) return wrong(text, "a unix socket has no port; leave it out");
  sockaddr_storage unused{};
  auto length = io::Endpoint{std::string{text}, 0}.to_socket_address(unused);
  if (!length) return wrong(text, length.error().message);
  return ServerName{std::string{text}};
}

}  // namespace

std::string ServerName::to_string() const {
  return io::Endpoint{host, port}.to_string();
}

Result<ServerName> ServerName::parse(std::string_view text, std::optional<std::uint64_t> port) {
  if (text.starts_with("unix:")) return parse_unix(text, port.has_value());
  const bool tls = text.starts_with(kTls);
  const std::string_view place = tls ? text.substr(kTls.size()) : text;
  if (place.starts_with("unix:")) return wrong(text, "a unix socket has no name to be checked");
  const auto parts = parts_of(place);
  if (!parts) return wrong(text, "after [IPV6] comes :PORT or nothing");
  if (parts->host.empty()) return wrong(text, "the host is missing");
  if (parts->ipv6 && !is_ipv6(parts->host)) {
    return wrong(text, "'" + std::string{parts->host} + "' is not an IPv6 address");
  }
  if (parts->port && port) return wrong(text, "the port is given twice");
  ServerName server{std::string{parts->host}, kDefaultPort, tls};
  if (parts->port) {
    const auto number = port_of(*parts->port);
    if (!number) return wrong(text, "the port is not a number from 1 to 65535");
    server.port = *number;
  }
  if (port) server.port = static_cast<std::uint16_t>(*port);
  return server;
}

}  // namespace chatd::console
