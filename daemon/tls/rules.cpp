#include "tls/rules.hpp"

#include <cstdint>

#include "tls/require_memory.hpp"

namespace chatd::tls {

namespace {

/// AES-128 first, which is the cheapest.
constexpr const char* kSuitesOf13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr int kDeepestChain = 8;
constexpr long kMostChainBytes = 64L * 1024;

std::uint64_t options() {
  std::uint64_t all =
      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_ENABLE_MIDDLEBOX_COMPAT;
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION  // since OpenSSL 3.2
  all |= SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION;
#endif
  return all;
}

}  // namespace

void set_rules_of_both_sides(SSL_CTX* context, int minimum) {
  SSL_CTX_set_security_level(context, 2);
  bool good = SSL_CTX_set_min_proto_version(context, minimum) == 1;
  good = good && SSL_CTX_set_max_proto_version(context, 0) == 1;
  good = good && SSL_CTX_set_ciphersuites(context, kSuitesOf13) == 1;
  require_memory(good);
  SSL_CTX_clear_options(context, ~std::uint64_t{0});
  SSL_CTX_set_options(context, options());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, kMostChainBytes);
  SSL_CTX_set_verify_depth(context, kDeepestChain);
}

}  // namespace chatd::tls
