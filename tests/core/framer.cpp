// framer as tables of bytes in and messages out. What a line or a telnet client
// means is decided a second time here, by readers that see all the bytes at once;
// the framer must agree with them however the bytes are cut.
#include "core/framer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/allocated.hpp"
#include "support/catch.hpp"
#include "support/lines.hpp"
#include "support/valgrind.hpp"

namespace {

using chatd::Duration;
using chatd::kNever;
using chatd::Time;
using chatd::core::DialectSetting;
using chatd::core::Framer;
using chatd::core::Reading;
using chatd::core::Settings;
using chatd::core::to_string;
using chatd::test::lines_of;
using namespace std::string_view_literals;

const std::string kReplacement = "\xEF\xBF\xBD";

/// One framer, told the time. Messages come back as "'hello' 'you'", a cut one as
/// "cut'hello'", refusals are gathered in `replies`.
class Wire {
 public:
  explicit Wire(DialectSetting setting = DialectSetting::kAuto, Settings with = {})
      : settings{std::move(with)}, framer_{setting} {}

  std::string in(std::string_view bytes) {
    // A copy that ends where the read ends, so that a sanitizer notices a read past it.
    const std::vector<char> read{bytes.begin(), bytes.end()};
    std::string_view input{read.data(), read.size()};
    std::string all;
    while (!input.empty()) {
      if (framer_.next(input, now_, settings, reading_)) add(all);
      replies += std::exchange(reading_.reply, {});
    }
    return all;
  }
  /// What comes of the quiet that lasts until `ms` after the beginning.
  std::string at(int ms) {
    std::string all;
    const Time target = Time{} + Duration{ms};
    while (framer_.deadline() <= target) {
      now_ = framer_.deadline();
      if (framer_.expire(now_, settings, reading_)) add(all);
      REQUIRE(framer_.deadline() > now_);
    }
    now_ = target;
    REQUIRE_FALSE(framer_.expire(now_, settings, reading_));
    return all;
  }
  std::string finish() {
    std::string all;
    if (framer_.finish(settings, reading_)) add(all);
    return all;
  }
  [[nodiscard]] std::string_view dialect() const { return to_string(framer_.dialect()); }
  void expect_lines() { framer_.expect_lines(); }
  [[nodiscard]] bool has_begun() const { return framer_.has_begun(); }
  [[nodiscard]] bool waits() const { return framer_.deadline() != kNever; }

  std::string replies;
  Settings settings;

 private:
  void add(std::string& all) const {
    if (!all.empty()) all += ' ';
    all += reading_.cut ? "cut'" : "'";
    all += reading_.text;
    all += '\'';
  }

  Framer framer_;
  Reading reading_;
  Time now_{};
};

Settings with_max(std::size_t max_message) {
  Settings settings;
  settings.max_message = max_message;
  return settings;
}

std::string repeated(std::size_t times, std::string_view what) {
  std::string all;
  for (; times > 0; --times) all += what;
  return all;
}

/// All messages of `bytes`, read as these pieces, and what the end of file adds.
std::string messages(DialectSetting setting, const Settings& settings,
                     const std::vector<std::string_view>& pieces) {
  Wire wire{setting, settings};
  std::string all;
  const auto add = [&all](const std::string& more) {
    if (!all.empty() && !more.empty()) all += ' ';
    all += more;
  };
  for (const auto piece : pieces) add(wire.in(piece));
  add(wire.finish());
  return all + " replies " + wire.replies;
}

/// The bytes cut at every place, and at every two places.
void check_every_split(DialectSetting setting, const Settings& settings, std::string_view bytes) {
  const auto whole = messages(setting, settings, {bytes});
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  REQUIRE(messages(setting, settings, single) == whole);
  for (std::size_t first = 0; first < bytes.size(); ++first) {
    for (std::size_t second = first; second < bytes.size(); ++second) {
      INFO("cut at " << first << " and " << second);
      REQUIRE(messages(setting, settings,
                       {bytes.substr(0, first), bytes.substr(first, second - first),
                        bytes.substr(second)}) == whole);
    }
  }
}

}  // namespace

TEST_CASE("framer: the first bytes decide the dialect", "[core][framer]") {
  struct Row {
    std::string_view first;
    std::string_view dialect;
    std::string_view messages;
  };
  const auto row = GENERATE(values<Row>({
      {"hello\n", "line", "'hello'"},
      {"\n", "line", "''"},
      {"\r\n", "line", "''"},
      {"one\ntwo\nthr", "line", "'one' 'two'"},
      {"\xff\xfd\x01", "telnet", ""},
      {"\xff\xfd\x01hello\r\n", "telnet", "'hello'"},
      {"hello\xff\xf1\r\n", "telnet", "'hello'"},
      {"hello\n\xff\xfd\x01", "telnet", "'hello'"},
      {"hello\r\0"sv, "line", "'hello'"},
      {"hello\r\0you\n"sv, "line", "'hello' 'you'"},
      {"one\r\0two\xff\xfd\x03\r\0"sv, "telnet", "'one' 'two'"},
      {"\xff\xf1\nhello\n", "telnet", "'' 'hello'"},
      {"hello", "undecided", ""},
      {"bye", "undecided", ""},
      {"\r", "undecided", ""},
      // IAC is a byte that is not UTF-8 unless a command follows: this is text in cp1251.
      {"\xff, \xff\xdf\n", "line", "'\xEF\xBF\xBD, \xEF\xBF\xBD\xEF\xBF\xBD'"},
      {"\xff", "undecided", ""},
      {"\xff\xff", "undecided", ""},
  }));
  Wire wire;
  CHECK(wire.dialect() == "undecided");
  CHECK(wire.in(row.first) == row.messages);
  CHECK(wire.dialect() == row.dialect);
  CHECK(wire.waits() == (row.dialect == "undecided"));
}

