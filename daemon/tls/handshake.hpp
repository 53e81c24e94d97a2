/// The server's side of a handshake, made by OpenSSL on memory alone: bytes in, bytes out. What
/// comes of it is either a RecordLayer with the secrets of TLS 1.3, and OpenSSL is done; or a
/// Tls12, which is OpenSSL.
///
/// It has no clock: how long a handshake may take is for the caller to say. OpenSSL itself looks at
/// the machine's clock to judge the certificates of clients and the age of tickets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tls/credentials.hpp"
#include "tls/peer_facts.hpp"
#include "tls/record_layer.hpp"
#include "tls/tls12.hpp"

namespace chatd::tls {

class Secrets;

/// A client may send so many bytes before it is established.
inline constexpr std::size_t kMostHandshakeBytes = 64UL * 1024;

class Handshake {
 public:
  enum class State : std::uint8_t { kGoingOn, kEstablished, kFailed };

  explicit Handshake(std::shared_ptr<const Credentials> credentials);
  Handshake(Handshake&&) noexcept;
  Handshake& operator=(Handshake&&) noexcept;
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake();

  /// Takes what came, beginning with the ClientHello, and appends what is to be sent: when it has
  /// failed too, for that is an alert then. Only while it is going on.
  State receive(std::string_view bytes, std::string& to_send);

  [[nodiscard]] State state() const { return state_; }
  /// Once it has failed: why, for the log, in OpenSSL's words, which differ between its versions.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  /// Once it is established:
  [[nodiscard]] const PeerFacts& facts() const { return facts_; }
  /// What came behind the handshake and is for the session to open.
  [[nodiscard]] const std::string& rest() const { return rest_; }
  /// The session, by its version; once.
  [[nodiscard]] RecordLayer take_record_layer();
  [[nodiscard]] Tls12 take_tls12();

  /// Bytes of memory beside the object itself, about.
  [[nodiscard]] std::size_t memory() const;

 private:
  State establish(std::string_view beyond, std::string_view sent_last);
  State fail(std::string why);

  std::shared_ptr<const Credentials> credentials_;
  std::unique_ptr<Secrets> secrets_;
  UniqueSsl ssl_;
  std::size_t taken_ = 0;
  std::uint64_t records_sent_ = 0;  ///< under the key of the session
  State state_ = State::kGoingOn;
  std::string failure_;
  PeerFacts facts_;
  std::string rest_;
};

}  // namespace chatd::tls
