/// A pair to begin with: a new key, and a certificate that it signs itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "tls/cleansed.hpp"

namespace chatd::tls {

struct SelfSigned {
  CleansedText key;         ///< ECDSA P-256, PEM (PKCS #8), not encrypted
  std::string certificate;  ///< PEM
  WallTime not_after;
  /// SHA-256 of the certificate, as browsers show it: "AB:CD:..."
  std::string fingerprint;
};

/// What can be wrong with the name of a host in a certificate: empty if it is a DNS name, or the
/// literal of an IPv4 or IPv6 address; else the end of a sentence that begins with it.
[[nodiscard]] std::string fault_of_host(std::string_view host);

/// `hosts` are what a client may call the server: at least one, and each without a fault_of_host().
/// It is good for 825 days, the longest that Apple's systems take, from an hour before `now` on,
/// for clocks that are slow. It is a server's certificate and no authority: whoever trusts it
/// trusts this server alone, and not what its key might sign.
[[nodiscard]] SelfSigned make_self_signed(const std::vector<std::string>& hosts, WallTime now);

}  // namespace chatd::tls
