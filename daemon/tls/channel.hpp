/// One TLS connection of a client, from its ClientHello to close_notify: bytes in, bytes out. It
/// has neither socket nor clock.
///
/// Whoever drives it keeps four rules:
/// - All that is appended to `to_send` reaches the peer, in the order in which it was appended,
///   whichever call it came from. Text is given to send() when it goes to the kernel, not when it
///   is queued, so that limits count plain text and a broadcast is encoded once.
/// - A handshake gets a deadline. It costs half a millisecond of the processor (ECDSA P-256; RSA
///   twice as much), so connects are what has to be limited.
/// - A bare end of file is an end of what the client says, like close_notify (State::kEnded): many
///   clients say nothing else. Nobody can tell it from a connection that was cut.
/// - At a hand-over: first all that waits in `to_send` is part of the document, then save(). Where
///   is_saveable() is false, close() and the end of the connection are what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "tls/credentials.hpp"
#include "tls/handshake.hpp"
#include "tls/peer_facts.hpp"
#include "tls/record_layer.hpp"
#include "tls/tls12.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::tls {

class Channel {
 public:
  enum class State : std::uint8_t {
    kHandshake,
    kOpen,
    kEnded,   ///< the client has said close_notify: it says no more, and may still be sent text
    kFailed,  ///< failure() says why; what is in `to_send` goes out, then the connection is closed
  };

  /// Waits for a ClientHello; the bytes that looks_like_client_hello() has seen are the first ones
  /// to be received.
  explicit Channel(std::shared_ptr<const Credentials> credentials);
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  /// Takes what came, all of it. Appends the client's text to `plaintext`, and what TLS has to say
  /// to `to_send`. Text that came with a fault behind it counts. Once it has ended or failed, what
  /// comes is ignored.
  State receive(std::string_view bytes, std::string& plaintext, std::string& to_send);
  /// Appends the text, encrypted. Only while can_send().
  void send(std::string_view plaintext, std::string& to_send);
  /// Appends close_notify, where there is anything to close and nothing has been said that ends
  /// the sending. What the client says is still heard.
  void close(std::string& to_send);

  [[nodiscard]] State state() const;
  /// The handshake is done, whatever has become of the session since.
  [[nodiscard]] bool is_established() const {
    return !std::holds_alternative<std::unique_ptr<Handshake>>(session_);
  }
  /// The handshake is done, and nothing has ended the sending.
  [[nodiscard]] bool can_send() const;
  /// Once it is established, and until forget_peer().
  [[nodiscard]] const PeerFacts& peer() const { return *facts_; }
  /// Nobody asks for peer() any more, here or where it is restored: an idle session costs less.
  void forget_peer() { facts_.reset(); }
  /// Once it has failed: why, as a sentence without a full stop, for the log. It holds nothing
  /// that the client wrote, and no secret.
  [[nodiscard]] std::string failure() const;
  /// Bytes of memory that it takes, itself included; for accounts. What OpenSSL takes during a
  /// handshake, and with TLS 1.2 for ever, is an estimate.
  [[nodiscard]] std::size_t memory() const;

  /// Whether the next process can go on with it: TLS 1.3, established, and not failed.
  [[nodiscard]] bool is_saveable() const;
  /// Writes it down; only if is_saveable(). The bytes hold its secrets: the document must be
  /// readable by nobody else, and two processes must never go on with the same session, for they
  /// would use the same nonces.
  void save(ByteWriter& out) const;
  /// nullopt if the bytes are wrong; then the reader is not ok(), either.
  [[nodiscard]] static std::optional<Channel> restore(ByteReader& in);

 private:
  explicit Channel(RecordLayer layer);

  State establish(Handshake& done, std::string& plaintext, std::string& to_send);

  std::variant<std::unique_ptr<Handshake>, RecordLayer, Tls12> session_;
  std::unique_ptr<PeerFacts> facts_;  ///< null: of a handshake, or forgotten
};

}  // namespace chatd::tls
