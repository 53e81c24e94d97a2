// The framer. For line and telnet clients, fixed or found out, any way of cutting the bytes
// into reads gives the same messages and the same refusals, and a line client's messages are
// those that a few lines of code find. For original and raw clients what comes out is what went
// in, read by read. The messages of a WebSocket are those that its reader finds, however it is cut.
#include "core/framer.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "http/client_frames.hpp"
#include "support/lines.hpp"

namespace {

using chatd::Duration;
using chatd::kNever;
using chatd::Time;
using chatd::core::Dialect;
using chatd::core::DialectSetting;
using chatd::core::Framer;
using chatd::core::kIac;
using chatd::core::Reading;
using chatd::core::Settings;
using chatd::fuzz::must;

constexpr Time kNow{Duration{1'000'000}};

struct Heard {
  std::vector<std::string> messages;  ///< "!" in front of one that was cut
  std::string replies;
  Dialect dialect{};

  friend bool operator==(const Heard&, const Heard&) = default;
};

void note(Heard& heard, const Reading& reading, const Settings& settings) {
  must(chatd::is_utf8(reading.text), "a message is not UTF-8");
  must(reading.text.size() <= 3 * settings.max_message, "a message is too long");
  heard.messages.push_back((reading.cut ? "!" : "") + std::string{reading.text});
}

/// Reads of the sizes that `size_of_next()` gives, then the end of file.
template <class Sizes>
Heard read(DialectSetting setting, std::string_view bytes, const Settings& settings,
           Sizes size_of_next) {
  Framer framer{setting};
  Reading reading;
  Heard heard;
  while (!bytes.empty()) {
    const auto size = std::clamp<std::size_t>(size_of_next(), 1, bytes.size());
    // In memory of its own, so that a sanitizer notices a read past the end.
    const std::string copy{bytes.substr(0, size)};
    bytes.remove_prefix(size);
    std::string_view input = copy;
    bool stood = false;
    while (!input.empty()) {
      const auto before = input.size();
      if (framer.next(input, kNow, settings, reading)) {
        note(heard, reading, settings);
        // Once: what was kept before may be too long already.
        must(input.size() < before || !std::exchange(stood, true), "a message out of nothing");
      } else {
        must(input.empty(), "bytes are left, and no message");
      }
    }
    must(framer.deadline() == kNever || framer.deadline() > kNow, "due at once");
  }
  if (setting == DialectSetting::kWebSocket) {
    heard.messages.push_back("end: " + reading.ended);
    return heard;
  }
  if (framer.finish(settings, reading)) note(heard, reading, settings);
  must(!framer.finish(settings, reading), "it ends twice");
  heard.replies = reading.reply;
  heard.dialect = framer.dialect();
  return heard;
}

/// What the simplest code finds in the bytes, as note() keeps it.
std::vector<std::string> simply_read(std::string_view bytes, bool telnet,
                                     const Settings& settings) {
  std::vector<std::string> all;
  for (const auto& line : chatd::test::lines_of(bytes, telnet, settings.max_message)) {
    all.push_back((line.cut ? "!" : "") + line.text);
  }
  return all;
}

void check_original(std::string_view bytes, const Settings& settings) {
  const Heard heard =
      read(DialectSetting::kOriginal, bytes, settings, [&] { return bytes.size(); });
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kMark)) bytes.remove_prefix(kMark.size());
  // What is put together from several reads is cut before it is known that padding ends it.
  const bool one_read =
      bytes.size() <= chatd::core::kOriginalRead && chatd::incomplete_tail(bytes) == 0;
  bool cut = !one_read && bytes.size() > settings.max_message + 1;
  while (!cut && bytes.ends_with('\0')) bytes.remove_suffix(1);
  must(heard.messages.size() == (bytes.empty() ? 0U : 1U), "one read, and not one message");
  if (bytes.empty()) return;
  cut = cut || bytes.size() > settings.max_message;
  std::string text{cut ? "!" : ""};
  if (cut) {
    bytes = bytes.substr(0, settings.max_message);
    bytes.remove_suffix(chatd::incomplete_tail(bytes));
  }
  chatd::append_repaired(text, bytes);
  must(heard.messages.front() == text, "an original client was misheard");
}

/// Once as it is, and once as frames that are right but for what `bytes` make of them.
void check_websocket(std::string_view bytes, const Settings& settings) {
  constexpr auto kWebSocket = DialectSetting::kWebSocket;
  const auto good = chatd::test::client_frame(0x81, bytes.substr(0, bytes.size() / 2)) +
                    chatd::test::client_frame(0x89, "there?") +
                    chatd::test::client_frame(0x01, bytes.substr(bytes.size() / 2)) +
                    chatd::test::client_frame(0x80, "end") + std::string{bytes};
  for (const std::string_view sent : {bytes, std::string_view{good}}) {
    const Heard whole = read(kWebSocket, sent, settings, [&] { return sent.size(); });
    must(whole == read(kWebSocket, sent, settings, [] { return 1; }), "frames byte by byte");
    std::vector<std::string> simply;
    chatd::http::WebSocketReader reader;
    chatd::http::WebSocketEvent event;
    std::string end;
    std::string_view input = sent;
    while (reader.next(input, {.max_message = settings.max_message}, event)) {
      using Kind = chatd::http::WebSocketEvent::Kind;
      if (event.kind == Kind::kText) simply.emplace_back(event.bytes);
      if (event.kind == Kind::kClose) end = "left";
      if (event.kind == Kind::kFault) end = "it " + std::string{to_string(event.fault)};
    }
    simply.push_back("end: " + end);
    must(whole.messages == simply, "messages of frames");
  }
}

/// Each read is a message, but for what waits for the rest of a character.
void check_raw(std::string_view bytes, const Settings& settings) {
  const Heard heard = read(DialectSetting::kRaw, bytes, settings, [&] { return bytes.size(); });
  must(heard.messages.size() <= 1, "one read of a raw client gave two messages");
  must(heard.replies.empty(), "a refusal to a raw client");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chatd::fuzz::Input input{data, size};
  static constexpr DialectSetting kSettings[] = {DialectSetting::kAuto, DialectSetting::kLine,
                                                 DialectSetting::kTelnet};
  const auto setting = kSettings[input.byte() % 3];
  Settings settings;
  settings.max_message = 1 + input.byte() % 80;
  std::uint32_t cuts = input.byte();
  const auto bytes = input.rest();

  const Heard whole = read(setting, bytes, settings, [&] { return bytes.size(); });
  must(whole == read(setting, bytes, settings, [] { return 1; }), "byte by byte it is different");
  const Heard cut = read(setting, bytes, settings, [&] {
    cuts = cuts * 1664525U + 1013904223U;
    return std::size_t{cuts >> 28U};
  });
  must(whole == cut, "cut somewhere it is different");
  const bool telnet = setting == DialectSetting::kTelnet;
  if (setting == DialectSetting::kLine || (telnet && bytes.find(kIac) == std::string_view::npos)) {
    must(whole.messages == simply_read(bytes, telnet, settings), "lines are not what they are");
  }
  if (whole.dialect != Dialect::kTelnet) must(whole.replies.empty(), "a refusal to no telnet");
  check_original(bytes, settings);
  check_raw(bytes, settings);
  check_websocket(bytes, settings);
  return 0;
}
