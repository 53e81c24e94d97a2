/// What a handshake has shown about the other end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tls/credentials.hpp"

namespace chatd::tls {

inline constexpr std::size_t kMostServerName = 255;

struct PeerFacts {
  Version version = Version::kTls13;
  std::string_view cipher;  ///< as its RFC spells it; lives as long as the process
  /// The host that the client asked for (RFC 6066, 3), in lower case: letters, digits, '-', '_'
  /// and '.', at most kMostServerName; empty if there was none, or it was another kind of name.
  std::string server_name;
  /// Whom the certificate names that the client has shown, and an authority of ours has signed:
  /// its first DNS name or e-mail address (subjectAltName), or else its common name. Well-formed
  /// UTF-8, at most kVerifiedNameBytes bytes, a good name in the sense of base/names.hpp. Empty:
  /// no certificate, or none of its names is good.
  std::string client_name;
  bool speaks_http = false;  ///< http/1.1 was chosen of what it offered (RFC 7301)
  bool resumed = false;      ///< by a ticket, without a new look at certificates
};

}  // namespace chatd::tls
