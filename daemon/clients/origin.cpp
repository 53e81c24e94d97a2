#include "clients/origin.hpp"

#include <array>
#include <cstddef>

#include "io/network.hpp"

namespace chatd {

namespace {

constexpr unsigned kNarrow = 64;
constexpr unsigned kWide = 56;
constexpr unsigned kWidest = 48;
/// No user has this id: calls take it for "leave it as it is".
constexpr uid_t kUnknownUser = UINT32_MAX;

}  // namespace

Origin::Origin(const io::Peer& peer) : number_{0}, kind_{Kind::kUser}, bits_{0} {
  if (!peer.has_address()) {
    number_ = peer.user().value_or(kUnknownUser);
    return;
  }
  kind_ = peer.is_v6() ? Kind::kIpv6 : Kind::kIpv4;
  const std::size_t bytes = peer.is_v6() ? 8 : 4;
  for (std::size_t i = 0; i < bytes; ++i) number_ = number_ << 8U | peer.address().at(i);
  if (peer.is_v6()) bits_ = kNarrow;
}

std::optional<Origin> Origin::wider() const {
  if (kind_ != Kind::kIpv6 || bits_ == kWidest) return {};
  const unsigned bits = bits_ == kNarrow ? kWide : kWidest;
  const auto mask = ~std::uint64_t{0} << (kNarrow - bits);
  return Origin{kind_, static_cast<std::uint8_t>(bits), number_ & mask};
}

unsigned Origin::share() const {
  if (kind_ != Kind::kIpv6 || bits_ == kNarrow) return 1;
  return bits_ == kWide ? 4 : 16;
}

std::string Origin::to_string() const {
  if (kind_ == Kind::kUser) {
    return number_ == kUnknownUser ? io::Peer{}.to_string()
                                   : io::Peer::of_user(static_cast<uid_t>(number_)).to_string();
  }
  std::array<std::uint8_t, 16> address{};
  const unsigned bytes = kind_ == Kind::kIpv6 ? 8 : 4;
  for (unsigned i = 0; i < bytes; ++i) {
    address.at(i) = static_cast<std::uint8_t>(number_ >> (8 * (bytes - 1 - i)));
  }
  const bool v6 = kind_ == Kind::kIpv6;
  return io::Network::of(v6 ? io::Network::Kind::kIpv6 : io::Network::Kind::kIpv4, v6 ? bits_ : 32,
                         address)
      .to_string();
}

}  // namespace chatd
