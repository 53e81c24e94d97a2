#include "tls/record_layer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "tls/aead.hpp"
#include "tls/core_dumps.hpp"

namespace chatd::tls {

namespace {

/// Types of records (RFC 8446, 5.1).
constexpr unsigned char kAlertRecord = 21;
constexpr unsigned char kHandshakeRecord = 22;
constexpr unsigned char kApplicationData = 23;

constexpr char kKeyUpdate = 24;  // RFC 8446, 4
/// What alerts say of themselves (RFC 8446, 6).
constexpr char kWarning = 1;
constexpr char kFatal = 2;

/// Text, type and padding together (RFC 8446, 5.4).
constexpr std::size_t kMostInner = kMostPlaintext + 1;

std::size_t length_in(std::string_view header) {
  const auto high = static_cast<unsigned char>(header[3]);
  const auto low = static_cast<unsigned char>(header[4]);
  return static_cast<std::size_t>(high) << 8U | low;
}

/// The bytes up to the last one that is not zero.
std::string_view without_padding(std::string_view inner) {
  return inner.substr(0, inner.find_last_not_of('\0') + 1);
}

}  // namespace

std::string_view words_of(RecordFault fault) {
  switch (fault) {
    case RecordFault::kNone:
      return "nothing is wrong";
    case RecordFault::kNotEncrypted:
      return "sent something that is not encrypted";
    case RecordFault::kTooLong:
      return "sent a record that is too long";
    case RecordFault::kWrongMac:
      return "sent a record with a wrong authentication tag";
    case RecordFault::kNoType:
      return "sent a record without a type";
    case RecordFault::kUnexpectedType:
      return "sent a record of an unexpected type";
    case RecordFault::kUnexpectedMessage:
      return "sent an unexpected message";
    case RecordFault::kBrokenMessage:
      return "sent a message that is broken";
    case RecordFault::kTooManyWithoutText:
      return "sent too many records without text";
    case RecordFault::kAlert:
      return "ended the session with an alert";
  }
  return "";
}

RecordLayer::RecordLayer(Suite suite, Secret receiving, Secret sending)
    : RecordLayer{suite, TrafficKey{suite, receiving.bytes, receiving.records},
                  TrafficKey{suite, sending.bytes, sending.records}} {}

RecordLayer::RecordLayer(Suite suite, TrafficKey receiving, TrafficKey sending)
    : in_{std::move(receiving)}, out_{std::move(sending)}, suite_{suite} {}

RecordLayer::~RecordLayer() {
  Aead::forget_keys(suite_);
}

std::size_t RecordLayer::memory() const {
  return partial_ ? sizeof(std::string) + partial_->capacity() : 0;
}

// ---- receiving ----

RecordLayer::State RecordLayer::open(std::string_view bytes, std::string& plaintext,
                                     std::string& to_send) {
  while (state_ == State::kOpen && !bytes.empty()) {
    std::string whole;
    const auto record = next_record(bytes, whole, to_send);
    if (!record.empty()) take(record, plaintext, to_send);
  }
  return state_;
}

/// Takes a whole record off `bytes`, which are not empty; empty if there is none yet, and all of
/// them are kept. If it has come in pieces, `whole` has it.
std::string_view RecordLayer::next_record(std::string_view& bytes, std::string& whole,
                                          std::string& to_send) {
  if (!partial_) {
    const auto size = size_of(bytes, to_send);
    if (state_ != State::kOpen) return {};
    if (size != 0 && size <= bytes.size()) {
      const auto record = bytes.substr(0, size);
      bytes.remove_prefix(size);
      return record;
    }
  }
  if (!gather(bytes, kRecordHeader)) return {};
  const auto size = size_of(*partial_, to_send);
  if (state_ != State::kOpen || !gather(bytes, size)) return {};
  whole.swap(*partial_);
  partial_.reset();
  return whole;
}

/// Moves bytes to what is kept until that has `size` bytes, or none are left. Their memory grows
/// with what came, not with what a header promises.
bool RecordLayer::gather(std::string_view& bytes, std::size_t size) {
  if (!partial_) partial_ = std::make_unique<std::string>();
  if (partial_->size() >= size) return true;
  const auto more = bytes.substr(0, size - partial_->size());
  *partial_ += more;
  bytes.remove_prefix(more.size());
  return partial_->size() == size;
}

/// The length of the record that begins so, 0 if it is not known yet. Fails at the first byte that
/// is wrong. The version in it means nothing (RFC 8446, 5.1), but is authenticated.
std::size_t RecordLayer::size_of(std::string_view record, std::string& to_send) {
  if (static_cast<unsigned char>(record.front()) != kApplicationData) {
    fail(RecordFault::kNotEncrypted, Alert::kUnexpectedMessage, to_send);
    return 0;
  }
  if (record.size() < kRecordHeader) return 0;
  const auto size = kRecordHeader + length_in(record);
  if (size <= kMostRecordBytes) return size;
  fail(RecordFault::kTooLong, Alert::kRecordOverflow, to_send);
  return 0;
}

void RecordLayer::take(std::string_view record, std::string& plaintext, std::string& to_send) {
  const auto header = record.substr(0, kRecordHeader);
  const auto sealed = record.substr(kRecordHeader);
  if (sealed.size() <= kTagBytes) {
    return fail(RecordFault::kWrongMac, Alert::kBadRecordMac, to_send);
  }
  const auto begin = plaintext.size();
  plaintext.resize(begin + sealed.size() - kTagBytes);
  auto& aead = Aead::of(suite_, Aead::Direction::kOpening);
  if (!aead.open(in_, header, sealed, plaintext.data() + begin)) {
    plaintext.resize(begin);
    return fail(RecordFault::kWrongMac, Alert::kBadRecordMac, to_send);
  }
  const auto inner = std::string_view{plaintext}.substr(begin);
  const auto typed = without_padding(inner);
  if (inner.size() > kMostInner || typed.empty()) {
    const bool too_long = inner.size() > kMostInner;
    plaintext.resize(begin);
    return too_long ? fail(RecordFault::kTooLong, Alert::kRecordOverflow, to_send)
                    : fail(RecordFault::kNoType, Alert::kUnexpectedMessage, to_send);
  }
  const auto type = static_cast<unsigned char>(typed.back());
  const auto content = typed.substr(0, typed.size() - 1);
  if (type == kApplicationData && message_size_ == 0) {
    plaintext.resize(begin + content.size());
    take_text(content.size(), to_send);
  } else {
    std::array<char, kKeyUpdateBytes + 1> kept{};  // one more than anything that is right
    const auto size = content.copy(kept.data(), kept.size());
    plaintext.resize(begin);
    const std::string_view message{kept.data(), size};
    if (type == kHandshakeRecord) {
      take_handshake(message, to_send);
    } else if (type == kAlertRecord && message_size_ == 0) {
      take_alert(message, to_send);
    } else {  // also what stands between two pieces of a message (RFC 8446, 5.1)
      return fail(RecordFault::kUnexpectedType, Alert::kUnexpectedMessage, to_send);
    }
  }
  // A peer that never changes its key is asked to, once for each key.
  if (state_ == State::kOpen && !closed_ && in_.records() == kMostRecordsOfKey) {
    update_sending(true, to_send);
  }
}

void RecordLayer::take_text(std::size_t size, std::string& to_send) {
  if (size > 0) {
    without_text_ = 0;
  } else {
    (void)is_one_too_many(to_send);
  }
}

void RecordLayer::take_alert(std::string_view content, std::string& to_send) {
  if (content.empty()) return fail(RecordFault::kBrokenMessage, Alert::kUnexpectedMessage, to_send);
  if (content.size() != 2) return fail(RecordFault::kBrokenMessage, Alert::kDecodeError, to_send);
  // The level means nothing: close_notify and user_canceled are no errors, all others are
  // (RFC 8446, 6).
  const auto alert = static_cast<std::uint8_t>(content[1]);
  if (alert == static_cast<std::uint8_t>(Alert::kCloseNotify)) {
    state_ = State::kEnded;
  } else if (alert == static_cast<std::uint8_t>(Alert::kUserCanceled)) {
    (void)is_one_too_many(to_send);
  } else {
    state_ = State::kFailed;
    fault_ = RecordFault::kAlert;
    peer_alert_ = alert;
    closed_ = true;  // an alert is not answered (RFC 8446, 6.2)
  }
}

/// A client has nothing to say here but KeyUpdate. It may come in pieces (RFC 8446, 5.1), but
/// nothing may follow it in its record, which would be under the old key.
void RecordLayer::take_handshake(std::string_view content, std::string& to_send) {
  const auto refuse = [&](RecordFault fault, Alert alert) { fail(fault, alert, to_send); };
  const auto begin = message_size_;
  const bool known = begin > 0 || (!content.empty() && content.front() == kKeyUpdate);
  if (!known || content.empty() || begin + content.size() > message_.size()) {
    return refuse(RecordFault::kUnexpectedMessage, Alert::kUnexpectedMessage);
  }
  content.copy(message_.data() + begin, content.size());
  message_size_ = static_cast<std::uint8_t>(begin + content.size());
  constexpr std::string_view kHeader{"\x18\x00\x00\x01", 4};
  const std::string_view message{message_.data(), message_size_};
  if (message.substr(0, kHeader.size()) != kHeader.substr(0, message.size())) {
    return refuse(RecordFault::kBrokenMessage, Alert::kDecodeError);
  }
  if (is_one_too_many(to_send) || message.size() < message_.size()) return;
  take_key_update(to_send);
}

/// RFC 8446, 4.6.3.
void RecordLayer::take_key_update(std::string& to_send) {
  message_size_ = 0;
  const auto request = message_.back();
  if (request != 0 && request != 1) {
    return fail(RecordFault::kBrokenMessage, Alert::kIllegalParameter, to_send);
  }
  in_.update(suite_);
  if (request == 1 && !closed_) update_sending(false, to_send);
}

/// Counts a record that brings no text: nobody may keep us busy with these.
bool RecordLayer::is_one_too_many(std::string& to_send) {
  if (++without_text_ <= kMostWithoutText) return false;
  fail(RecordFault::kTooManyWithoutText, Alert::kUnexpectedMessage, to_send);
  return true;
}

void RecordLayer::fail(RecordFault fault, Alert alert, std::string& to_send) {
  state_ = State::kFailed;
  fault_ = fault;
  partial_.reset();
  if (!std::exchange(closed_, true)) say(alert, to_send);
}

// ---- sending ----

void RecordLayer::seal(std::string_view plaintext, std::string& to_send) {
  assert(can_seal());
  while (!plaintext.empty()) {
    const auto piece = plaintext.substr(0, kMostPlaintext);
    plaintext.remove_prefix(piece.size());
    if (out_.records() + 1 >= kMostRecordsOfKey) update_sending(false, to_send);
    seal_record(kApplicationData, piece, to_send);
  }
}

void RecordLayer::close(std::string& to_send) {
  if (!std::exchange(closed_, true)) say(Alert::kCloseNotify, to_send);
}

/// Takes the next key for what is sent; asks the peer to do the same if `peer_too`.
void RecordLayer::update_sending(bool peer_too, std::string& to_send) {
  const std::array<char, kKeyUpdateBytes> message{kKeyUpdate, 0, 0, 1, peer_too ? '\1' : '\0'};
  seal_record(kHandshakeRecord, {message.data(), message.size()}, to_send);
  out_.update(suite_);
}

/// The level means nothing in TLS 1.3, but GnuTLS takes a close_notify that is fatal for an error.
void RecordLayer::say(Alert alert, std::string& to_send) {
  const char level = alert == Alert::kCloseNotify ? kWarning : kFatal;
  const std::array<char, 2> message{level, static_cast<char>(alert)};
  seal_record(kAlertRecord, {message.data(), message.size()}, to_send);
}

void RecordLayer::seal_record(unsigned char type, std::string_view content, std::string& to_send) {
  const auto length = content.size() + 1 + kTagBytes;
  const auto begin = to_send.size();
  to_send.resize(begin + kRecordHeader + length);
  char* const record = to_send.data() + begin;
  record[0] = static_cast<char>(kApplicationData);
  record[1] = 3;
  record[2] = 3;
  record[3] = static_cast<char>(length >> 8U);
  record[4] = static_cast<char>(length);
  Aead::of(suite_, Aead::Direction::kSealing)
      .seal(out_, {record, kRecordHeader}, content, type, record + kRecordHeader);
}

// ---- written down ----

void RecordLayer::save(ByteWriter& out) const {
  assert(state_ != State::kFailed);
  out.enumerator(suite_);
  in_.save(out, suite_);
  out_.save(out, suite_);
  out.text(partial());
  out.flag(state_ == State::kEnded);
  out.flag(closed_);
  out.number(without_text_);
  out.text({message_.data(), message_size_});
}

std::optional<RecordLayer> RecordLayer::restore(ByteReader& in) {
  keep_out_of_core_dumps();  // There may be sessions without a certificate any more.
  const auto suite = suite_of_number(in.number<std::uint16_t>());
  in.require(suite.has_value());
  if (!in.ok()) return std::nullopt;
  auto receiving = TrafficKey::restore(in, *suite);
  auto sending = TrafficKey::restore(in, *suite);
  RecordLayer layer{*suite, std::move(receiving), std::move(sending)};
  if (const auto begun = in.text(); !begun.empty()) {
    layer.partial_ = std::make_unique<std::string>(begun);
  }
  if (in.flag()) layer.state_ = State::kEnded;
  layer.closed_ = in.flag();
  layer.without_text_ = in.number<std::uint8_t>();
  const auto message = in.text();
  in.require(layer.without_text_ <= kMostWithoutText && message.size() < layer.message_.size());
  in.require(layer.partial().size() < kMostRecordBytes);
  if (!in.ok()) return std::nullopt;
  layer.message_size_ =
      static_cast<std::uint8_t>(message.copy(layer.message_.data(), message.size()));
  std::string refused;
  if (layer.partial_) {
    const auto size = layer.size_of(*layer.partial_, refused);
    in.require(layer.state_ != State::kFailed && (size == 0 || size > layer.partial().size()));
  }
  return in.ok() ? std::optional{std::move(layer)} : std::nullopt;
}

}  // namespace chatd::tls
