#include "io/peer.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"
#include "io/endpoint.hpp"

namespace chatd::io {
namespace {

/// Where a user's id ends, in the bytes of an address.
constexpr std::size_t kUserBytes = 4;

/// Each connection has its name in two events or log lines; inet_ntop takes ten times as
/// long.
std::string ipv4_name(const std::uint8_t* address, std::uint16_t port) {
  std::array<char, std::string_view{"255.255.255.255:65535"}.size()> name;
  char* end = name.data();
  for (int i = 0; i < 4; ++i) {
    end = std::to_chars(end, name.data() + name.size(), address[i]).ptr;
    *end++ = i < 3 ? '.' : ':';
  }
  end = std::to_chars(end, name.data() + name.size(), port).ptr;
  return {name.data(), end};
}

}  // namespace

Peer::Peer(const sockaddr_storage& address, socklen_t length) {
  if (address.ss_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    family_ = AF_INET;
    port_ = ntohs(in.sin_port);
    std::memcpy(address_.data(), &in.sin_addr, 4);
  } else if (address.ss_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, &address, sizeof in6);
    port_ = ntohs(in6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
      family_ = AF_INET;
      std::memcpy(address_.data(), &in6.sin6_addr.s6_addr[12], 4);
    } else {
      family_ = AF_INET6;
      std::memcpy(address_.data(), &in6.sin6_addr, 16);
    }
  }
}

Peer Peer::of_user(uid_t user) {
  Peer peer;
  std::memcpy(peer.address_.data(), &user, sizeof user);
  peer.address_[kUserBytes] = 1;
  return peer;
}

void Peer::learn_user(int socket) {
  if (has_address() || user()) return;
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return;
  *this = of_user(credentials.uid);
}

void Peer::save(ByteWriter& out) const {
  for (const auto byte : address_) out.number(byte);
  out.number(port_);
  out.number(family_);
}

Peer Peer::read(ByteReader& in) {
  Peer peer;
  for (auto& byte : peer.address_) byte = in.number<std::uint8_t>();
  peer.port_ = in.number<std::uint16_t>();
  peer.family_ = in.number<std::uint16_t>();
  in.require(peer.family_ == AF_INET || peer.family_ == AF_INET6 || peer.family_ == AF_UNIX);
  return peer;
}

std::string Peer::to_string() const {
  if (family_ == AF_INET) return ipv4_name(address_.data(), port_);
  sockaddr_storage storage{};
  if (family_ == AF_INET6) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port_);
    std::memcpy(&in6.sin6_addr, address_.data(), 16);
    std::memcpy(&storage, &in6, sizeof in6);
    return Endpoint::of(storage, sizeof in6).to_string();
  }
  const auto known = user();
  return known ? "uid:" + std::to_string(*known) : "unix:";
}

std::optional<uid_t> Peer::user() const {
  static_assert(sizeof(uid_t) == kUserBytes);
  if (has_address() || address_[kUserBytes] == 0) return {};
  uid_t user = 0;
  std::memcpy(&user, address_.data(), sizeof user);
  return user;
}

}  // namespace chatd::io
