#include "http/site.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

#include "http/syntax.hpp"

namespace chatd::http {
namespace {

/// RFC 1035, section 3.1: 255 bytes on the wire are 253 as they are written.
constexpr std::size_t kMostName = 253;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

std::string lower(std::string_view text) {
  std::string lowered{text};
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lowered;
}

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// "" for what is none. The dot of the root at its end is left out.
std::string name_of(std::string_view text) {
  auto name = lower(text);
  if (name.ends_with('.')) name.pop_back();
  const bool good = name.size() <= kMostName && !name.starts_with('.') && !name.ends_with('.') &&
                    name.find("..") == std::string::npos &&
                    std::all_of(name.begin(), name.end(), is_of_name);
  return good ? name : std::string{};
}

/// `text` is what stands in the brackets. "" for what is none.
std::string ipv6_of(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (text.size() >= written.size()) return {};
  std::copy(text.begin(), text.end(), written.begin());
  in6_addr address{};
  // A NUL inside would end the text too early.
  if (text.find('\0') != std::string_view::npos) return {};
  if (::inet_pton(AF_INET6, written.data(), &address) != 1) return {};
  if (::inet_ntop(AF_INET6, &address, written.data(), written.size()) == nullptr) return {};
  return '[' + std::string{written.data()} + ']';
}

/// Of digits alone, and no port 0, which nobody can connect to.
std::optional<std::uint16_t> port_of(std::string_view text) {
  constexpr std::size_t kMostDigits = 5;
  if (text.size() > kMostDigits) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// How much of `text` is the host; what follows must be a port.
std::size_t host_size(std::string_view text) {
  if (!text.starts_with('[')) return std::min(text.find(':'), text.size());
  const auto bracket = text.find(']');
  return bracket == std::string_view::npos ? 0 : bracket + 1;
}

}  // namespace

std::optional<Site> Site::parse(std::string_view text) {
  const auto size = host_size(text);
  const auto host = text.substr(0, size);
  const auto rest = text.substr(size);
  Site site;
  site.host = host.starts_with('[') ? ipv6_of(host.substr(1, size - 2)) : name_of(host);
  if (site.host.empty()) return std::nullopt;
  if (rest.empty()) return site;
  if (!rest.starts_with(':')) return std::nullopt;
  site.port = port_of(rest.substr(1));
  if (!site.port) return std::nullopt;
  return site;
}

std::optional<WebOrigin> WebOrigin::parse(std::string_view text) {
  constexpr std::string_view kBetween = "://";
  const auto end = text.find(kBetween);
  if (end == std::string_view::npos) return std::nullopt;
  const auto scheme = text.substr(0, end);
  const bool secure = is_same_word(scheme, "https");
  if (!secure && !is_same_word(scheme, "http")) return std::nullopt;
  auto site = Site::parse(text.substr(end + kBetween.size()));
  if (!site) return std::nullopt;
  return WebOrigin{secure, std::move(*site)};
}

std::uint16_t WebOrigin::port() const {
  return site.port.value_or(secure ? kHttpsPort : kHttpPort);
}

bool is_own(const WebOrigin& origin, const Site& host) {
  return origin == WebOrigin{origin.secure, host};
}

bool may_connect(std::optional<std::string_view> origin, const std::optional<Site>& host,
                 std::span<const WebOrigin> allowed) {
  if (!origin) return true;
  const auto from = WebOrigin::parse(*origin);
  if (!from) return false;
  if (host && is_own(*from, *host)) return true;
  return std::find(allowed.begin(), allowed.end(), *from) != allowed.end();
}

bool is_known(const std::optional<Site>& host, std::span<const Site> known) {
  if (known.empty()) return true;
  if (!host) return false;
  return std::any_of(known.begin(), known.end(), [&host](const Site& each) {
    return each.host == host->host && (!each.port || each.port == host->port);
  });
}

}  // namespace chatd::http
