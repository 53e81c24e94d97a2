/// The records of one session of TLS 1.3 after its handshake (RFC 8446, 5): text becomes records
/// to be sent, bytes that came become text. OpenSSL cannot write a session down; this can, so a
/// session outlives its process.
///
/// The order of what it appends to `to_send` is the order in which it must reach the peer: each
/// record has a number, which is not in it.
///
/// What is appended to must not be what the bytes or the text are read from.
///
/// Bounds: it keeps at most one record that has begun (kMostRecordBytes), and takes at most
/// kMostWithoutText records in a row that bring no text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tls/suite.hpp"
#include "tls/traffic_key.hpp"

namespace chatd::tls {

/// What a record may hold (RFC 8446, 5.1).
inline constexpr std::size_t kMostPlaintext = 16384;
inline constexpr std::size_t kRecordHeader = 5;
/// A whole record, encrypted (RFC 8446, 5.2).
inline constexpr std::size_t kMostRecordBytes = kRecordHeader + kMostPlaintext + 256;
/// What a record of ours adds to its text: header, type and tag.
inline constexpr std::size_t kRecordOverhead = kRecordHeader + 1 + kTagBytes;
/// A key of ours seals no more records; RFC 8446, 5.5, allows 2^24.5 of the longest.
inline constexpr std::uint64_t kMostRecordsOfKey = std::uint64_t{1} << 24U;
/// Empty records, KeyUpdates and notes that mean nothing, in a row.
inline constexpr unsigned kMostWithoutText = 32;

/// What an alert says (RFC 8446, 6); only those that are said here.
enum class Alert : std::uint8_t {
  kCloseNotify = 0,
  kUnexpectedMessage = 10,
  kBadRecordMac = 20,
  kRecordOverflow = 22,
  kIllegalParameter = 47,
  kDecodeError = 50,
  kUserCanceled = 90,
};

/// What a peer did wrong.
enum class RecordFault : std::uint8_t {
  kNone,
  kNotEncrypted,       ///< a record of another kind, or no record at all
  kTooLong,            ///< more than a record may hold
  kWrongMac,           ///< changed on the way, lost, doubled, or of another session
  kNoType,             ///< nothing but padding
  kUnexpectedType,     ///< a kind of record that cannot come
  kUnexpectedMessage,  ///< a message of the handshake that cannot come
  kBrokenMessage,      ///< an alert or a KeyUpdate that is none
  kTooManyWithoutText,
  kAlert,  ///< it ended the session with an alert of its own
};

/// For the log: an end of a sentence about the peer. The same for each fault, with nothing of
/// what the peer sent; of kAlert see RecordLayer::peer_alert().
[[nodiscard]] std::string_view words_of(RecordFault fault);

class RecordLayer {
 public:
  enum class State : std::uint8_t {
    kOpen,
    kEnded,   ///< the peer has said close_notify: it says no more, and may still be told something
    kFailed,  ///< fault() says why; what was to be said is said, and the connection is to be closed
  };

  /// The secrets are client_ and server_application_traffic_secret_N of RFC 8446, 7.1, of
  /// secret_bytes_of(suite) bytes, and how many records each has sealed already: those of the
  /// server's tickets, for one, are under its secret.
  struct Secret {
    std::string_view bytes;
    std::uint64_t records = 0;
  };
  RecordLayer(Suite suite, Secret receiving, Secret sending);
  RecordLayer(RecordLayer&&) noexcept = default;
  RecordLayer& operator=(RecordLayer&&) noexcept = default;
  RecordLayer(const RecordLayer&) = delete;
  RecordLayer& operator=(const RecordLayer&) = delete;
  ~RecordLayer();

  /// Takes what came, all of it: appends the text to `plaintext`, at most bytes.size() and what
  /// was kept of a record before; and what TLS itself has to say to `to_send` (an answer to a
  /// KeyUpdate, an alert). Text before a fault in the same bytes is text. What comes once it is
  /// not open is ignored (RFC 8446, 6.1).
  State open(std::string_view bytes, std::string& plaintext, std::string& to_send);
  /// Appends the text as records of at most kMostPlaintext, with KeyUpdates among them where a key
  /// has sealed enough. No text, no record. Not after close(), nor when it has failed.
  void seal(std::string_view plaintext, std::string& to_send);
  /// Appends close_notify, unless something that ends the sending has been said before.
  void close(std::string& to_send);

  [[nodiscard]] State state() const { return state_; }
  /// Whether seal() may be called.
  [[nodiscard]] bool can_seal() const { return !closed_; }
  [[nodiscard]] RecordFault fault() const { return fault_; }
  /// The number of the peer's alert, while fault() is kAlert.
  [[nodiscard]] std::uint8_t peer_alert() const { return peer_alert_; }
  [[nodiscard]] Suite suite() const { return suite_; }
  /// Bytes of memory beside the object itself.
  [[nodiscard]] std::size_t memory() const;

  /// Writes it down, secrets included, and reads it back; not when it has failed. Like all of the
  /// hand-over document it has the document's version (base/bytes.hpp). What was appended to
  /// `to_send` and is not sent yet has to go along, and whoever goes on with the written session
  /// must be the only one. Wrong bytes are refused, or become a session that nobody can talk to.
  void save(ByteWriter& out) const;
  [[nodiscard]] static std::optional<RecordLayer> restore(ByteReader& in);

 private:
  /// The length of a KeyUpdate, with its header: no other message of a client can come.
  static constexpr std::size_t kKeyUpdateBytes = 5;

  RecordLayer(Suite suite, TrafficKey receiving, TrafficKey sending);

  [[nodiscard]] std::string_view partial() const {
    return partial_ ? std::string_view{*partial_} : std::string_view{};
  }
  std::string_view next_record(std::string_view& bytes, std::string& whole, std::string& to_send);
  bool gather(std::string_view& bytes, std::size_t size);
  std::size_t size_of(std::string_view record, std::string& to_send);
  void take(std::string_view record, std::string& plaintext, std::string& to_send);
  void take_text(std::size_t size, std::string& to_send);
  void take_alert(std::string_view content, std::string& to_send);
  void take_handshake(std::string_view content, std::string& to_send);
  void take_key_update(std::string& to_send);
  bool is_one_too_many(std::string& to_send);
  void update_sending(bool peer_too, std::string& to_send);
  void seal_record(unsigned char type, std::string_view content, std::string& to_send);
  void say(Alert alert, std::string& to_send);
  void fail(RecordFault fault, Alert alert, std::string& to_send);

  TrafficKey in_;
  TrafficKey out_;
  std::unique_ptr<std::string> partial_;  ///< a record that has begun; null: none has
  Suite suite_;
  State state_ = State::kOpen;
  RecordFault fault_ = RecordFault::kNone;
  std::uint8_t peer_alert_ = 0;
  std::uint8_t without_text_ = 0;
  bool closed_ = false;
  std::uint8_t message_size_ = 0;
  std::array<char, kKeyUpdateBytes> message_{};  ///< a KeyUpdate that has begun
};

}  // namespace chatd::tls
