/// What OpenSSL is told on both sides of a connection, whatever the machine's openssl.cnf says.
///
/// For the sources of this room alone.
#pragma once

#include <openssl/ssl.h>

namespace chatd::tls {

/// The lowest version (TLS1_3_VERSION, ...) and no highest; the suites of TLS 1.3; keys of 112 bits
/// of security or more; no compression, no renegotiation, no sessions that OpenSSL keeps by itself;
/// chains of at most eight certificates and 64 KiB.
void set_rules_of_both_sides(SSL_CTX* context, int minimum);

}  // namespace chatd::tls