TEST_CASE("framer: bytes without LF or IAC, then quiet, are an original client's",
          "[core][framer]") {
  Wire wire;
  CHECK(wire.in("This is from Client").empty());
  CHECK(wire.at(49).empty());
  CHECK(wire.dialect() == "undecided");
  CHECK(wire.at(50) == "'This is from Client'");
  CHECK(wire.dialect() == "original");
  CHECK(wire.in("next") == "'next'");
}

TEST_CASE("framer: quiet is counted from the last byte", "[core][framer]") {
  Wire wire;
  CHECK(wire.in("This is").empty());
  CHECK(wire.at(40).empty());
  CHECK(wire.in(" from ").empty());
  CHECK(wire.at(80).empty());
  CHECK(wire.in("Client").empty());
  CHECK(wire.at(129).empty());
  CHECK(wire.at(130) == "'This is from Client'");
}

TEST_CASE("framer: LF or IAC within the quiet decides, and nothing is lost", "[core][framer]") {
  SECTION("line") {
    Wire wire;
    CHECK(wire.in("slow ").empty());
    CHECK(wire.at(49).empty());
    CHECK(wire.in("typist\r\nnext\n") == "'slow typist' 'next'");
    CHECK(wire.dialect() == "line");
    CHECK_FALSE(wire.waits());
  }
  SECTION("line, the CR before the LF came earlier") {
    Wire wire;
    CHECK(wire.in("hello\r").empty());
    CHECK(wire.in("\nx\n") == "'hello' 'x'");
  }
  SECTION("telnet") {
    Wire wire;
    CHECK(wire.in("hel").empty());
    CHECK(wire.in("\xff\xfd\x18lo\r\n") == "'hello'");
    CHECK(wire.dialect() == "telnet");
    CHECK(wire.replies == "\xff\xfc\x18");
    CHECK_FALSE(wire.waits());
  }
  SECTION("telnet, and what came before waits for its line") {
    Wire wire;
    CHECK(wire.in("hel").empty());
    CHECK(wire.in("\xff\xf1").empty());
    CHECK_FALSE(wire.waits());
    CHECK(wire.at(5000).empty());
    CHECK(wire.in("lo\n") == "'hello'");
  }
  SECTION("telnet, and a CR that came before is the first half of CR NUL") {
    Wire wire;
    CHECK(wire.in("hello\r").empty());
    CHECK(wire.in("\xff\xf1\0x\r\0"sv) == "'hello' 'x'");
  }
  SECTION("IAC in one read, LF in the next") {
    Wire wire;
    CHECK(wire.in("\xff").empty());
    CHECK(wire.in("\xfb\x1f").empty());
    CHECK(wire.in("a\n") == "'a'");
    CHECK(wire.dialect() == "telnet");
  }
}

TEST_CASE("framer: an original client that sends an LF is a line client for good",
          "[core][framer]") {
  Wire wire;
  CHECK(wire.in("hello").empty());
  CHECK(wire.at(50) == "'hello'");
  SECTION("with the LF in the next read") {
    CHECK(wire.in("more\nand") == "'more'");
    CHECK(wire.dialect() == "line");
    CHECK(wire.at(5000).empty());
    CHECK(wire.in(" more\n") == "'and more'");
  }
  SECTION("while a long message is put together") {
    const auto part = repeated(1100, "x");
    CHECK(wire.in(part).empty());
    CHECK(wire.in("y\nz\n") == "'" + part + "y' 'z'");
    CHECK(wire.dialect() == "line");
    CHECK_FALSE(wire.waits());
  }
  SECTION("while the rest of a character is waited for") {
    CHECK(wire.in("\xe2\x82").empty());
    CHECK(wire.in("\n") == "'" + kReplacement + "'");
    CHECK_FALSE(wire.waits());
  }
  SECTION("a command of telnet makes it that") {
    CHECK(wire.in("a\xff\xf4\xff\xfd\x06next\r\n") == "'anext'");
    CHECK(wire.dialect() == "telnet");
    CHECK(wire.replies == "\xff\xfc\x06");
  }
  SECTION("also where the command comes in pieces") {
    CHECK(wire.in("a\xff").empty());
    CHECK(wire.in("\xfd").empty());
    CHECK(wire.in("\x06next\r") == "'anext'");
  }
  SECTION("IAC and then quiet is a byte that is not UTF-8") {
    CHECK(wire.in("a\xff").empty());
    CHECK(wire.at(99).empty());
    CHECK(wire.at(100) == "'a" + kReplacement + "'");
    CHECK(wire.in("\xff").empty());
    CHECK(wire.in("b") == "'" + kReplacement + "b'");
    CHECK(wire.dialect() == "original");
  }
}

TEST_CASE("framer: a dialect fixed by the listener never changes", "[core][framer]") {
  SECTION("original: LF and IAC are bytes like any other") {
    Wire wire{DialectSetting::kOriginal};
    CHECK(wire.in("one\ntwo\n") == "'one\ntwo\n'");
    CHECK(wire.in("\xff\xfd\x01") == "'" + kReplacement + kReplacement + "\x01'");
    CHECK(wire.dialect() == "original");
    CHECK(wire.replies.empty());
  }
  SECTION("line: IAC is a byte, and quiet means nothing") {
    Wire wire{DialectSetting::kLine};
    CHECK(wire.in("a\xff\xf1").empty());
    CHECK_FALSE(wire.waits());
    CHECK(wire.in("b\n") == "'a" + kReplacement + kReplacement + "b'");
    CHECK(wire.dialect() == "line");
  }
  SECTION("telnet: no IAC is needed") {
    Wire wire{DialectSetting::kTelnet};
    CHECK(wire.in("plain\n") == "'plain'");
    CHECK(wire.in("quiet").empty());
    CHECK_FALSE(wire.waits());
    CHECK(wire.dialect() == "telnet");
  }
}

