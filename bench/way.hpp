/// How the clients of a crowd come, and the bytes that a WebSocket needs for it (RFC 6455). Knows
/// no connection.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <string>
#include <string_view>

namespace chatd::bench {

struct Way {
  bool tls = false;
  bool websocket = false;
  bool page = false;  ///< a WebSocket that speaks chat.chatd.v1; what comes is not looked at
};

/// The longest payload whose length is in the second byte of its frame.
inline constexpr std::size_t kMostShort = 125;
/// What the server asks for after half a minute; nobody has to answer.
inline constexpr std::string_view kPing{"\x89\0", 2};

/// The request of a client, or of a page.
inline std::string upgrade_request(bool page) {
  std::string request =
      "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (page) request += "Sec-WebSocket-Protocol: chat.chatd.v1\r\n";
  return request + "\r\n";
}

/// Makes the bytes of `frames` behind `begin`, at most kMostShort of them, a text frame of a
/// client, masked.
inline void frame_text(std::string& frames, std::size_t begin) {
  constexpr std::array<char, 4> kMask{0x37, '\xfa', 0x21, 0x3d};  // that of the RFC's example
  const auto size = frames.size() - begin;
  assert(size <= kMostShort);
  for (std::size_t i = 0; i < size; ++i) {
    frames[begin + i] = static_cast<char>(frames[begin + i] ^ kMask[i % kMask.size()]);
  }
  const std::array<char, 6> head{
      '\x81', static_cast<char>(0x80U | size), kMask[0], kMask[1], kMask[2], kMask[3]};
  frames.insert(begin, head.data(), head.size());
}

}  // namespace chatd::bench
