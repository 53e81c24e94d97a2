/// Frames of a WebSocket as a server sends them: RFC 6455, section 5. They are not masked, so one
/// text to many is encoded once and shared by all. Each is whole in one frame; none is compressed.
/// Values in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::http {

/// RFC 6455, section 11.8.
enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

/// Why a WebSocket is closed: RFC 6455, section 7.4.1, and IANA's registry.
enum CloseCode : std::uint16_t {
  kNormalClosure = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNoCode = 1005,  ///< none was given; it is never sent
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
};

/// The most that a ping, a pong or a close may carry (section 5.5).
inline constexpr std::size_t kMostControl = 125;
/// The most that a frame of the server adds to what it carries, in bytes.
inline constexpr std::size_t kMostFrameHead = 10;

/// Whether it is a code that may stand in a close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
[[nodiscard]] bool is_close_code(std::uint16_t code);

/// Appends one frame to `out`: a text, which is well-formed UTF-8; a ping; the pong that answers a
/// ping, with the same bytes. Those of a ping and a pong are at most kMostControl.
void append_text(std::string& out, std::string_view text);
void append_ping(std::string& out, std::string_view bytes);
void append_pong(std::string& out, std::string_view bytes);

/// Appends a close frame. `code` is one that is_close_code(), or kNoCode for a frame with none and
/// no reason. `reason` is well-formed UTF-8; of a longer one the first characters that fit into
/// 123 bytes are sent. What answers a close is one with the same code and no reason.
void append_close(std::string& out, std::uint16_t code, std::string_view reason = {});

}  // namespace chatd::http
