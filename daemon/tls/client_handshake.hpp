/// The client's side of a handshake of TLS 1.3, made by OpenSSL on memory alone: bytes in, bytes
/// out. What comes of it is a ClientSession with a server that has proved to be the one that was
/// asked for; there is no way to one with anybody else.
///
/// It has no clock: how long a handshake may take is for the caller to say. OpenSSL itself looks at
/// the machine's clock to judge certificates.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "tls/credentials.hpp"
#include "tls/tls12.hpp"

namespace chatd::tls {

/// What a client brings along. Paths of PEM files of at most 1 MiB, which are read once.
struct ClientFiles {
  /// Whom to trust: authorities, or servers' certificates themselves. Empty: those whom this
  /// machine trusts (OpenSSL's default places, or SSL_CERT_FILE and SSL_CERT_DIR).
  std::string ca;
  /// What the client shows if it is asked for a certificate; empty: nothing.
  CredentialFiles::Pair own;
};

/// It stays in OpenSSL, as a session of TLS 1.2 does with the daemon: a client is not handed over.
/// What came with the end of the handshake is opened by its first open(), be `bytes` empty or not.
using ClientSession = Tls12;

class ClientHandshake {
 public:
  enum class State : std::uint8_t { kGoingOn, kEstablished, kFailed };
  enum class Failure : std::uint8_t {
    kNone,
    kNoTls,             ///< what came is no TLS
    kUnknownAuthority,  ///< whoever signed for the server is not trusted
    kUntrusted,         ///< the server has not proved in some other way who it is
    kRefused,           ///< either side would not go on
  };

  /// `host` is whom the server has to be: a name, or the literal of an IPv4 or IPv6 address, which
  /// may have an interface behind a %. Of a name the server is told (RFC 6066, 3). The error names
  /// the file that cannot be used, and says why; or the host that can be none: it is empty, or
  /// longer than kMostServerName.
  [[nodiscard]] static Result<ClientHandshake> begin(const std::string& host,
                                                     const ClientFiles& files);
  ClientHandshake(ClientHandshake&&) noexcept;
  ClientHandshake& operator=(ClientHandshake&&) noexcept;
  ClientHandshake(const ClientHandshake&) = delete;
  ClientHandshake& operator=(const ClientHandshake&) = delete;
  ~ClientHandshake();

  /// Takes what came, at first nothing, and appends what is to be sent: when it has failed too, for
  /// that is an alert then. Only while it is going on.
  State receive(std::string_view bytes, std::string& to_send);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Failure failure() const { return failure_; }
  /// Once it has failed: what is wrong with the server, as the end of a sentence that begins with
  /// its name, such as "has a certificate that has expired". It may hold the server's words, not
  /// escaped.
  [[nodiscard]] const std::string& why() const { return why_; }

  /// Once it is established: the suite as the RFC spells it.
  [[nodiscard]] std::string suite() const;
  /// The session, once.
  [[nodiscard]] ClientSession take_session();

 private:
  struct Verdict;

  ClientHandshake(UniqueSsl ssl, std::string host);
  State fail(Failure failure, std::string why);
  State fail_by(int kind);

  std::string host_;
  std::unique_ptr<Verdict> verdict_;  ///< what OpenSSL has to say about the server's certificate
  UniqueSsl ssl_;
  State state_ = State::kGoingOn;
  Failure failure_ = Failure::kNone;
  std::string why_;
  bool first_ = true;  ///< nothing has come yet
};

}  // namespace chatd::tls
