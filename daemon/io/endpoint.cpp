#include "io/endpoint.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <utility>

namespace chatd::io {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
/// A byte less than the field, for the NUL.
constexpr std::size_t kMaxUnixPath = sizeof(sockaddr_un::sun_path) - 1;

constexpr std::string_view kRightForms =
    "ADDR:PORT, [IPV6]:PORT or unix:/PATH would be right, e.g. 127.0.0.1:8080";

Error wrong(std::string_view text, std::string_view why) {
  return {std::string{text} + ": " + std::string{why} + "; " + std::string{kRightForms}, EINVAL};
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && rest == end;
}

template <class Address>
Address read_as(const sockaddr_storage& storage) {
  Address address{};
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

template <class Address>
Result<socklen_t> write_as(const Address& address, socklen_t length, sockaddr_storage& storage) {
  storage = {};
  std::memcpy(&storage, &address, sizeof address);
  return length;
}

std::string unix_name(const sockaddr_storage& storage, socklen_t length) {
  constexpr std::size_t kHeader = offsetof(sockaddr_un, sun_path);
  if (length <= kHeader) return {};
  const auto address = read_as<sockaddr_un>(storage);
  const std::size_t room = std::min<std::size_t>(length - kHeader, sizeof address.sun_path);
  // A name that begins with NUL has no file and is as long as the address says.
  const bool has_file = address.sun_path[0] != '\0';
  std::string name{address.sun_path, has_file ? ::strnlen(address.sun_path, room) : room};
  if (!has_file) name[0] = '@';
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return name;
}

Endpoint of_ipv6(const sockaddr_in6& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text.data(), text.size());
    return {text.data(), ntohs(address.sin6_port)};
  }
  ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  std::string literal{text.data()};
  if (address.sin6_scope_id != 0) {
    std::array<char, IF_NAMESIZE> name{};
    literal += '%';
    literal += ::if_indextoname(address.sin6_scope_id, name.data()) != nullptr
                   ? std::string{name.data()}
                   : std::to_string(address.sin6_scope_id);
  }
  return {std::move(literal), ntohs(address.sin6_port)};
}

/// A link-local address may name its interface: fe80::1%eth0.
bool parse_ipv6(const std::string& text, sockaddr_in6& address) {
  const std::size_t percent = text.find('%');
  if (::inet_pton(AF_INET6, text.substr(0, percent).c_str(), &address.sin6_addr) != 1) return false;
  if (percent == std::string::npos) return true;
  address.sin6_scope_id = ::if_nametoindex(text.c_str() + percent + 1);
  return address.sin6_scope_id != 0;
}

}  // namespace

std::string_view Endpoint::path() const {
  return std::string_view{address}.substr(std::min(kUnixPrefix.size(), address.size()));
}

std::string Endpoint::to_string() const {
  if (is_unix()) return address;
  const bool is_ipv6 = address.find(':') != std::string::npos;
  return (is_ipv6 ? '[' + address + ']' : address) + ':' + std::to_string(port);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  if (text.starts_with(kUnixPrefix)) {
    endpoint.address = text;
    if (!endpoint.path().starts_with('/')) return wrong(text, "the path does not begin with /");
  } else {
    const std::size_t colon = text.rfind(':');
    const bool only_address = text.starts_with('[') && text.ends_with(']');
    if (colon == std::string_view::npos || only_address) return wrong(text, "there is no port");
    std::string_view address = text.substr(0, colon);
    const bool in_brackets = address.starts_with('[') && address.ends_with(']');
    if (in_brackets) address = address.substr(1, address.size() - 2);
    const bool is_ipv6 = address.find(':') != std::string_view::npos;
    if (is_ipv6 && !in_brackets) return wrong(text, "an IPv6 address belongs in brackets");
    if (!is_ipv6 && in_brackets) return wrong(text, "only an IPv6 address belongs in brackets");
    if (!parse_port(text.substr(colon + 1), endpoint.port)) {
      return wrong(text, "the port is not a number from 0 to 65535");
    }
    endpoint.address = address;
  }
  sockaddr_storage unused{};
  if (auto length = endpoint.to_socket_address(unused); !length) {
    return wrong(text, length.error().message);
  }
  return endpoint;
}

Endpoint Endpoint::of(const sockaddr_storage& address, socklen_t length) {
  switch (address.ss_family) {
    case AF_INET: {
      const auto ipv4 = read_as<sockaddr_in>(address);
      std::array<char, INET_ADDRSTRLEN> text{};
      ::inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
      return {text.data(), ntohs(ipv4.sin_port)};
    }
    case AF_INET6:
      return of_ipv6(read_as<sockaddr_in6>(address));
    default:
      return {std::string{kUnixPrefix} + unix_name(address, length), 0};
  }
}

Result<socklen_t> Endpoint::to_socket_address(sockaddr_storage& storage) const {
  if (is_unix()) {
    const std::string_view name = path();
    if (name.empty()) return Error{"the path is empty", EINVAL};
    if (name.find('\0') != std::string_view::npos) return Error{"the path has a NUL in it", EINVAL};
    if (name.size() > kMaxUnixPath) {
      return Error{"the path of a unix socket has at most " + std::to_string(kMaxUnixPath) +
                       " bytes, this one has " + std::to_string(name.size()),
                   ENAMETOOLONG};
    }
    sockaddr_un file{};
    file.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), file.sun_path);
    return write_as(file, sizeof file, storage);
  }
  sockaddr_in ipv4{};
  if (::inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    return write_as(ipv4, sizeof ipv4, storage);
  }
  sockaddr_in6 ipv6{};
  if (parse_ipv6(address, ipv6)) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    return write_as(ipv6, sizeof ipv6, storage);
  }
  return Error{"'" + address + "' is not an IPv4 or IPv6 address", EINVAL};
}

}  // namespace chatd::io
