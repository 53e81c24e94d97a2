#include "clients/network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <utility>

#include "io/endpoint.hpp"

namespace chatd {

namespace {

constexpr unsigned kV4Bits = 32;
constexpr unsigned kV6Bits = 128;
constexpr unsigned kMappedBits = 96;
/// The bytes of a wrong text that an error repeats.
constexpr std::size_t kShown = 60;

constexpr std::string_view kRightForms = "192.0.2.7, 192.0.2.0/24 or 2001:db8::/32 would be right";

Error wrong(std::string_view text, std::string_view why) {
  std::string message{text.substr(0, kShown)};
  if (text.size() > kShown) message += "...";
  return Error{message + ": " + std::string{why} + "; " + std::string{kRightForms}};
}

/// People copy it from the list of sessions, where it has a port.
std::string_view why_no_address(const std::string& text) {
  if (text.starts_with("unix:")) return "a client of a unix socket has no address";
  if (io::Endpoint::parse(text)) return "without the port";
  return "no address";
}

}  // namespace

Network::Network(bool v6, unsigned bits, const Bytes& address)
    : v6_{v6}, bits_{bits}, address_{address} {
  assert(bits_ <= (v6_ ? kV6Bits : kV4Bits));
  for (unsigned i = 0; i < address_.size(); ++i) {
    const unsigned kept = bits_ <= 8 * i ? 0 : std::min(8U, bits_ - 8 * i);
    address_[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address{text.substr(0, slash)};
  Bytes bytes{};
  in_addr v4{};
  in6_addr v6{};
  bool is_v6 = false;
  const bool has_nul = address.find('\0') != std::string::npos;
  if (!has_nul && inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    std::memcpy(bytes.data(), &v4, sizeof v4);
  } else if (!has_nul && inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    std::memcpy(bytes.data(), &v6, sizeof v6);
    is_v6 = true;
  } else {
    return wrong(text, why_no_address(std::string{text.substr(0, kShown)}));
  }
  unsigned bits = is_v6 ? kV6Bits : kV4Bits;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const unsigned most = bits;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, bits);
    if (error != std::errc{} || rest != end || bits > most) {
      return wrong(
          text, is_v6 ? "an IPv6 address has 0 to 128 bits" : "an IPv4 address has 0 to 32 bits");
    }
  }
  if (is_v6 && bits >= kMappedBits && IN6_IS_ADDR_V4MAPPED(&v6)) {
    Bytes mapped{};
    std::copy_n(bytes.begin() + 12, 4, mapped.begin());
    return Network{false, bits - kMappedBits, mapped};
  }
  return Network{is_v6, bits, bytes};
}

Network Network::around(const Peer& peer, unsigned bits) {
  assert(peer.has_address());
  return {peer.is_v6(), bits, peer.address()};
}

bool Network::contains(const Peer& peer) const {
  return peer.has_address() && peer.is_v6() == v6_ && around(peer, bits_) == *this;
}

bool Network::contains(const Network& other) const {
  return other.v6_ == v6_ && other.bits_ >= bits_ && Network{v6_, bits_, other.address_} == *this;
}

std::string Network::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, address_.data(), text.data(), text.size());
  std::string all{text.data()};
  if (bits_ < (v6_ ? kV6Bits : kV4Bits)) all += "/" + std::to_string(bits_);
  return all;
}

}  // namespace chatd
