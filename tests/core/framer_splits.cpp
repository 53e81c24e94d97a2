// Two hundred conversations, each cut into two reads at every point there is, and into
// single bytes: what is understood is the same. The conversations are pairs of what
// line and telnet clients really send and what breaks naive readers.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "core/framer.hpp"
#include "support/catch.hpp"

namespace chatd::core {
namespace {

constexpr std::size_t kMaxMessage = 24;

/// A NUL in a piece is a byte like others.
template <std::size_t kSize>
constexpr std::string_view piece(const char (&text)[kSize]) {
  return {text, kSize - 1};
}

constexpr std::array kBeginnings = {
    piece("hello\n"),
    piece("hello\r\n"),
    piece("\n"),
    piece("\r\n\r\n"),
    piece("a\rb\n"),
    piece("bye\n"),
    piece("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80\n"),
    piece("\xC0\xAF\xED\xA0\x80\xF0\x90\n"),
    piece("exactly 24 bytes of text\n"),
    piece("exactly 24 bytes of text\r\n"),
    piece("25 bytes are one too many\n"),
    piece("it is cut in mid euro \xE2\x82\xAC\xE2\x82\xAC\r\n"),
    piece("far too long, and on and on, and on and on, and on\r\n"),
    piece("\xFF\xFD\x03\xFF\xFB\x18hello\r\n"),
    piece("\xFF\xFA\x18\x00xterm\n\xFF\xFF\xFF\xF0hello\r\0"),
    piece("\xFF\xF1\xFF\xFFlogin\xFF\xFC\x01\r\n"),
    piece("\xFF\xF4\xFF\xFD\x06stop\r\r\n"),
    piece("no end"),
    piece("caf\xC3"),
    piece("\0nul\0\n\0"),
};

constexpr std::array kEnds = {
    piece(""),
    piece("and more\n"),
    piece("and more\r\n\xE2\x82"),
    piece("\xFF\xFE\x01two\r\0three\r\n"),
    piece("\r"),
    piece("\n\n\n"),
    piece("x\xFF\xFF\xFF\xFA\x1F\xFF\xF0y\n"),
    piece("a second that is far too long for this, too"),
    piece("\xF0\x9F\x98\x80\xF0\x9F\x98\x80\r\nbye\r\n"),
    piece("\xFF"),
};

/// All that is understood of the bytes, as one text.
std::string understood(DialectSetting setting, std::string_view bytes, std::size_t first,
                       std::size_t step) {
  static constexpr Time kNow{Duration{1'000'000}};
  Settings settings;
  settings.max_message = kMaxMessage;
  Framer framer{setting};
  Reading reading;
  std::string all;
  const auto note = [&] {
    all += reading.cut ? "cut{" : "{";
    all += reading.text;
    all += '}';
  };
  for (std::size_t size = first; !bytes.empty(); size = step) {
    const std::string copy{bytes.substr(0, size)};
    bytes.remove_prefix(copy.size());
    std::string_view input = copy;
    while (!input.empty()) {
      if (framer.next(input, kNow, settings, reading)) note();
    }
  }
  if (framer.finish(settings, reading)) note();
  return all + escaped(reading.reply);
}

}  // namespace

TEST_CASE("framer: 200 conversations are understood the same wherever a read ends",
          "[core][framer][exhaustive]") {
  static_assert(kBeginnings.size() * kEnds.size() == 200);
  std::size_t ways = 0;
  for (const auto setting :
       {DialectSetting::kAuto, DialectSetting::kLine, DialectSetting::kTelnet}) {
    for (const auto beginning : kBeginnings) {
      for (const auto end : kEnds) {
        const std::string bytes = std::string{beginning} + std::string{end};
        const auto whole = understood(setting, bytes, bytes.size(), bytes.size());
        INFO(escaped(bytes) << " gives " << escaped(whole));
        std::size_t same = 0;
        for (std::size_t first = 1; first < bytes.size(); ++first) {
          if (understood(setting, bytes, first, bytes.size()) == whole) ++same;
        }
        ways += same;
        REQUIRE(same == bytes.size() - 1);
        REQUIRE(understood(setting, bytes, 1, 1) == whole);
      }
    }
  }
  CHECK(ways > 14'000);
}

}  // namespace chatd::core
