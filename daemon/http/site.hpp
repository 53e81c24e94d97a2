/// Which site is meant, and which one asks: the fields Host (RFC 9110, section 7.2) and Origin
/// (RFC 6454, section 7) as values that can be compared. Pure; names are never looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace chatd::http {

/// A host with its port, as both fields have them.
struct Site {
  /// In lower case, without the dot of the root at its end; an IPv6 address in brackets, in its
  /// shortest form (RFC 5952). At most 253 bytes, of a name.
  std::string host;
  std::optional<std::uint16_t> port;  ///< nothing where none is written

  /// "example.org", "Example.org.:8080", "192.0.2.7", "[2001:db8::1]:8080". Nothing if it is
  /// anything else: empty, with a user, a zone, a percent sign, a port that is none.
  [[nodiscard]] static std::optional<Site> parse(std::string_view text);

  friend bool operator==(const Site&, const Site&) = default;
};

/// Where a page came from: http or https, and the site.
struct WebOrigin {
  bool secure = false;  ///< https
  Site site;

  /// "https://example.org", "http://[::1]:8080". Nothing for "null", for another scheme, for a
  /// path behind it (be it a slash alone), and for two origins.
  [[nodiscard]] static std::optional<WebOrigin> parse(std::string_view text);
  /// The one of the site, or that of its scheme.
  [[nodiscard]] std::uint16_t port() const;

  /// A port that is written and the same one that is not are equal.
  friend bool operator==(const WebOrigin& one, const WebOrigin& other) {
    return one.secure == other.secure && one.site.host == other.site.host &&
           one.port() == other.port();
  }
};

/// Whether the page came from here: host and port are those of `host`, whose port is the one of
/// the page's scheme if none is written. Both schemes count, since a proxy may do the TLS.
[[nodiscard]] bool is_own(const WebOrigin& origin, const Site& host);

/// Whether a request may be taken for a WebSocket. `origin` is its field: nothing where there was
/// none, as of a program that is no browser, which may come. Else it has to be the page's own, or
/// one of `allowed` (web.origins). "null" and what cannot be read are refused.
[[nodiscard]] bool may_connect(std::optional<std::string_view> origin,
                               const std::optional<Site>& host, std::span<const WebOrigin> allowed);

/// Whether `host` is one of `known` (web.hosts), of which one without a port stands for all ports,
/// and one with a port for hosts that are written with that port. If `known` is empty, all are; a
/// request that names none (HTTP/1.0) is then one of them, too.
[[nodiscard]] bool is_known(const std::optional<Site>& host, std::span<const Site> known);

}  // namespace chatd::http
