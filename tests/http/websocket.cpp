// What a reader makes of frames, as a table of bytes and events: framing, pings and pongs,
// reserved bits, opcodes, fragments, UTF-8, closes and sizes, each read at once, byte by byte and
// cut at every place, and handed over to another process at every place.
#include "http/websocket.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "http/client_frames.hpp"
#include "support/catch.hpp"
#include "support/pieces.hpp"

namespace chatd::http {
namespace {

using test::bytes_of;
using test::client_frame;
using test::events_of;
using test::frame_head;
using test::handed_over;
using test::join;
using test::kBinary;
using test::kClose;
using test::kContinuation;
using test::kFin;
using test::kPing;
using test::kPong;
using test::kText;
using test::LengthForm;

constexpr WebSocketLimits kLimits{.max_message = 200, .takes_binary = true};
constexpr std::size_t kAll = std::size_t{1} << 20U;

/// With `hand_over`, the reader is written down and read back after each read.
std::string read(std::string_view bytes, std::size_t first, std::size_t step,
                 const WebSocketLimits& limits, bool hand_over) {
  WebSocketReader reader;
  WebSocketEvent event;
  std::string all;
  for (std::size_t size = first; !bytes.empty(); size = step) {
    const std::string copy{bytes.substr(0, size)};
    bytes.remove_prefix(copy.size());
    join(all, events_of(reader, copy, limits, event));
    if (!hand_over) continue;
    bool right = false;
    reader = handed_over(reader, kAll, right);
    REQUIRE(right);
  }
  if (!reader.is_over() && reader.is_inside()) join(all, "and inside");
  return all;
}

std::string understood(std::string_view bytes, const WebSocketLimits& limits = kLimits) {
  auto plain = test::read_in_every_way(
      bytes, [&](auto b, auto first, auto step) { return read(b, first, step, limits, false); });
  const auto handed = test::read_in_every_way(
      bytes, [&](auto b, auto first, auto step) { return read(b, first, step, limits, true); });
  CHECK(handed == plain);
  return plain;
}

struct Row {
  std::string bytes;
  std::string result;
};

void check(const std::vector<Row>& rows) {
  for (const auto& [bytes, result] : rows) {
    INFO(escaped(bytes));
    CHECK(understood(bytes) == result);
  }
}

std::string text(std::string_view payload) {
  return client_frame(kFin | kText, payload);
}

std::string close(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code / 256), static_cast<char>(code % 256)};
  return client_frame(kClose, payload + std::string{reason});
}

std::string of(char c, std::size_t size) {
  std::string all;
  all.assign(size, c);
  return all;
}

constexpr std::string_view kNotUtf8 = "fault 1007: has sent text that is not UTF-8";
constexpr std::string_view kTooLong = "fault 1009: has sent a message that is too long";

}  // namespace

