/// Short names for what many conversations with a session begin with.
#pragma once

#include <string>

#include "support/catch.hpp"
#include "support/chat.hpp"

namespace chatd::test {

inline constexpr auto kAuto = DialectSetting::kAuto;
inline constexpr auto kOriginal = DialectSetting::kOriginal;
inline constexpr auto kLine = DialectSetting::kLine;
inline constexpr auto kTelnet = DialectSetting::kTelnet;
inline constexpr auto kRaw = DialectSetting::kRaw;
inline constexpr auto kWebSocket = DialectSetting::kWebSocket;
inline constexpr auto kWeb = DialectSetting::kWeb;

/// The original client has connected and said its first words; it listens.
inline void connect_original(Chat& chat) {
  CHECK(chat.connect() == "connected");
  CHECK(chat.in("This is from Client") == "nothing");
  CHECK(chat.wait(50) == "said 'This is from Client'");
}

inline std::string x(std::size_t times) {
  std::string text;
  text.resize(times, 'x');
  return text;
}

}  // namespace chatd::test
