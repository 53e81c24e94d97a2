/// Bytes of one client to messages of a WebSocket, the server's half: RFC 6455, section 5. Strict,
/// without extensions (so no compression). Bytes in, events out: it knows no session, no socket
/// and no clock, and it answers nothing itself.
///
/// Invariants: any way of cutting the bytes into reads gives the same events; what is wrong with a
/// frame is known before anything of it is kept, with its first byte (RSV, opcode, order), its
/// second (mask, length of a control frame) or the last of its length; nothing is ever kept beyond
/// max_message bytes of an unfinished message and 125 of an unfinished control frame; memory grows
/// with what has come, not with what was announced.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/frame.hpp"
#include "http/utf8_check.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::http {

/// What a client does wrong.
enum class FrameFault : std::uint8_t {
  kNone,
  kReserved,        ///< a reserved bit: no extension was agreed upon
  kOpcode,          ///< 3 to 7, or B to F
  kUnmasked,        ///< every frame of a client is masked (section 5.1)
  kLength,          ///< not written in the shortest way, or more than 2^63 - 1
  kFragmented,      ///< a control frame that is not final
  kControlTooLong,  ///< a control frame of more than 125 bytes
  kNothingBegun,    ///< a continuation of no message
  kNotFinished,     ///< a new message inside another one
  kCloseLength,     ///< a close with one byte
  kCloseCode,       ///< see is_close_code()
  kTooBig,          ///< a message of more than max_message bytes
  kBinary,          ///< a binary message where none is taken
  kNotUtf8,         ///< a text, or the reason of a close
};

/// What the connection is to be closed with: 1002, 1003, 1007 or 1009; 1000 of kNone.
[[nodiscard]] CloseCode close_code_of(FrameFault fault);
/// What is wrong, as the end of a sentence about the client: "has sent a frame without a mask".
[[nodiscard]] std::string_view to_string(FrameFault fault);

struct WebSocketLimits {
  std::size_t max_message = 0;  ///< bytes; from the next frame on, if it changes
  bool takes_binary = false;    ///< else a binary message is a fault
};

/// What came last. One for all readers of a thread: `bytes` are valid until the next call of any
/// reader that shares this, or until its input goes.
struct WebSocketEvent {
  enum class Kind : std::uint8_t {
    kText,    ///< `bytes` are a whole message, well-formed UTF-8; it may be empty
    kBinary,  ///< they are a whole message
    kPing,    ///< they are to be sent back: append_pong()
    kPong,    ///< they are what it answers; or it came unasked, which is no fault
    kClose,   ///< the client ends it: `code`, and `bytes` is the reason, well-formed UTF-8
    kFault,   ///< it is to be ended, with `code`, because of `fault`
  };

  Kind kind = Kind::kText;
  std::string_view bytes;
  std::uint16_t code = kNoCode;  ///< of kClose (kNoCode if it has none) and kFault
  FrameFault fault = FrameFault::kNone;
  bool cut = false;  ///< of a message: some of it was not written down by the process before

  std::string memory;  ///< behind `bytes`; whoever shares this may give it back
};

class WebSocketReader {
 public:
  /// Reads `input` from its front, at most to the end of one event, and removes what it has read.
  /// True if `event` has come; then there may be more in `input`. False if all was read and no
  /// event is complete. After kClose and kFault it is over: it reads on, and nothing comes of it.
  bool next(std::string_view& input, const WebSocketLimits& limits, WebSocketEvent& event);

  /// A close or a fault has come.
  [[nodiscard]] bool is_over() const { return step_ == Step::kOver; }
  /// Whether the end of the connection would break off a frame or a message.
  [[nodiscard]] bool is_inside() const;
  /// Memory for what is unfinished.
  [[nodiscard]] std::size_t kept_bytes() const;

  /// Writes down the state, wherever in a frame it is, and reads it back into a reader that was
  /// just made. What cannot be is refused; then this is good for nothing. Of a message that has
  /// begun at most `most` bytes are written down, in whole characters of a text; the rest is
  /// missing from it when it has come, and it is said to be cut.
  void save(ByteWriter& out, std::size_t most) const;
  void restore(ByteReader& in);

 private:
  enum class Step : std::uint8_t { kFirst, kSecond, kLength, kMask, kPayload, kOver };

  [[nodiscard]] bool is_control() const { return opcode_ >= Opcode::kClose; }
  FrameFault read_head(std::uint8_t byte, const WebSocketLimits& limits);
  FrameFault read_first(std::uint8_t byte, const WebSocketLimits& limits);
  FrameFault read_second(std::uint8_t byte, const WebSocketLimits& limits);
  FrameFault read_length(std::uint8_t byte, const WebSocketLimits& limits);
  FrameFault begin_mask(const WebSocketLimits& limits);
  FrameFault begin_payload();
  bool read_payload(std::string_view& input, WebSocketEvent& event);
  bool take_data(WebSocketEvent& event);
  bool end_message(WebSocketEvent& event);
  bool take_control(WebSocketEvent& event);
  bool end_close(WebSocketEvent& event);
  bool fail(FrameFault fault, WebSocketEvent& event);
  void keep(std::string_view bytes);
  void end();
  [[nodiscard]] bool could_be() const;

  std::string message_;     ///< the unfinished message
  std::string control_;     ///< of the unfinished control frame
  std::uint64_t left_ = 0;  ///< of the payload; while kLength, its length as far as it has come
  std::uint64_t size_ = 0;  ///< of the message, with what is missing from message_
  std::array<std::uint8_t, 4> mask_{};
  Utf8Check utf8_;  ///< of the message, if it is a text
  Step step_ = Step::kFirst;
  Opcode opcode_ = Opcode::kContinuation;  ///< of the frame
  Opcode kind_ = Opcode::kContinuation;    ///< of the message; kContinuation: none has begun
  std::uint8_t due_ = 0;                   ///< bytes to come of the length or of the mask
  std::uint8_t long_length_ = 0;           ///< how many bytes the length has: 2 or 8
  std::uint8_t masked_ = 0;                ///< where in the mask the next byte is, 0 to 3
  bool final_ = false;
  bool cut_ = false;  ///< message_ is not all of it
};

static_assert(sizeof(WebSocketReader) <= 104);

}  // namespace chatd::http
