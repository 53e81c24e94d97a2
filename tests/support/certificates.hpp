/// Certificates that a test makes for itself, with OpenSSL: no key lies in the repository.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace chatd::test {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// A certificate, its key, and both as PEM.
struct Issued {
  std::unique_ptr<X509, Freed<X509_free>> x509;
  std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key;

  [[nodiscard]] std::string certificate() const {
    const std::unique_ptr<BIO, Freed<BIO_free>> out{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(out.get(), x509.get());
    return text_of(out.get());
  }
  /// Encrypted if there is a password.
  [[nodiscard]] std::string key_text(const char* password = nullptr) const {
    const std::unique_ptr<BIO, Freed<BIO_free>> out{BIO_new(BIO_s_mem())};
    const auto* cipher = password == nullptr ? nullptr : EVP_aes_128_cbc();
    PEM_write_bio_PrivateKey(out.get(), key.get(), cipher, nullptr, 0, nullptr,
                             const_cast<char*>(password));
    return text_of(out.get());
  }

 private:
  static std::string text_of(BIO* out) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out, &data);
    return {data, static_cast<std::size_t>(size)};
  }
};

enum class KeyKind { kEc, kRsa, kWeakRsa, kEd25519 };

/// What a certificate is to be like.
struct Wanted {
  std::string common_name = {};
  std::string alternative_names = {};  ///< as in openssl.cnf: "DNS:a.example,email:b@c.example"
  const Issued* issuer = nullptr;      ///< nullptr: it signs itself
  bool is_authority = false;
  long from = -3600;  ///< in seconds from now
  long until = 3600L * 24 * 30;
  KeyKind key = KeyKind::kEc;
  const char* usage = nullptr;  ///< "clientAuth" or "serverAuth"; nullptr: any
};

inline EVP_PKEY* make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEc:
      return EVP_EC_gen("P-256");
    case KeyKind::kRsa:
      return EVP_RSA_gen(2048);
    case KeyKind::kWeakRsa:
      return EVP_RSA_gen(1024);
    case KeyKind::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

inline Issued issue(const Wanted& wanted) {
  static long serial = 0;
  Issued made{decltype(Issued::x509){X509_new()}, decltype(Issued::key){make_key(wanted.key)}};
  X509* const x509 = made.x509.get();
  const X509* const signer = wanted.issuer == nullptr ? x509 : wanted.issuer->x509.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), wanted.from);
  X509_gmtime_adj(X509_getm_notAfter(x509), wanted.until);
  X509_set_pubkey(x509, made.key.get());
  if (!wanted.common_name.empty()) {
    X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wanted.common_name.data()),
                               static_cast<int>(wanted.common_name.size()), -1, 0);
  }
  X509_set_issuer_name(x509, X509_get_subject_name(signer));
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(signer), x509, nullptr, nullptr, 0);
  const auto extend = [&](int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (extension == nullptr) std::abort();
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, wanted.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wanted.alternative_names.empty()) {
    extend(NID_subject_alt_name, wanted.alternative_names);
  }
  if (wanted.usage != nullptr) extend(NID_ext_key_usage, wanted.usage);
  EVP_PKEY* const key = wanted.issuer == nullptr ? made.key.get() : wanted.issuer->key.get();
  const bool whole = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  if (X509_sign(x509, key, whole ? nullptr : EVP_sha256()) == 0) std::abort();
  return made;
}

}  // namespace chatd::test
