#include "io/network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <utility>

#include "io/endpoint.hpp"

namespace chatd::io {

namespace {

constexpr unsigned kV4Bits = 32;
constexpr unsigned kV6Bits = 128;
constexpr unsigned kUserBits = 32;
constexpr unsigned kMappedBits = 96;
constexpr std::string_view kUserPrefix = "uid:";

constexpr unsigned most_bits(Network::Kind kind) {
  switch (kind) {
    case Network::Kind::kIpv4:
      return kV4Bits;
    case Network::Kind::kIpv6:
      return kV6Bits;
    case Network::Kind::kUser:
      return kUserBits;
  }
  return 0;
}

/// The bytes of a wrong text that an error repeats.
constexpr std::size_t kShown = 60;

constexpr std::string_view kRightForms =
    "192.0.2.7, 192.0.2.0/24, 2001:db8::/32 or uid:1000 would be right";

Error wrong(std::string_view text, std::string_view why) {
  std::string message{text.substr(0, kShown)};
  if (text.size() > kShown) message += "...";
  return Error{message + ": " + std::string{why} + "; " + std::string{kRightForms}};
}

/// People copy it from the list of sessions, where it has a port.
std::string_view why_no_address(const std::string& text) {
  if (text.starts_with("unix:")) return "a client of a unix socket has no address, but a user";
  if (Endpoint::parse(text)) return "without the port";
  return "no address";
}

}  // namespace

Network::Network(Kind kind, unsigned bits, const Bytes& address)
    : kind_{kind}, bits_{bits}, address_{address} {
  assert(bits_ <= most_bits(kind_));
  for (unsigned i = 0; i < address_.size(); ++i) {
    const unsigned kept = bits_ <= 8 * i ? 0 : std::min(8U, bits_ - 8 * i);
    address_[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
}

Network Network::of_user(uid_t user) {
  Bytes bytes{};
  const std::uint32_t number = htonl(user);
  std::memcpy(bytes.data(), &number, sizeof number);
  return {Kind::kUser, kUserBits, bytes};
}

Result<Network> Network::parse(std::string_view text) {
  if (text.starts_with(kUserPrefix)) return parse_user(text);
  const auto slash = text.find('/');
  const std::string address{text.substr(0, slash)};
  Bytes bytes{};
  in_addr v4{};
  in6_addr v6{};
  Kind kind = Kind::kIpv4;
  const bool has_nul = address.find('\0') != std::string::npos;
  if (!has_nul && inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    std::memcpy(bytes.data(), &v4, sizeof v4);
  } else if (!has_nul && inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    std::memcpy(bytes.data(), &v6, sizeof v6);
    kind = Kind::kIpv6;
  } else {
    return wrong(text, why_no_address(std::string{text.substr(0, kShown)}));
  }
  unsigned bits = most_bits(kind);
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const unsigned most = bits;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, bits);
    if (error != std::errc{} || rest != end || bits > most) {
      return wrong(text, kind == Kind::kIpv6 ? "an IPv6 address has 0 to 128 bits"
                                             : "an IPv4 address has 0 to 32 bits");
    }
  }
  if (kind == Kind::kIpv6 && bits >= kMappedBits && IN6_IS_ADDR_V4MAPPED(&v6)) {
    Bytes mapped{};
    std::copy_n(bytes.begin() + 12, 4, mapped.begin());
    return Network{Kind::kIpv4, bits - kMappedBits, mapped};
  }
  return Network{kind, bits, bytes};
}

Result<Network> Network::parse_user(std::string_view text) {
  const auto digits = text.substr(kUserPrefix.size());
  const char* const end = digits.data() + digits.size();
  std::uint32_t user = 0;
  const auto [rest, error] = std::from_chars(digits.data(), end, user);
  if (error != std::errc{} || rest != end) return wrong(text, "not the number of a user");
  return of_user(user);
}

std::optional<Network> Network::around(const Peer& peer, unsigned bits) {
  if (peer.has_address()) {
    return Network{peer.is_v6() ? Kind::kIpv6 : Kind::kIpv4, bits, peer.address()};
  }
  if (const auto user = peer.user()) return Network{Kind::kUser, bits, of_user(*user).address_};
  return {};
}

bool Network::contains(const Peer& peer) const {
  const auto all = around(peer, 0);
  return all && all->kind_ == kind_ && around(peer, bits_) == *this;
}

bool Network::contains(const Network& other) const {
  return other.kind_ == kind_ && other.bits_ >= bits_ &&
         Network{kind_, bits_, other.address_} == *this;
}

std::string Network::to_string() const {
  if (kind_ == Kind::kUser) {
    std::uint32_t user = 0;
    std::memcpy(&user, address_.data(), sizeof user);
    return std::string{kUserPrefix} + std::to_string(ntohl(user));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(kind_ == Kind::kIpv6 ? AF_INET6 : AF_INET, address_.data(), text.data(), text.size());
  std::string all{text.data()};
  if (bits_ < most_bits(kind_)) all += "/" + std::to_string(bits_);
  return all;
}

}  // namespace chatd::io
