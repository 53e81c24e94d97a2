/// Certificates as they stand in files: PEM, one or many, with or without a key. It says in words
/// what is wrong with a file.
///
/// For the sources of this room alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "tls/credentials.hpp"
#include "tls/openssl.hpp"

namespace chatd::tls {

/// A certificate of a server, with its key and what stands between it and its authority.
class Certificate {
 public:
  [[nodiscard]] static Result<Certificate> load(const CredentialFiles::Pair& files);

  [[nodiscard]] const CertificateFacts& facts() const { return facts_; }
  /// Why it is not valid at that time, as an Error about its file.
  [[nodiscard]] Result<> check_validity(WallTime now) const;

  enum class Fit : std::uint8_t { kNone, kWildcard, kExact };
  /// Whether it is for the host of that name (RFC 6125).
  [[nodiscard]] Fit fit(const std::string& name) const;

  [[nodiscard]] X509* x509() const { return x509_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] STACK_OF(X509) * chain() const { return chain_.get(); }
  /// Gives it to OpenSSL, which refuses some: an Error about its file.
  [[nodiscard]] Result<> use_in(SSL_CTX* context) const;

 private:
  UniqueX509 x509_;
  UniqueChain chain_;
  UniquePkey key_;
  CertificateFacts facts_;
};

/// All certificates of the file; at least one.
[[nodiscard]] Result<std::vector<UniqueX509>> read_certificates(const std::string& path);

/// Makes each of them trusted as it is, whether it signed itself or not, beside whatever is trusted
/// already.
void trust_in(SSL_CTX* context, const std::vector<UniqueX509>& authorities);

/// 2026-11-23T06:50:00Z
[[nodiscard]] std::string date_of(WallTime time);

[[nodiscard]] CertificateFacts facts_of(const std::string& file, X509* certificate);

/// The common name in well-formed UTF-8, the last one if there are several; empty if there is
/// none.
[[nodiscard]] std::string common_name(X509* certificate);

/// By what name a client with that certificate, which was verified, is known: the first DNS name
/// or e-mail address of its subjectAltName, or else its common name. It is well-formed UTF-8, at
/// most kVerifiedNameBytes bytes, and a good name in the sense of base/names.hpp; entries that are
/// not are passed over, and if none is left, it is empty.
[[nodiscard]] std::string client_name_of(X509* certificate);

}  // namespace chatd::tls