TEST_CASE("framer: a line that was decided stays line, but for a command of telnet",
          "[core][framer]") {
  Wire wire;
  CHECK(wire.in("a\n") == "'a'");
  CHECK(wire.in("no end").empty());
  CHECK(wire.at(100'000).empty());
  CHECK(wire.dialect() == "line");
  SECTION("Ctrl-C in the middle of a line") {
    CHECK(wire.in("\xff\xf4\xff\xfd\x06next\r\n") == "'no endnext'");
    CHECK(wire.replies == "\xff\xfc\x06");
    CHECK(wire.dialect() == "telnet");
  }
  SECTION("IAC without a command is text, and so is what follows") {
    CHECK(wire.in("\xff\n\xff\xff\xe0\n") ==
          "'no end" + kReplacement + "' '" + kReplacement + kReplacement + kReplacement + "'");
    CHECK(wire.in("\xff").empty());
    CHECK(wire.in("x\n") == "'" + kReplacement + "x'");
    CHECK(wire.in("\xff").empty());
    CHECK(wire.finish() == "'" + kReplacement + "'");
    CHECK(wire.dialect() == "line");
    CHECK(wire.replies.empty());
  }
}

TEST_CASE("framer: CR LF and CR NUL end a line, and a CR within one is text", "[core][framer]") {
  Wire wire{DialectSetting::kLine};
  CHECK(wire.in("a\r\n") == "'a'");
  CHECK(wire.in("a\r\0b\n"sv) == "'a' 'b'");
  CHECK(wire.in("a\r\r\n") == "'a\r'");
  CHECK(wire.in("\r\n") == "''");
  CHECK(wire.in("a\rb\n") == "'a\rb'");
  CHECK(wire.in("\ra\n") == "'\ra'");
  CHECK(wire.in("a\r").empty());
  CHECK(wire.in("\n") == "'a'");
  CHECK(wire.in("a\r").empty());
  CHECK(wire.in("\r").empty());
  CHECK(wire.in("\n") == "'a\r'");
}

TEST_CASE("framer: any CR ends a line of a telnet client", "[core][framer]") {
  Wire wire{DialectSetting::kTelnet};
  CHECK(wire.in("a\r") == "'a'");
  CHECK(wire.in("\nb\r") == "'b'");
  CHECK(wire.in("\0c\r"sv) == "'c'");
  CHECK(wire.in("d\r\n") == "'d'");
  CHECK(wire.in("a\rb\n") == "'a' 'b'");
  CHECK(wire.in("\r\r\n") == "'' ''");
  CHECK(wire.in("a\r\xff\xf1\nb\n") == "'a' 'b'");  // a command between the two halves
  CHECK(wire.in("a\r\n\n") == "'a' ''");
  CHECK_FALSE(wire.waits());
}

TEST_CASE("framer: a CR that quiet follows ends a line", "[core][framer]") {
  for (const auto setting : {DialectSetting::kAuto, DialectSetting::kLine}) {
    Wire wire{setting};
    CHECK(wire.in("hello\r").empty());
    CHECK(wire.at(49).empty());
    CHECK(wire.at(50) == "'hello'");
    CHECK(wire.dialect() == "line");
    SECTION("and an LF or NUL that comes late belongs to it") {
      CHECK(wire.in("\nnext\n") == "'next'");
      CHECK(wire.in("bye\r").empty());
      CHECK(wire.at(100) == "'bye'");
      CHECK(wire.in("\0x\n"sv) == "'x'");
    }
    SECTION("but not what is no part of a line end") {
      CHECK(wire.in("\r").empty());
      CHECK(wire.at(100) == "''");
      CHECK(wire.in("next\n\n") == "'next' ''");
    }
    SECTION("not with text behind it at once") {
      CHECK(wire.in("50 %\r").empty());
      CHECK(wire.in("60 %").empty());
      CHECK_FALSE(wire.waits());
      CHECK(wire.in("\n") == "'50 %\r60 %'");
    }
    SECTION("also that of a line which was too long") {
      wire.settings.max_message = 4;
      CHECK(wire.in("12345678") == "cut'1234'");
      CHECK(wire.in("9\r").empty());
      CHECK(wire.at(100).empty());
      CHECK(wire.in("next\n") == "'next'");
    }
  }
}

TEST_CASE("framer: a client that is taken for an original one and sends a CR is none",
          "[core][framer]") {
  Wire wire;
  CHECK(wire.in("status").empty());
  CHECK(wire.at(50) == "'status'");
  CHECK(wire.in("ready\r").empty());
  CHECK(wire.at(100) == "'ready'");
  CHECK(wire.dialect() == "line");
}

TEST_CASE("framer: a line end that comes by itself belongs to the text that quiet has ended",
          "[core][framer]") {
  Wire wire;
  CHECK(wire.in("hello").empty());
  CHECK(wire.at(50) == "'hello'");
  CHECK(wire.dialect() == "original");
  SECTION("CR LF") {
    CHECK(wire.in("\r\n").empty());
    CHECK(wire.in("x\r\n") == "'x'");
  }
  SECTION("in two pieces") {
    CHECK(wire.in("\r").empty());
    CHECK_FALSE(wire.waits());
    CHECK(wire.in("\n").empty());
    CHECK(wire.in("\n") == "''");
  }
  SECTION("LF, and more at once") {
    CHECK(wire.in("\nx\ny") == "'x'");
  }
  SECTION("CR") {
    CHECK(wire.in("\r").empty());
    CHECK(wire.at(1000).empty());
    CHECK(wire.in("x\n") == "'x'");
  }
  SECTION("after each text of its") {
    CHECK(wire.in("again") == "'again'");
    CHECK(wire.in("\r\n").empty());
  }
  CHECK(wire.dialect() == "line");
}

TEST_CASE("framer: nobody who is known to read lines is taken for an original client",
          "[core][framer]") {
  Wire wire;
  wire.expect_lines();
  CHECK(wire.dialect() == "line");
  for (int i = 1; i <= 5; ++i) {
    CHECK(wire.in("k").empty());
    CHECK(wire.at(i * 200).empty());
  }
  CHECK(wire.in("\r\n") == "'kkkkk'");
}

TEST_CASE("framer: BS and DEL erase the character before them", "[core][framer]") {
  struct Row {
    std::string_view in;
    std::string_view messages;
  };
  const auto row = GENERATE(values<Row>({
      {"helo\blo\n", "'hello'"},
      {"helo\x7flo\r\n", "'hello'"},
      {"a\b\b\bb\n", "'b'"},
      {"gr\xc3\xbc\b\xc3\xb6\xe2\x82\xac\x7f\xf0\x9f\x98\x80\x7f!\n", "'gr\xc3\xb6!'"},
      {"\xe2\x82\b.\n", "'.'"},  // the half of one, too
      {"a\r\bb\n", "'ab'"},
      {"ab\n\bc\n", "'ab' 'c'"},  // not in a line that is finished
  }));
  for (const auto setting : {DialectSetting::kLine, DialectSetting::kAuto}) {
    Wire wire{setting};
    CHECK(wire.in(row.in) == row.messages);
    check_every_split(setting, {}, row.in);
    check_every_split(setting, with_max(4), row.in);
  }
  CHECK(messages(DialectSetting::kOriginal, {}, {"ab\b"}) == "'ab\b' replies ");
}

TEST_CASE("framer: a telnet client may ask for its last character or line to be erased",
          "[core][framer]") {
  Wire wire{DialectSetting::kTelnet};
  CHECK(wire.in("helo\xff\xf7lo\r\n") == "'hello'");  // EC
  CHECK(wire.in("no\xff\xf8yes\r\n") == "'yes'");     // EL
}

TEST_CASE("framer: a byte order mark at the start is dropped and decides nothing",
          "[core][framer]") {
  for (const auto setting : {DialectSetting::kAuto, DialectSetting::kLine, DialectSetting::kTelnet,
                             DialectSetting::kOriginal, DialectSetting::kRaw}) {
    Wire wire{setting};
    const auto before = std::string{wire.dialect()};
    CHECK(wire.in("\xef").empty());
    CHECK(wire.in("\xbb\xbf").empty());
    CHECK(wire.at(5000).empty());
    CHECK(wire.dialect() == before);
    CHECK_FALSE(wire.waits());
    CHECK_FALSE(wire.has_begun());
    const bool whole = setting == DialectSetting::kOriginal || setting == DialectSetting::kRaw;
    CHECK(wire.in(whole ? "hello" : "hello\r\n") == "'hello'");
    CHECK(wire.has_begun());
    CHECK(wire.in(whole ? "\xef\xbb\xbf" : "\xef\xbb\xbf\n") == "'\xef\xbb\xbf'");
  }
  SECTION("what only begins like one is text") {
    Wire wire;
    CHECK(wire.in("\xef\xbb").empty());
    CHECK(wire.in("\xbe\n") == "'\xef\xbb\xbe'");
    Wire other{DialectSetting::kLine};
    CHECK(other.in("\xef\xbb").empty());
    CHECK(other.finish() == "'" + kReplacement + "'");
  }
}

TEST_CASE("framer: NULs around a text are padding", "[core][framer]") {
  SECTION("of a C program that sends the NUL behind its strings") {
    Wire wire;
    CHECK(wire.in("hello\0"sv).empty());
    CHECK(wire.at(50) == "'hello'");
    CHECK(wire.in("bye\0"sv) == "'bye'");
    CHECK(wire.in("\0\0"sv).empty());
    CHECK(wire.in("a\0b\0"sv) == "'a\0b'"sv);
    CHECK(wire.dialect() == "original");
  }
  SECTION("behind lines") {
    Wire wire;
    CHECK(wire.in("one\n\0two\r\n\0"sv) == "'one' 'two'");
    CHECK(wire.in("three\0\0\n\0fo\0ur\0\r\n"sv) == "'three' 'fo\0ur'"sv);
    CHECK(wire.in("\0"sv).empty());
    CHECK(wire.finish().empty());
  }
  SECTION("and nothing else is neither a text nor a reason to decide") {
    Wire wire;
    CHECK(wire.in("\0\0"sv).empty());
    CHECK_FALSE(wire.waits());
    CHECK_FALSE(wire.has_begun());
    CHECK(wire.dialect() == "undecided");
    CHECK(wire.in("x\n") == "'x'");
  }
}

TEST_CASE("framer: of a raw client each read is a message, whatever is in it", "[core][framer]") {
  Wire wire{DialectSetting::kRaw, with_max(8)};
  CHECK(wire.in("a\nb\r\n") == "'a\nb\r\n'");
  CHECK(wire.in("\0"sv) == "'\0'"sv);
  CHECK(wire.in("\xff\xfd\x01") == "'" + kReplacement + kReplacement + "\x01'");
  CHECK(wire.in("123456789") == "cut'12345678'");
  CHECK(wire.in("1234567\xc3\xa4") == "cut'1234567'");
  CHECK(wire.in("a\xc3").empty());  // the rest of a character is waited for
  CHECK(wire.in("\xa4") == "'a\xc3\xa4'");
  CHECK(wire.in("a\xc3").empty());
  CHECK(wire.at(1000) == "'a" + kReplacement + "'");
  CHECK(wire.replies.empty());
  CHECK(wire.dialect() == "raw");
  CHECK_FALSE(wire.waits());
}

TEST_CASE("framer: a line split at every byte gives the same messages", "[core][framer]") {
  const auto bytes = GENERATE(values<std::string_view>({
      "hello\nworld\n\n\r\nlast",
      "a\r\nb\r\r\nc\rd\n\r",
      "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x98\x80\r\n\xf0\x9f\n\x98\x80\n",
      "\xff\xfe\xc0\xaf\n\xed\xa0\x80\n",
      "nul \0 and more\0\n"sv,
  }));
  check_every_split(DialectSetting::kLine, {}, bytes);
  check_every_split(DialectSetting::kTelnet, {}, bytes);
  check_every_split(DialectSetting::kAuto, {}, bytes);
}

TEST_CASE("framer: a telnet conversation split at every byte gives the same messages",
          "[core][framer]") {
  const auto bytes = GENERATE(values<std::string_view>({
      "\xff\xfd\x01\xff\xfb\x1fhe\xff\xfdllo\r\n",
      "\xff\xfa\x18\x00xterm\xff\xf0say\r\0it\r\n"sv,
      "\xff\xfa\x1f\xff\xff\x00\n\xff\xff\xff\xf0ok\xff\xff!\n"sv,
      "\xff\xf6"
      "a\r\xff\xf1\n\r\xff\xfe\x01\0b\r\r\0\n"sv,
      "\xff\xff\xff\xff\xff\xf0x\n\xff\xfa\xff",
  }));
  check_every_split(DialectSetting::kTelnet, {}, bytes);
  check_every_split(DialectSetting::kAuto, {}, bytes);
  check_every_split(DialectSetting::kTelnet, with_max(4), bytes);
}

TEST_CASE("framer: what the fuzzer found to depend on how it was cut", "[core][framer]") {
  // Padding in front of a text that is too long before it is known to be telnet's.
  check_every_split(DialectSetting::kAuto, with_max(2), "\0\0abcd\xff\xff\xfd\x03x\n"sv);
  // A CR, an IAC that begins no command, and a NUL: no line end.
  check_every_split(DialectSetting::kAuto, {}, "a\r\xff\0\0"sv);
  // No byte order mark, too long, and then erased.
  check_every_split(DialectSetting::kTelnet, with_max(1), "\xef\xbb\x7fx\n"sv);
  // No byte order mark, and padding.
  Wire original{DialectSetting::kOriginal, with_max(3)};
  CHECK(original.in("\xef'\0\0\0\0"sv) == "'" + kReplacement + "''");
}

TEST_CASE("framer: what came before the first IAC means the same however it was cut",
          "[core][framer]") {
  // Found by the fuzzer: a CR ends a telnet client's line, and this one was not known to be
  // one when it came, or only just.
  const std::string bytes{"one\rtwo\xFF\xFD\x03\r\0three"sv};
  const auto whole = messages(DialectSetting::kAuto, {}, {bytes});
  CHECK(whole == "'one\rtwo' 'three' replies \xFF\xFC\x03"sv);
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    const std::string_view view = bytes;
    CHECK(messages(DialectSetting::kAuto, {}, {view.substr(0, i), view.substr(i)}) == whole);
  }
}

TEST_CASE("framer: telnet sequences are taken out and every option is refused once",
          "[core][framer]") {
  struct Row {
    std::string_view in;
    std::string_view messages;
    std::string_view replies;
  };
  const auto row = GENERATE(values<Row>({
      {"\xff\xfd\x01", "", "\xff\xfc\x01"},  // DO: WONT
      {"\xff\xfb\x1f", "", "\xff\xfe\x1f"},  // WILL: DONT
      {"\xff\xfe\x01", "", ""},              // DONT and WONT are our own wish
      {"\xff\xfc\x1f", "", ""},
      {"\xff\xfd\xff", "", "\xff\xfc\xff"},  // an option may be numbered 255
      {"a\xff\xfd\x01"
       "b\xff\xfb\x03"
       "c\r\n",
       "'abc'", "\xff\xfc\x01\xff\xfe\x03"},
      {"a\xff\xfa\x18\x01 \xff\xff \xff\xf0z\n", "'az'", ""},
      // No LF is ever swallowed, not even by a subnegotiation that nobody has agreed to.
      {"a\xff\xfa\x18 \xff\xff \nz\n", "'a' 'z'", ""},
      {"a\xff\xfa\x18 \xff\nz\n", "'a' 'z'", ""},
      // IAC without a command is text, and swallows nothing.
      {"a\xff"
       "b\n\xff\nc\n",
       "'a\xEF\xBF\xBD"
       "b' '\xEF\xBF\xBD' 'c'",
       ""},
      {"a\xff\xfa\x18\xff\x01\xff\xf0z\n", "'az'", ""},  // an IAC that ends nothing
      {"a\xff\xf6"
       "b\xff\xf1"
       "c\xff\xf0\xff\xf9\n",
       "'abc'", ""},  // AYT, NOP, a lone SE, GA
      {"a\xff\xff\xff\xff"
       "b\n",
       "'a\xEF\xBF\xBD\xEF\xBF\xBD"
       "b'",
       ""},
      {"one\r\ntwo\r\0three\n"sv, "'one' 'two' 'three'", ""},
      {"a\0b\n"sv, "'a\0b'"sv, ""},  // a NUL of its own is data
      {"a\r\r\0"sv, "'a' ''", ""},
      {"\r\n\r\0"sv, "'' ''", ""},
  }));
  Wire wire{DialectSetting::kTelnet};
  CHECK(wire.in(row.in) == row.messages);
  CHECK(wire.replies == row.replies);
}

TEST_CASE("framer: a message is at most max_message bytes, in every dialect", "[core][framer]") {
  const std::size_t max = 8192;
  const auto fits = repeated(max, "x");
  const auto cut = "cut'" + fits + "'";
  for (const auto setting : {DialectSetting::kLine, DialectSetting::kTelnet}) {
    Wire wire{setting};
    CHECK(wire.in(fits + "\n") == "'" + fits + "'");
    CHECK(wire.in(fits + "\r\n") == "'" + fits + "'");
    CHECK(wire.in(fits + "y\n") == cut);
    CHECK(wire.in(fits + "y" + fits + "\nnext\n") == cut + " 'next'");
    // In pieces it is given out as soon as it is known to be too long.
    CHECK(wire.in(fits).empty());
    CHECK(wire.in("y") == cut);
    CHECK(wire.in(fits + fits).empty());
    CHECK(wire.in("end\nnext\n") == "'next'");
  }
  Wire line{DialectSetting::kLine};
  CHECK(line.in(fits + "\r\r\n") == cut);
  CHECK(line.in(fits).empty());
  CHECK(line.in("\r").empty());
  CHECK(line.in("y") == cut);
  for (const auto setting : {DialectSetting::kOriginal, DialectSetting::kAuto}) {
    Wire wire{setting};
    CHECK(wire.in(fits).empty());
    CHECK(wire.at(50) == "'" + fits + "'");
    CHECK(wire.in(fits + "y").empty());
    CHECK(wire.at(100) == cut);
    CHECK(wire.in(fits + "yz").empty());
    CHECK(wire.at(120).empty());
    CHECK(wire.in("the rest").empty());  // is dropped, up to the quiet
    CHECK(wire.at(169).empty());
    CHECK(wire.at(170) == cut);
    CHECK(wire.in("next") == "'next'");
  }
}

TEST_CASE("framer: what is too long is not waited for because of its last character",
          "[core][framer]") {
  Wire wire{DialectSetting::kAuto, with_max(8)};
  CHECK(wire.in("12345678\xe2\x82\xac").empty());
  CHECK(wire.at(50) == "cut'12345678'");
  CHECK(wire.in("1234567\xc3").empty());
  CHECK(wire.in("\xa4 and more").empty());
  CHECK(wire.at(99).empty());
  CHECK(wire.at(100) == "cut'1234567'");
}

TEST_CASE("framer: too long for a message while undecided, then LF or IAC", "[core][framer]") {
  const auto cut = "cut'" + repeated(8, "x") + "'";
  const auto settings = with_max(8);
  SECTION("line") {
    Wire wire{DialectSetting::kAuto, settings};
    CHECK(wire.in(repeated(20, "x")).empty());
    CHECK(wire.in("rest\nnext\n") == cut + " 'next'");
  }
  SECTION("telnet") {
    Wire wire{DialectSetting::kAuto, settings};
    CHECK(wire.in(repeated(20, "x")).empty());
    CHECK(wire.in("\xff\xf1rest\nnext\n") == cut + " 'next'");
  }
  SECTION("one byte too long, which is then taken back") {
    for (const auto first : {0U, 8U, 9U}) {
      Wire wire{DialectSetting::kAuto, settings};
      CHECK(wire.in(repeated(first, "x")).empty());
      CHECK(wire.in(repeated(9 - first, "x") + "\b\nnext\n") == cut + " 'next'");
    }
  }
  SECTION("a CR just past the end") {
    Wire wire{DialectSetting::kAuto, settings};
    CHECK(wire.in(repeated(8, "x") + "\r").empty());
    CHECK(wire.in("\nnext\n") == "'xxxxxxxx' 'next'");
  }
  SECTION("a CR just past the end, in the original dialect") {
    Wire wire{DialectSetting::kOriginal, settings};
    CHECK(wire.in(repeated(8, "x") + "\r") == cut);
  }
}

TEST_CASE("framer: the limit is the same at every split", "[core][framer]") {
  for (const auto* bytes :
       {"1234567\n12345678\n123456789\n", "1234567\r\n12345678\r\n123456789\r\n",
        "1234567\r\r\n12345678\r\r\n123456789\r\r\n", "12345678\r9\n12345678\r\r9\n",
        "123456\xc3\xa4\n1234567\xc3\xa4\n12345678\xc3\xa4\n",
        "12345\xe2\x82\xac\n123456\xe2\x82\xac\n1234567\xe2\x82\xac\n",
        "1234567890123456789\r\n12345678\r", "123456789012\n3456\n78"}) {
    check_every_split(DialectSetting::kLine, with_max(8), bytes);
    check_every_split(DialectSetting::kTelnet, with_max(8), bytes);
    check_every_split(DialectSetting::kAuto, with_max(8), bytes);
  }
}

TEST_CASE("framer: a message is cut between characters", "[core][framer]") {
  struct Row {
    std::string_view in;
    std::string_view message;
  };
  const auto row = GENERATE(values<Row>({
      {"1234567\xc3\xa4", "cut'1234567'"},
      {"123456\xc3\xa4.", "cut'123456\xc3\xa4'"},
      {"123456\xe2\x82\xac", "cut'123456'"},
      {"1234567\xf0\x9f\x98\x80", "cut'1234567'"},
      {"12345\xf0\x9f\x98\x80", "cut'12345'"},
      {"1234\xf0\x9f\x98\x80.", "cut'1234\xf0\x9f\x98\x80'"},
      {"1234567\xff\xff", "cut'1234567\xEF\xBF\xBD'"},
  }));
  Wire line{DialectSetting::kLine, with_max(8)};
  CHECK(line.in(std::string{row.in} + "\n") == row.message);
  Wire original{DialectSetting::kOriginal, with_max(8)};
  CHECK(original.in(row.in) == row.message);
}

namespace {

/// As messages() shows them.
std::string shown(const std::vector<chatd::test::Line>& lines) {
  std::string all;
  for (const auto& line : lines) {
    if (!all.empty()) all += ' ';
    all += (line.cut ? "cut'" : "'") + line.text + "'";
  }
  return all;
}

/// Bytes that matter to the framer are frequent.
std::string random_bytes(std::mt19937& random, std::string_view alphabet) {
  std::string bytes;
  for (auto size = random() % 60; size > 0; --size) {
    bytes += alphabet[random() % alphabet.size()];
  }
  return bytes;
}

std::vector<std::string_view> random_pieces(std::mt19937& random, std::string_view bytes) {
  std::vector<std::string_view> pieces;
  while (!bytes.empty()) {
    const auto size = 1 + random() % std::min<std::size_t>(bytes.size(), 7);
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return pieces;
}

}  // namespace

TEST_CASE("framer: lines are what the definition says, for random bytes", "[core][framer]") {
  std::mt19937 random{1};
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = random_bytes(random, "ab\r\n\0\b\x7F\xEF\xBB\xBF"sv);
    INFO("round " << round << ", bytes '" << bytes << "'");
    for (const auto setting : {DialectSetting::kLine, DialectSetting::kTelnet}) {
      REQUIRE(messages(setting, with_max(5), random_pieces(random, bytes)) ==
              shown(lines_of(bytes, setting == DialectSetting::kTelnet, 5)) + " replies ");
    }
  }
}

TEST_CASE("framer: telnet reads the same however random bytes are cut", "[core][framer]") {
  std::mt19937 random{2};
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes =
        random_bytes(random, "ab\r\n\0\xff\xff\xff\xfd\xfb\xfc\xfa\xfa\xf0\xf0\xf1\x01"sv);
    INFO("round " << round);
    REQUIRE(messages(DialectSetting::kTelnet, with_max(5), random_pieces(random, bytes)) ==
            messages(DialectSetting::kTelnet, with_max(5), {bytes}));
  }
}

