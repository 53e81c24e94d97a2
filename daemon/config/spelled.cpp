#include "config/spelled.hpp"

namespace chatd {

namespace {

constexpr std::string_view kAnybodyHere = "unix";

}  // namespace

std::string spelled(const io::Network& proxy) {
  const bool anybody = proxy.kind() == io::Network::Kind::kUser && proxy.bits() == 0;
  return anybody ? std::string{kAnybodyHere} : proxy.to_string();
}

std::string spelled(const http::Site& site) {
  return site.port ? site.host + ':' + std::to_string(*site.port) : site.host;
}

std::string spelled(const http::WebOrigin& origin) {
  return (origin.secure ? "https://" : "http://") + spelled(origin.site);
}

template <>
std::optional<io::Network> read_spelled(std::string_view text) {
  if (text == kAnybodyHere) return io::Network::of(io::Network::Kind::kUser, 0, {});
  auto network = io::Network::parse(text);
  return network ? std::optional{*network} : std::nullopt;
}

template <>
std::optional<http::Site> read_spelled(std::string_view text) {
  return http::Site::parse(text);
}

template <>
std::optional<http::WebOrigin> read_spelled(std::string_view text) {
  return http::WebOrigin::parse(text);
}

}  // namespace chatd