TEST_CASE("websocket: the examples of RFC 6455, section 5.7", "[http][websocket]") {
  check({
      {"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "text{Hello}"},
      {"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "pong{Hello}"},
      {client_frame(kText, "Hel") + client_frame(kFin, "lo"), "text{Hello}"},
      {client_frame(kPing, "Hello"), "ping{Hello}"},
  });
}

TEST_CASE("websocket: messages of every size", "[http][websocket]") {
  check({
      {text(""), "text{}"},
      {client_frame(kFin | kBinary, ""), "binary{}"},
      {text("a") + text("") + text("b"), "text{a} text{} text{b}"},
      {text(of('a', 125)), "text{" + of('a', 125) + "}"},
      {text(of('a', 126)), "text{" + of('a', 126) + "}"},
      {text(of('a', 127)), "text{" + of('a', 127) + "}"},
      {client_frame(kFin | kBinary, bytes_of("\0\xFF\x80\n")), "binary{\\x00\\xff\\x80\\x0a}"},
      {client_frame(kFin | kText, "mask of zeros", LengthForm::kShortest, {0, 0, 0, 0}),
       "text{mask of zeros}"},
      {client_frame(kFin | kText, "mask of ones", LengthForm::kShortest, {255, 255, 255, 255}),
       "text{mask of ones}"},
  });
  const WebSocketLimits large{.max_message = 70'000};
  WebSocketEvent event;
  for (const std::size_t size : {128U, 65'534U, 65'535U, 65'536U, 65'537U, 70'000U}) {
    std::string payload;
    while (payload.size() < size) payload += static_cast<char>('a' + payload.size() % 23);
    const auto frame = text(payload);
    for (const std::size_t step : {std::size_t{1}, std::size_t{997}, frame.size()}) {
      CHECK(read(frame, step, step, large, false) == "text{" + payload + "}");
    }
  }
}

TEST_CASE("websocket: lengths that are not written in the shortest way", "[http][websocket]") {
  const std::string fault = "fault 1002: has sent a frame with a length that is none";
  check({
      {client_frame(kFin | kText, "a", LengthForm::kTwoBytes), fault},
      {client_frame(kFin | kText, of('a', 125), LengthForm::kTwoBytes), fault},
      {client_frame(kFin | kText, "", LengthForm::kEightBytes), fault},
      {client_frame(kFin | kText, of('a', 126), LengthForm::kEightBytes), fault},
      {frame_head(kFin | kText, 65'535, LengthForm::kEightBytes), fault},
      {frame_head(kFin | kText, std::uint64_t{1} << 63U), fault},
      {frame_head(kFin | kText, ~std::uint64_t{0}), fault},
      {frame_head(kFin | kText, 65'536), std::string{kTooLong}},
      {frame_head(kFin | kText, (std::uint64_t{1} << 63U) - 1), std::string{kTooLong}},
  });
}

TEST_CASE("websocket: pings, pongs, and where they may stand", "[http][websocket]") {
  const std::string too_long = "fault 1002: has sent a control frame of more than 125 bytes";
  check({
      {client_frame(kPing, ""), "ping{}"},
      {client_frame(kPing, bytes_of("\0\xFF\xFE\xFD")), "ping{\\x00\\xff\\xfe\\xfd}"},
      {client_frame(kPing, of('p', 125)), "ping{" + of('p', 125) + "}"},
      {client_frame(kPing, of('p', 126)), too_long},
      {client_frame(kPong, of('p', 126)), too_long},
      {client_frame(kClose, of('p', 126)), too_long},
      {client_frame(kPing, "p", LengthForm::kTwoBytes), too_long},
      {client_frame(kPing, "p", LengthForm::kEightBytes), too_long},
      {client_frame(kPong, "unasked"), "pong{unasked}"},
      {client_frame(kPong, ""), "pong{}"},
      {client_frame(kPing, "1") + client_frame(kPing, "2") + client_frame(kPong, "3"),
       "ping{1} ping{2} pong{3}"},
      {client_frame(kText, "a") + client_frame(kPing, "p") + client_frame(kFin, "b"),
       "ping{p} text{ab}"},
      {client_frame(kText, "") + client_frame(kPong, "") + client_frame(kContinuation, "") +
           client_frame(kPing, of('p', 125)) + client_frame(kFin, ""),
       "pong{} ping{" + of('p', 125) + "} text{}"},
      {client_frame(kText, "a") + close(1000), "close 1000{}"},
  });
}

TEST_CASE("websocket: reserved bits, reserved opcodes, and no mask", "[http][websocket]") {
  const std::string reserved = "fault 1002: has sent a frame with a reserved bit";
  for (const unsigned bits : {0x40U, 0x20U, 0x10U, 0x60U, 0x50U, 0x30U, 0x70U}) {
    const auto of_bits = [bits](unsigned first) { return static_cast<std::uint8_t>(first | bits); };
    check({
        {client_frame(of_bits(kFin | kText), "a"), reserved},
        {text("a") + client_frame(of_bits(kFin | kText), "b") + text("c"), "text{a} " + reserved},
        {client_frame(of_bits(kFin | kBinary), ""), reserved},
        {client_frame(of_bits(kPing), "p"), reserved},
        {client_frame(of_bits(kClose), ""), reserved},
        {client_frame(kText, "a") + client_frame(of_bits(kFin), "b"), reserved},
    });
  }
  for (const unsigned code : {3U, 4U, 5U, 6U, 7U, 0xBU, 0xCU, 0xDU, 0xEU, 0xFU}) {
    const std::string fault = "fault 1002: has sent a frame with a reserved opcode";
    const auto opcode = static_cast<std::uint8_t>(code);
    const auto final = static_cast<std::uint8_t>(kFin | code);
    check({
        {client_frame(final, ""), fault},
        {client_frame(final, "payload") + text("a"), fault},
        {client_frame(opcode, "payload"), fault},
        {text("a") + client_frame(final, "x"), "text{a} " + fault},
        {client_frame(kText, "a") + client_frame(final, "x"), fault},
    });
  }
  const std::string unmasked = "fault 1002: has sent a frame without a mask";
  check({
      {std::string{bytes_of("\x81\x05Hello")}, unmasked},
      {std::string{bytes_of("\x81\x00")}, unmasked},
      {std::string{bytes_of("\x89\x00")}, unmasked},
      {std::string{bytes_of("\x88\x02\x03\xE8")}, unmasked},
      {std::string{bytes_of("\x81\x7E")}, unmasked},
      {text("a") + "\x81\x01"
                   "b",
       "text{a} " + unmasked},
  });
}

TEST_CASE("websocket: fragments", "[http][websocket]") {
  const std::string nothing = "fault 1002: has continued a message that it had not begun";
  const std::string inside = "fault 1002: has begun a message inside another one";
  const std::string control = "fault 1002: has sent a control frame in fragments";
  std::string single = client_frame(kText, "0");
  for (const char c : std::string_view{"123456789"}) single += client_frame(kContinuation, {&c, 1});
  check({
      {client_frame(kText, "ab") + client_frame(kFin, "cd"), "text{abcd}"},
      {client_frame(kText, "") + client_frame(kContinuation, "") + client_frame(kFin, ""),
       "text{}"},
      {client_frame(kText, "") + client_frame(kContinuation, "m") + client_frame(kFin, ""),
       "text{m}"},
      {single + client_frame(kFin, "."), "text{0123456789.}"},
      {single, "and inside"},
      {client_frame(kBinary, "\xFF") + client_frame(kFin, "\xFE"), "binary{\\xff\\xfe}"},
      {client_frame(kText, "a") + client_frame(kFin, "b") + text("c"), "text{ab} text{c}"},
      {client_frame(kContinuation, "a"), nothing},
      {client_frame(kFin, "a"), nothing},
      {client_frame(kFin, ""), nothing},
      {text("a") + client_frame(kFin, "b"), "text{a} " + nothing},
      {client_frame(kText, "a") + client_frame(kFin, "b") + client_frame(kContinuation, "c"),
       "text{ab} " + nothing},
      {client_frame(kText, "a") + text("b"), inside},
      {client_frame(kText, "a") + client_frame(kText, "b"), inside},
      {client_frame(kText, "a") + client_frame(kFin | kBinary, "b"), inside},
      {client_frame(kBinary, "") + text(""), inside},
      {client_frame(0x9, "p"), control},
      {client_frame(0xA, "p"), control},
      {client_frame(0x8, ""), control},
      {client_frame(0x9, "p") + client_frame(kFin, "q"), control},
  });
}

TEST_CASE("websocket: UTF-8, across fragments and as soon as it is wrong", "[http][websocket]") {
  const std::string fault{kNotUtf8};
  check({
      {text("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"),
       "text{gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80}"},
      {client_frame(kText, "\xE2\x82") + client_frame(kFin, "\xAC"), "text{\xE2\x82\xAC}"},
      {client_frame(kText, "\xF0") + client_frame(kPing, "\xFF") +
           client_frame(kContinuation, "\x9F\x98") + client_frame(kContinuation, "") +
           client_frame(kFin, "\x80!"),
       "ping{\\xff} text{\xF0\x9F\x98\x80!}"},
      {text("\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\xC2\x80\xE0\xA0\x80"
            "\xF0\x90\x80\x80"),
       "text{\\U0010ffff\\uffff\xED\x9F\xBF\xEE\x80\x80\\x80\xE0\xA0\x80\xF0\x90\x80\x80}"},
      {text(bytes_of("\0")), "text{\\x00}"},
      // Ends inside a character.
      {text("\xC3"), fault},
      {text("a\xE2\x82"), fault},
      {client_frame(kText, "\xF0\x9F") + client_frame(kFin, "\x98"), fault},
      {client_frame(kText, "\xF0\x9F\x98") + client_frame(kFin, ""), fault},
      // Ill-formed.
      {text("\x80"), fault},
      {text("\xBF\xBF"), fault},
      {text("a\xFF"), fault},
      {text("\xFE"), fault},
      {text("\xC0\xAF"), fault},
      {text("\xC1\xBF"), fault},
      {text("\xE0\x80\xAF"), fault},
      {text("\xE0\x9F\xBF"), fault},
      {text("\xF0\x80\x80\xAF"), fault},
      {text("\xF0\x8F\xBF\xBF"), fault},
      {text("\xED\xA0\x80"), fault},
      {text("\xED\xBF\xBF"), fault},
      {text("\xED\xA0\xBD\xED\xB8\x80"), fault},
      {text("\xF4\x90\x80\x80"), fault},
      {text("\xF5\x80\x80\x80"), fault},
      {text("\xF8\x88\x80\x80\x80"), fault},
      {text("\xFC\x84\x80\x80\x80\x80"), fault},
      {text("\xC3g"), fault},
      {text("\xE2\x82g"), fault},
      {text("\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
            "edited"),
       fault},
      {text("a") + text("\xFF") + text("b"), "text{a} " + fault},
      {client_frame(kFin | kBinary, "\xFF\xC0"), "binary{\\xff\\xc0}"},
      // Said before the rest has come: nothing could mend it.
      {frame_head(kFin | kText, 100) + client_frame(kFin | kText, "\xF4\x90").substr(6), fault},
      {client_frame(kText, "\xF4") + frame_head(kFin, 100) +
           client_frame(kFin | kText, "\x90").substr(6),
       fault},
      {client_frame(kText, "\xED") + client_frame(kContinuation, "\xA0"), fault},
      {client_frame(kText, "\xE2\x82") + client_frame(kContinuation, "\xAC\xC0"), fault},
  });
}

TEST_CASE("websocket: how a client ends it", "[http][websocket]") {
  const std::string bad_code = "fault 1002: has sent a close with a code that must not be sent";
  std::vector<Row> rows = {
      {client_frame(kClose, ""), "close 1005{}"},
      {client_frame(kClose, "\x03"), "fault 1002: has sent a close with half a code"},
      {close(1000), "close 1000{}"},
      {close(1000, "bye \xE2\x82\xAC"), "close 1000{bye \xE2\x82\xAC}"},
      {close(1001, of('r', 123)), "close 1001{" + of('r', 123) + "}"},
      {close(1000, "\xCE\xBA\xED\xA0\x80"), std::string{kNotUtf8}},
      {close(1000, "\xE2\x82"), std::string{kNotUtf8}},
      // Nothing comes of what follows.
      {close(1000) + text("late") + client_frame(kPing, "late"), "close 1000{}"},
      {close(1000) + close(1001) + "\xFF\xFF", "close 1000{}"},
      {text("a") + close(1000), "text{a} close 1000{}"},
      {close(1004) + text("late"), bad_code},
      {text("\xFF") + close(1000), std::string{kNotUtf8}},
  };
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    rows.push_back({close(code), "close " + std::to_string(code) + "{}"});
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
    rows.push_back({close(code), bad_code});
    rows.push_back({close(code, "\xFF"), bad_code});
  }
  check(rows);
}

TEST_CASE("websocket: a message has at most max_message bytes, in how many frames ever",
          "[http][websocket]") {
  const std::string fault{kTooLong};
  check({
      {text(of('a', 200)), "text{" + of('a', 200) + "}"},
      {text(of('a', 201)), fault},
      {frame_head(kFin | kText, 201), fault},
      {client_frame(kText, of('a', 200)) + client_frame(kFin, ""), "text{" + of('a', 200) + "}"},
      {client_frame(kText, of('a', 150)) + frame_head(kFin, 51), fault},
      {client_frame(kText, of('a', 150)) + client_frame(kFin, of('b', 50)) + text("c"),
       "text{" + of('a', 150) + of('b', 50) + "} text{c}"},
      {client_frame(kBinary, of('a', 150)) + frame_head(kContinuation, 51), fault},
      {client_frame(kText, of('a', 200)) + client_frame(kPing, of('p', 125)) +
           client_frame(kFin, ""),
       "ping{" + of('p', 125) + "} text{" + of('a', 200) + "}"},
  });
  // Said with the last byte of the length, before the mask and with nothing kept.
  WebSocketReader reader;
  WebSocketEvent event;
  const auto head = frame_head(kFin | kText, 201);
  std::string_view input = std::string_view{head}.substr(0, 4);
  REQUIRE(reader.next(input, kLimits, event));
  CHECK(event.fault == FrameFault::kTooBig);
  CHECK(reader.is_over());
  // Never more than before: the limit may have been lowered meanwhile.
  WebSocketReader second;
  const auto part = client_frame(kText, of('a', 150));
  input = part;
  REQUIRE_FALSE(second.next(input, kLimits, event));
  const auto more = client_frame(kFin, "");
  input = more;
  REQUIRE(second.next(input, {.max_message = 100}, event));
  CHECK(event.fault == FrameFault::kTooBig);
}

TEST_CASE("websocket: binary messages are taken only where they are wanted", "[http][websocket]") {
  const WebSocketLimits text_only{.max_message = 200};
  CHECK(understood(client_frame(kFin | kBinary, "a"), text_only) ==
        "fault 1003: has sent a binary message");
  CHECK(understood(client_frame(kBinary, "a"), text_only) ==
        "fault 1003: has sent a binary message");
  CHECK(understood(text("a") + "\x82", text_only) ==
        "text{a} fault 1003: has sent a binary message");
}

TEST_CASE("websocket: what is wrong is said with the byte that shows it", "[http][websocket]") {
  const auto at_once = [](std::string_view bytes) {
    WebSocketReader reader;
    WebSocketEvent event;
    return reader.next(bytes, kLimits, event) && event.kind == WebSocketEvent::Kind::kFault;
  };
  CHECK(at_once("\xC1"));      // a reserved bit
  CHECK(at_once("\x83"));      // an opcode
  CHECK(at_once("\x09"));      // a fragment of a ping
  CHECK(at_once("\x80"));      // a continuation of nothing
  CHECK(at_once("\x81\x05"));  // no mask
  CHECK(at_once("\x89\xFE"));  // a long ping
  CHECK(at_once(bytes_of("\x81\xFE\x00\x7D")));
  CHECK_FALSE(at_once("\x81\x85"));
}

TEST_CASE("websocket: memory grows with what has come, and a quiet client has none",
          "[http][websocket]") {
  const WebSocketLimits large{.max_message = std::size_t{1} << 30U, .takes_binary = true};
  WebSocketReader reader;
  WebSocketEvent event;
  const auto feed = [&](std::string_view bytes) {
    while (reader.next(bytes, large, event)) {
    }
  };
  feed(frame_head(kFin | kBinary, std::uint64_t{1} << 29U));
  CHECK(reader.kept_bytes() == 0);
  feed(of('\0', 1000));
  CHECK(reader.kept_bytes() >= 1000);
  CHECK(reader.kept_bytes() <= 2100);

  reader = {};
  feed(client_frame(kText, of('a', 5000)));
  CHECK(reader.kept_bytes() >= 5000);
  feed(client_frame(kPing, of('p', 125)).substr(0, 100));
  feed(client_frame(kPing, of('p', 125)).substr(100));
  CHECK(event.kind == WebSocketEvent::Kind::kPing);
  feed(client_frame(kFin, "b"));
  CHECK(event.bytes.size() == 5001);
  CHECK(reader.kept_bytes() == 0);

  feed(client_frame(kText, of('a', 5000)));
  feed("\xFF");
  CHECK(reader.is_over());
  CHECK(reader.kept_bytes() == 0);
  feed(of('x', 100'000));
  CHECK(reader.kept_bytes() == 0);
}

}  // namespace chatd::http