TEST_CASE("framer: an original message of up to 1024 bytes is taken without delay",
          "[core][framer]") {
  Wire wire{DialectSetting::kOriginal};
  const auto full = repeated(1024, "x");
  CHECK(wire.in("a") == "'a'");
  CHECK(wire.in(full) == "'" + full + "'");
  CHECK(wire.in(full) == "'" + full + "'");
  CHECK_FALSE(wire.waits());
}

TEST_CASE("framer: a longer original message is put together until it is quiet", "[core][framer]") {
  Wire wire{DialectSetting::kOriginal};
  const auto longer = repeated(1025, "x");
  CHECK(wire.in(longer).empty());
  CHECK(wire.at(49).empty());
  SECTION("it was all") {
    CHECK(wire.at(50) == "'" + longer + "'");
  }
  SECTION("there was more") {
    CHECK(wire.in("and more").empty());
    CHECK(wire.at(98).empty());
    CHECK(wire.in(longer).empty());
    CHECK(wire.at(147).empty());
    CHECK(wire.at(148) == "'" + longer + "and more" + longer + "'");
  }
  SECTION("the end of file ends it") {
    CHECK(wire.finish() == "'" + longer + "'");
  }
  CHECK(wire.in("short") == (wire.waits() ? "" : "'short'"));
}

