/// Frames of a WebSocket as a client sends them, right and wrong, and what a reader makes of
/// them: shared by the tests and the fuzz target.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "http/websocket.hpp"

namespace chatd::test {

/// First bytes of frames: the last frame of a message, and the opcodes. Those of controls are
/// whole.
inline constexpr std::uint8_t kFin = 0x80;
inline constexpr std::uint8_t kContinuation = 0x0;
inline constexpr std::uint8_t kText = 0x1;
inline constexpr std::uint8_t kBinary = 0x2;
inline constexpr std::uint8_t kClose = kFin | 0x8;
inline constexpr std::uint8_t kPing = kFin | 0x9;
inline constexpr std::uint8_t kPong = kFin | 0xA;

inline constexpr std::array<std::uint8_t, 4> kSomeMask = {0x37, 0xFA, 0x21, 0x3D};

/// How the length of a frame is written.
enum class LengthForm : std::uint8_t { kShortest, kTwoBytes, kEightBytes };

/// The head of a masked frame whose first byte is `first` and whose length is said to be `size`.
inline std::string frame_head(std::uint8_t first, std::uint64_t size,
                              LengthForm form = LengthForm::kShortest,
                              std::array<std::uint8_t, 4> mask = kSomeMask) {
  std::string head{static_cast<char>(first)};
  const auto number = [&head](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) head += static_cast<char>(value >> (8 * i));
  };
  const bool eight = form == LengthForm::kEightBytes || size > 0xFFFF;
  const bool two = form == LengthForm::kTwoBytes || size > 125;
  number(0x80U | (eight ? 127 : two ? 126 : size), 1);
  if (eight) {
    number(size, 8);
  } else if (two) {
    number(size, 2);
  }
  for (const auto byte : mask) head += static_cast<char>(byte);
  return head;
}

inline std::string client_frame(std::uint8_t first, std::string_view payload,
                                LengthForm form = LengthForm::kShortest,
                                std::array<std::uint8_t, 4> mask = kSomeMask) {
  auto frame = frame_head(first, payload.size(), form, mask);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask[i % 4]);
  }
  return frame;
}

/// An event as a text: "text{hello}", "close 1000{}", "fault 1002: has sent ...".
inline std::string shown(const http::WebSocketEvent& event) {
  using Kind = http::WebSocketEvent::Kind;
  const auto braced = '{' + escaped(event.bytes) + '}';
  switch (event.kind) {
    case Kind::kText:
      return (event.cut ? "cut text" : "text") + braced;
    case Kind::kBinary:
      return (event.cut ? "cut binary" : "binary") + braced;
    case Kind::kPing:
      return "ping" + braced;
    case Kind::kPong:
      return "pong" + braced;
    case Kind::kClose:
      return "close " + std::to_string(event.code) + braced;
    case Kind::kFault:
      break;
  }
  return "fault " + std::to_string(event.code) + ": " + std::string{to_string(event.fault)};
}

/// Appends `more` with a blank between.
inline void join(std::string& all, const std::string& more) {
  if (!all.empty() && !more.empty()) all += ' ';
  all += more;
}

/// The events of what is read, one after the other.
inline std::string events_of(http::WebSocketReader& reader, std::string_view input,
                             const http::WebSocketLimits& limits, http::WebSocketEvent& event) {
  std::string all;
  while (reader.next(input, limits, event)) join(all, shown(event));
  return all;
}

/// The same reader in the next process.
inline http::WebSocketReader handed_over(const http::WebSocketReader& reader, std::size_t most,
                                         bool& right) {
  ByteWriter out;
  reader.save(out, most);
  ByteReader in{out.bytes()};
  http::WebSocketReader next;
  next.restore(in);
  ByteWriter again;
  next.save(again, most);
  right = in.finished() && again.bytes() == out.bytes();
  return next;
}

}  // namespace chatd::test
