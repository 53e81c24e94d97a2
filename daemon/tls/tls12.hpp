/// A session of TLS 1.2 after its handshake. It stays in OpenSSL, and so it cannot be written
/// down: a hand-over ends it with close_notify. From the outside it is what a RecordLayer is.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "tls/record_layer.hpp"

struct ssl_st;  // OpenSSL's SSL

namespace chatd::tls {

class Credentials;

/// Frees a session, whose tickets stay good.
struct FreeSsl {
  void operator()(ssl_st* ssl) const;
};
using UniqueSsl = std::unique_ptr<ssl_st, FreeSsl>;

/// About what OpenSSL keeps for a session, its buffers included where they are in use.
inline constexpr std::size_t kOpenSslBytes = 48UL * 1024;
inline constexpr std::size_t kIdleOpenSslBytes = 16UL * 1024;

class Tls12 {
 public:
  using State = RecordLayer::State;

  /// `ssl` has memory BIOs, and has done its handshake with the credentials.
  Tls12(UniqueSsl ssl, std::shared_ptr<const Credentials> credentials);
  Tls12(Tls12&&) noexcept;
  Tls12& operator=(Tls12&&) noexcept;
  Tls12(const Tls12&) = delete;
  Tls12& operator=(const Tls12&) = delete;
  ~Tls12();

  /// As RecordLayer's.
  State open(std::string_view bytes, std::string& plaintext, std::string& to_send);
  void seal(std::string_view plaintext, std::string& to_send);
  void close(std::string& to_send);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool can_seal() const { return !closed_; }
  /// What the client did wrong, in OpenSSL's words.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// Bytes of memory beside the object itself, about.
  [[nodiscard]] std::size_t memory() const { return kIdleOpenSslBytes; }

 private:
  void read(std::string& plaintext);

  UniqueSsl ssl_;
  std::shared_ptr<const Credentials> credentials_;
  std::string failure_;
  State state_ = State::kOpen;
  bool closed_ = false;
};

/// Gives OpenSSL what came.
void give_input(ssl_st* ssl, std::string_view bytes);
/// Appends what OpenSSL has to send, and takes it away from it.
void take_output(ssl_st* ssl, std::string& to_send);

}  // namespace chatd::tls