TEST_CASE("framer: a character that arrives in pieces is waited for", "[core][framer]") {
  Wire wire{DialectSetting::kOriginal};
  SECTION("and is whole with its last byte") {
    CHECK(wire.in("price: \xe2").empty());
    CHECK(wire.at(500).empty());
    CHECK(wire.in("\x82").empty());
    CHECK(wire.at(1400).empty());
    CHECK(wire.in("\xac") == "'price: \xe2\x82\xac'");
    CHECK_FALSE(wire.waits());
  }
  SECTION("for one second from its last byte") {
    CHECK(wire.in("price: \xe2").empty());
    CHECK(wire.at(500).empty());
    CHECK(wire.in("\x82").empty());
    CHECK(wire.at(1499).empty());
    CHECK(wire.at(1500) == "'price: " + kReplacement + "'");
  }
  SECTION("not for what can never be one") {
    CHECK(wire.in("\xe2\x28") == "'" + kReplacement + "('");
    CHECK(wire.in("\x82\xac") == "'" + kReplacement + kReplacement + "'");
    CHECK(wire.in("\xff") == "'" + kReplacement + "'");
  }
  SECTION("also by an undecided client") {
    Wire undecided;
    CHECK(undecided.in("\xf0\x9f").empty());
    CHECK(undecided.at(999).empty());
    CHECK(undecided.in("\x98\x80").empty());
    CHECK(undecided.at(1049) == "'\xf0\x9f\x98\x80'");
  }
  SECTION("also at the end of a long message") {
    const auto longer = repeated(1025, "x");
    CHECK(wire.in(longer + "\xc3").empty());
    CHECK(wire.at(999).empty());
    CHECK(wire.in("\xa4").empty());
    CHECK(wire.at(1048).empty());
    CHECK(wire.at(1049) == "'" + longer + "\xc3\xa4'");
  }
  SECTION("but not at the end of the file") {
    CHECK(wire.in("a\xe2\x82").empty());
    CHECK(wire.finish() == "'a" + kReplacement + "'");
  }
  SECTION("even where quiet is never waited for") {
    Wire never{DialectSetting::kOriginal};
    never.settings.settle = Duration{0};
    CHECK(never.in("a\xe2\x82").empty());
    CHECK(never.at(999).empty());
    CHECK(never.at(1000) == "'a" + kReplacement + "'");
  }
  SECTION("a settle that is longer than the wait is not cut short") {
    wire.settings.settle = Duration{3000};
    CHECK(wire.in("a\xe2\x82").empty());
    CHECK(wire.at(2999).empty());
    CHECK(wire.at(3000) == "'a" + kReplacement + "'");
  }
}

