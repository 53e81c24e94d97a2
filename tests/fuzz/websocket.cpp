// Frames of a WebSocket. After an even first byte the rest is what a client sends; after an odd
// one it is a good conversation with changes. Any way of cutting it, and handing the reader over
// in between, gives the same events; what they carry is what the header of the reader promises;
// and what is written down with changes is refused, or becomes a reader that works.
#include "http/websocket.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "http/client_frames.hpp"

namespace {

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::fuzz::must;
using chatd::http::is_close_code;
using chatd::http::WebSocketEvent;
using chatd::http::WebSocketLimits;
using chatd::http::WebSocketReader;
using chatd::test::client_frame;
using Kind = WebSocketEvent::Kind;

constexpr std::size_t kAll = 1'000'000;
constexpr WebSocketLimits kLimits{.max_message = 100, .takes_binary = true};

std::string good() {
  return client_frame(0x81, "hello") + client_frame(0x01, "gr\xC3") + client_frame(0x89, "ping") +
         client_frame(0x00, "\xBC\xC3") + client_frame(0x80, "\x9F") + client_frame(0x8A, "") +
         client_frame(0x82, std::string(100, 'b')) + client_frame(0x81, std::string(99, 't')) +
         client_frame(0x88, "\x03\xE8 bye");
}

void check(const WebSocketEvent& event) {
  const bool is_text = event.kind == Kind::kText || event.kind == Kind::kClose;
  must(!is_text || chatd::is_utf8(event.bytes), "a text that is not UTF-8");
  const bool is_message = event.kind == Kind::kText || event.kind == Kind::kBinary;
  must(event.bytes.size() <= (is_message ? kLimits.max_message : 125), "it is too long");
  if (event.kind == Kind::kClose) {
    must(event.code == chatd::http::kNoCode || is_close_code(event.code), "a code that is none");
  }
  if (event.kind == Kind::kFault) must(is_close_code(event.code), "a fault without a code");
  must((event.kind == Kind::kFault) == (event.fault != chatd::http::FrameFault::kNone),
       "a fault that is none");
}

std::string read(WebSocketReader& reader, std::string_view bytes, std::size_t step,
                 bool hand_over) {
  WebSocketEvent event;
  std::string all;
  while (!bytes.empty()) {
    const std::string copy{bytes.substr(0, step)};
    bytes.remove_prefix(copy.size());
    std::string_view input = copy;
    while (reader.next(input, kLimits, event)) {
      check(event);
      all += chatd::test::shown(event) + '\n';
    }
    must(input.empty(), "bytes are left, and no event");
    must(reader.kept_bytes() <= 2 * (kLimits.max_message + 125) + 64, "it keeps too much");
    if (!hand_over) continue;
    bool right = false;
    reader = chatd::test::handed_over(reader, kAll, right);
    must(right, "what was written down is read back as something else");
  }
  return all;
}

/// What was written down somewhere, with changes.
void restore(std::string_view bytes, chatd::fuzz::Input changes) {
  WebSocketReader reader;
  (void)read(reader, bytes, bytes.size(), false);
  ByteWriter out;
  reader.save(out, kAll);
  const auto changed = chatd::fuzz::changed(changes, out.bytes());
  ByteReader in{changed};
  WebSocketReader next;
  next.restore(in);
  if (!in.finished()) return;
  ByteWriter again;
  next.save(again, kAll);
  must(again.bytes() == changed, "it is written down as something else");
  WebSocketEvent event;
  std::string_view input = bytes;
  while (next.next(input, kLimits, event)) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const chatd::fuzz::Input input{data, size};
  const auto bytes = chatd::fuzz::changed(input, good());
  WebSocketReader whole;
  const auto events = read(whole, bytes, bytes.size(), false);
  WebSocketReader single;
  must(read(single, bytes, 1, false) == events, "byte by byte it is different");
  WebSocketReader handed;
  must(read(handed, bytes, 3, true) == events, "handed over it is different");
  WebSocketReader cut;
  must(read(cut, bytes, 11, true) == events, "cut somewhere it is different");
  const auto conversation = good();
  restore(std::string_view{conversation}.substr(0, size * 7 % conversation.size()), input);
  return 0;
}
