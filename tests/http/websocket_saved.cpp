// A reader that is handed over to another process, at every place and at random ones.
#include "http/websocket.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "http/client_frames.hpp"
#include "support/catch.hpp"

namespace chatd::http {
namespace {

using test::client_frame;
using test::events_of;
using test::handed_over;
using test::join;
using test::kBinary;
using test::kClose;
using test::kContinuation;
using test::kFin;
using test::kPing;
using test::kText;
using test::LengthForm;

constexpr WebSocketLimits kLimits{.max_message = 200, .takes_binary = true};
constexpr std::size_t kAll = std::size_t{1} << 20U;

}  // namespace

TEST_CASE("websocket: of a message that was written down in part the rest is missing",
          "[http][websocket][saved]") {
  struct Half {
    std::string come;  ///< before
    std::size_t most;  ///< that is written down
    std::string rest;  ///< after
    std::string result;
  };
  const std::string euros = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC";
  const std::vector<Half> halves = {
      {client_frame(kText, "abcdef"), 3, client_frame(kFin, "ghi"), "cut text{abc}"},
      {client_frame(kText, "abcdef"), 6, client_frame(kFin, "ghi"), "text{abcdefghi}"},
      {client_frame(kText, "abcdef"), 0, client_frame(kFin, ""), "cut text{}"},
      {client_frame(kText, euros), 7, client_frame(kFin, ""), "cut text{\xE2\x82\xAC\xE2\x82\xAC}"},
      {client_frame(kText, euros.substr(0, 8)), 7, client_frame(kFin, "\xAC"),
       "cut text{\xE2\x82\xAC\xE2\x82\xAC}"},
      {client_frame(kText, euros.substr(0, 8)), 7, client_frame(kFin, "x"),
       "fault 1007: has sent text that is not UTF-8"},
      {client_frame(kText, euros.substr(0, 8)), 8, client_frame(kFin, "\xAC"),
       "text{" + euros + "}"},
      {client_frame(kBinary, "\xFF\xFE\xFD"), 2, client_frame(kFin, "x"), "cut binary{\\xff\\xfe}"},
      {client_frame(kText, std::string(150, 'a')), 3, client_frame(kFin, std::string(51, 'a')),
       "fault 1009: has sent a message that is too long"},
      {client_frame(kFin | kText, "abcdef").substr(0, 10), 3,
       client_frame(kFin | kText, "abcdef").substr(10) + client_frame(kFin | kText, "whole"),
       "cut text{abc} text{whole}"},
  };
  for (const auto& [come, most, rest, result] : halves) {
    INFO(escaped(come) << ", of it " << most);
    WebSocketReader before;
    WebSocketEvent event;
    REQUIRE(events_of(before, come, kLimits, event).empty());
    bool right = false;
    auto after = handed_over(before, most, right);
    REQUIRE(right);
    // Another time changes nothing more.
    after = handed_over(after, most, right);
    REQUIRE(right);
    CHECK(events_of(after, rest, kLimits, event) == result);
  }
}

TEST_CASE("websocket: what could not have been written down is refused",
          "[http][websocket][saved]") {
  // Every state on the way through these, with every single byte of it changed in every way: it
  // is refused, or it is a reader that is written down again as the same.
  const auto bytes = client_frame(kText, "a\xE2\x82") + client_frame(kPing, "pong") +
                     client_frame(kFin, "\xAC") +
                     client_frame(kFin | kBinary, std::string(130, 'b')) +
                     client_frame(kClose,
                                  "\x03\xE8"
                                  "bye");
  WebSocketEvent event;
  std::size_t refused = 0;
  std::size_t taken = 0;
  for (std::size_t size = 0; size <= bytes.size(); size += size < 40 ? 1 : 13) {
    WebSocketReader reader;
    (void)events_of(reader, std::string_view{bytes}.substr(0, size), kLimits, event);
    ByteWriter good;
    reader.save(good, kAll);
    for (std::size_t at = 0; at < good.bytes().size(); ++at) {
      for (const unsigned with : {1U, 2U, 4U, 8U, 0x10U, 0x80U, 0xFFU}) {
        auto changed = good.bytes();
        changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(with));
        ByteReader in{changed};
        WebSocketReader next;
        next.restore(in);
        if (!in.finished()) {
          ++refused;
          continue;
        }
        ++taken;
        ByteWriter again;
        next.save(again, kAll);
        REQUIRE(again.bytes() == changed);
        (void)events_of(next, bytes, kLimits, event);
      }
    }
  }
  CHECK(refused > 5'000);
  CHECK(taken > 500);
}

namespace {

/// What a client says at random, as bytes and as the events that they are.
class Talker {
 public:
  std::string bytes;
  std::string events;