TEST_CASE("framer: bytes that are not UTF-8 become one U+FFFD for each part", "[core][framer]") {
  Wire wire{DialectSetting::kLine};
  CHECK(wire.in("\xf0\x9f\x98 \xff \xc0\xaf\n") ==
        "'" + kReplacement + " " + kReplacement + " " + kReplacement + kReplacement + "'");
}

TEST_CASE("framer: a settle of zero never makes a client original", "[core][framer]") {
  Wire wire;
  wire.settings.settle = Duration{0};
  CHECK(wire.in("hello").empty());
  CHECK_FALSE(wire.waits());
  CHECK(wire.at(1'000'000).empty());
  CHECK(wire.dialect() == "undecided");
  SECTION("LF still decides") {
    CHECK(wire.in(" you\n") == "'hello you'");
  }
  SECTION("so does the end of file") {
    CHECK(wire.finish() == "'hello'");
  }
}

TEST_CASE("framer: the end of file completes what was pending", "[core][framer]") {
  struct Row {
    DialectSetting setting;
    std::string_view in;
    std::string_view rest;
    std::string_view dialect;
  };
  const auto row = GENERATE(values<Row>({
      {DialectSetting::kAuto, "", "", "undecided"},
      {DialectSetting::kAuto, "question", "'question'", "original"},
      {DialectSetting::kAuto, "a\nquestion", "'question'", "line"},
      {DialectSetting::kAuto, "a\n", "", "line"},
      {DialectSetting::kAuto, "\xff\xf1", "", "telnet"},
      {DialectSetting::kAuto, "\xff\xf1question", "'question'", "telnet"},
      {DialectSetting::kOriginal, "a\xc3", "'a\xEF\xBF\xBD'", "original"},
      {DialectSetting::kAuto, "a\r", "'a'", "line"},
      {DialectSetting::kAuto, "a\xff", "'a\xEF\xBF\xBD'", "original"},
      {DialectSetting::kLine, "a\r", "'a'", "line"},
      {DialectSetting::kTelnet, "a\xff", "'a\xEF\xBF\xBD'", "telnet"},
      {DialectSetting::kTelnet, "\xff\xfa\x18 never ended", "", "telnet"},
  }));
  Wire wire{row.setting};
  wire.in(row.in);
  CHECK(wire.finish() == row.rest);
  CHECK(wire.dialect() == row.dialect);
  CHECK(wire.finish().empty());
}

