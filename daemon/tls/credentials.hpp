/// What a listener proves itself with, and by whom it has clients proved: certificates with their
/// keys, and authorities, loaded from files. A set never changes and is shared: a reload makes
/// another one, and sessions whose handshake has begun keep theirs.
///
/// Fixed for all: TLS 1.3, or 1.2 and 1.3; suites with forward secrecy and authenticated
/// encryption alone, in the server's order (ChaCha20 first for whom it is first); no compression,
/// no renegotiation, no early data, one ticket a handshake; of the application protocols that a
/// client offers (RFC 7301) http/1.1 is chosen if it is there, and without it the handshake goes
/// on without one. Keys below 112 bits of security are refused, on both sides.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace chatd::tls {

class Certificate;
class TicketKeys;

enum class Version : std::uint8_t { kTls12, kTls13 };

/// What the configuration names. Paths of PEM files of at most 1 MiB, which are read once.
struct CredentialFiles {
  struct Pair {
    /// The server's certificate first, then those between it and its authority.
    std::string certificate;  // tls_certificate
    std::string key;          // tls_key; not encrypted; may be the same file
  };
  /// At least one. By the name that a client asks for (RFC 6066, 3) those are shown that have it;
  /// those that have it by a wildcard, if there is none; otherwise the first. Of several that
  /// would do the client gets one whose kind of key it understands, ECDSA before RSA; of the same
  /// kind the first.
  std::vector<Pair> certificates;
  /// Who signs for clients; empty: no client is asked for a certificate. What is in the file is
  /// trusted as it is, whether it signed itself or not. Lists of revoked certificates are not
  /// looked at: a reload with another authority is what takes access away.
  std::string client_ca;  // tls_client_ca
  Version minimum = Version::kTls13;
};

/// What can be said about a certificate.
struct CertificateFacts {
  std::string file;
  /// DNS names and addresses that it is for (subjectAltName); without any, its common name.
  /// Well-formed UTF-8.
  std::vector<std::string> names;
  WallTime not_before;
  WallTime not_after;
  /// Anybody on this machine may read its key: worth a warning.
  bool key_is_public = false;
};

class Credentials {
 public:
  /// What becomes of a certificate that has expired, or is not yet valid. A new configuration
  /// that has one is wrong; a process that starts with one that was right serves people better
  /// than one that does not start.
  enum class Outdated : std::uint8_t { kRefused, kAccepted };

  /// Reads and checks all of it. The error names the file and says in words what is wrong with it,
  /// and never anything of what a key's file holds. `now` is the time by which certificates are
  /// judged; `tickets` are copied.
  [[nodiscard]] static Result<std::shared_ptr<const Credentials>> load(
      const CredentialFiles& files, WallTime now, const TicketKeys& tickets,
      Outdated outdated = Outdated::kRefused);

  /// Only load() makes any.
  class OnlyLoad {
    friend class Credentials;
    OnlyLoad() = default;
  };
  explicit Credentials(OnlyLoad only);
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials();

  /// From now on tickets are of those keys, and earlier ones are good for nothing.
  void use(const TicketKeys& tickets) const;

  /// In the order of the files.
  [[nodiscard]] std::vector<CertificateFacts> certificates() const;
  /// Those of client_ca. An outdated one is no fault: clients that it signed for are refused.
  [[nodiscard]] const std::vector<CertificateFacts>& authorities() const { return authorities_; }
  [[nodiscard]] bool asks_for_client_certificate() const { return !authorities_.empty(); }

  /// For Handshake: lives as long as this.
  [[nodiscard]] ssl_ctx_st* context() const { return context_.get(); }

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };

  Result<> trust(const std::string& client_ca);
  Result<> use_certificates();
  [[nodiscard]] std::vector<const Certificate*> named(const std::string& name) const;
  [[nodiscard]] std::vector<const Certificate*> to_show(const std::string& name) const;
  static int choose(ssl_st* ssl, void* self);

  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::vector<Certificate> certificates_;
  std::vector<CertificateFacts> authorities_;
};

}  // namespace chatd::tls