  std::size_t below(std::size_t bound) { return std::size_t{random_()} % bound; }

  void say_something() {
    const bool binary = below(4) == 0;
    const auto said = binary ? some_bytes() : some_text();
    std::string_view rest = said;
    auto opcode = binary ? kBinary : kText;
    for (bool final = false; !final; opcode = kContinuation) {
      final = below(3) == 0;
      const auto part = final ? rest : rest.substr(0, below(rest.size() + 1));
      rest.remove_prefix(part.size());
      add(static_cast<std::uint8_t>(opcode | (final ? kFin : 0U)), part);
      if (!final && below(4) == 0) ping();
    }
    join(events, (binary ? "binary{" : "text{") + escaped(said) + "}");
  }

  void ping() {
    const std::string payload(below(kMostControl + 1), 'p');
    add(kPing, payload);
    join(events, "ping{" + payload + "}");
  }

 private:
  void add(std::uint8_t first, std::string_view payload) {
    std::array<std::uint8_t, 4> mask{};
    for (auto& byte : mask) byte = static_cast<std::uint8_t>(random_());
    bytes += client_frame(first, payload, LengthForm::kShortest, mask);
  }

  std::string some_bytes() {
    std::string all;
    for (auto left = below(200); left > 0; --left) all += static_cast<char>(random_());
    return all;
  }

  std::string some_text() {
    static constexpr std::array<std::string_view, 5> kCharacters = {
        "a", "\n", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    std::string all;
    for (auto left = below(50); left > 0; --left) all += kCharacters[below(kCharacters.size())];
    return all;
  }

  std::mt19937 random_{20'261'129};
};

}  // namespace

TEST_CASE("websocket: a message is as long as it says, or cut", "[http][websocket][saved]") {
  const auto is_taken = [](std::uint64_t size, bool cut) {
    WebSocketReader reader;
    WebSocketEvent event;
    (void)events_of(reader, client_frame(kText, "abc"), kLimits, event);
    ByteWriter out;
    reader.save(out, kAll);
    auto bytes = out.bytes();
    // Behind the message, what there is of a control frame, and the bytes to come.
    std::memcpy(bytes.data() + 8 + 3 + 8 + 8, &size, sizeof size);
    bytes.back() = cut ? '\x01' : '\0';
    ByteReader in{bytes};
    WebSocketReader next;
    next.restore(in);
    return in.finished();
  };
  CHECK(is_taken(3, false));
  CHECK(is_taken(4, true));
  CHECK_FALSE(is_taken(2, false));
  CHECK_FALSE(is_taken(4, false));
  CHECK_FALSE(is_taken(3, true));
  CHECK_FALSE(is_taken(0, true));
}

TEST_CASE("websocket: random messages in random fragments, reads and hand-overs are what was said",
          "[http][websocket][model]") {
  Talker talker;
  for (int round = 0; round < 300; ++round) {
    talker.bytes.clear();
    talker.events.clear();
    for (auto left = talker.below(6); left > 0; --left) {
      talker.say_something();
      if (talker.below(3) == 0) talker.ping();
    }
    WebSocketReader reader;
    WebSocketEvent event;
    std::string heard;
    std::string_view rest = talker.bytes;
    while (!rest.empty()) {
      const std::string part{rest.substr(0, 1 + talker.below(60))};
      rest.remove_prefix(part.size());
      join(heard, events_of(reader, part, kLimits, event));
      if (talker.below(3) != 0) continue;
      bool right = false;
      reader = handed_over(reader, kAll, right);
      REQUIRE(right);
    }
    REQUIRE(heard == talker.events);
    REQUIRE_FALSE(reader.is_inside());
  }
}

}  // namespace chatd::http