TEST_CASE("framer: the rest of a cut line is not a message at the end of file", "[core][framer]") {
  Wire wire{DialectSetting::kLine, with_max(8)};
  CHECK(wire.in("123456789") == "cut'12345678'");
  CHECK(wire.in("abc").empty());
  CHECK(wire.finish().empty());
}

TEST_CASE("framer: what is read at once costs no more than in pieces, whatever it is",
          "[core][framer]") {
  const auto row =
      GENERATE(values<std::string_view>({"x", "\r", "a\r", "\b", "a\b", "\0"sv, "a\0"sv, "\xff",
                                         "\xff\xf1", "\xff\xfa\xff\xf0", "\n"}));
  const auto setting = GENERATE(values({DialectSetting::kAuto, DialectSetting::kTelnet}));
  INFO("bytes '" << row << "'");
  const std::size_t total = chatd::test::under_valgrind() ? 65'536 : 500'000;
  const auto cost = [&](std::size_t size) {
    const auto read = repeated(size / row.size(), row);
    Framer framer{setting};
    Reading reading;
    const auto before = std::clock();
    for (std::size_t bytes = 0; bytes < total; bytes += read.size()) {
      std::string_view input = read;
      while (!input.empty()) (void)framer.next(input, Time{}, Settings{}, reading);
      reading.reply.clear();
    }
    return std::max(static_cast<double>(std::clock() - before), 1000.0);  // 1 ms can be measured
  };
  // In turns, and more than once if need be: a machine that is busy is so for a moment, and
  // what costs the square of its size does so always.
  double at_once = HUGE_VAL;
  double in_pieces = HUGE_VAL;
  for (int i = 0; i < 3 || (at_once >= 4 * in_pieces && i < 20); ++i) {
    at_once = std::min(at_once, cost(65'536));
    in_pieces = std::min(in_pieces, cost(4096));
  }
  CHECK(at_once < 4 * in_pieces);
}

TEST_CASE("framer: memory does not grow with a message that never ends", "[core][framer]") {
  struct Row {
    DialectSetting setting;
    std::string_view first;
    std::string_view endless;
  };
  const auto row = GENERATE(values<Row>({
      {DialectSetting::kAuto, "", "x"},
      {DialectSetting::kOriginal, "", "x"},
      {DialectSetting::kLine, "", "x"},
      {DialectSetting::kLine, "", "\r"},
      {DialectSetting::kAuto, "a\n", "\xff"},
      {DialectSetting::kTelnet, "", "x"},
      {DialectSetting::kTelnet, "", "\xff\xf1"},
      {DialectSetting::kTelnet, "\xff\xfa", "x"},
      {DialectSetting::kTelnet, "\xff\xfa", "\xff"},
  }));
  const auto read = repeated(std::size_t{64} * 1024 / row.endless.size(), row.endless);
  // Bytes that may mean something are looked at one by one.
  const bool slow = row.setting == DialectSetting::kTelnet || row.endless != "x";
  const std::size_t endless = slow ? 5'000'000 : 100'000'000;
  const Settings settings;
  Framer framer{row.setting};
  Reading reading;
  std::string_view input = row.first;
  while (!input.empty()) (void)framer.next(input, Time{}, settings, reading);
  const auto before = chatd::test::allocated_bytes();
  std::size_t most = before;
  for (std::size_t bytes = 0; bytes < endless; bytes += read.size()) {
    input = read;
    while (!input.empty()) (void)framer.next(input, Time{}, settings, reading);
    most = std::max(most, chatd::test::allocated_bytes());
  }
  // The message, the one given out, and the same repaired, three times as long;
  // and each may have room for as much again.
  CHECK(most - before < 10 * settings.max_message);
}
