/// OpenSSL's objects with owners, and its queue of errors in words. For the sources of this room
/// alone: the other headers of it name OpenSSL's types without including anything of it.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace chatd::tls {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

inline void free_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}

using UniqueBio = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using UniqueChain = std::unique_ptr<STACK_OF(X509), FreeWith<free_chain>>;
using UniqueNames = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using UniquePkey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using UniqueX509 = std::unique_ptr<X509, FreeWith<X509_free>>;

/// The bytes of an ASN.1 string, which lives as long as that.
[[nodiscard]] inline std::string_view view_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// Why OpenSSL's last call on this thread failed: the first error in its queue, which brought
/// about the others, in OpenSSL's words; never any of what was read. Empties the queue.
[[nodiscard]] inline std::string take_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

}  // namespace chatd::tls
