// What terminals send, as a table of bytes on a clock that the test holds, and the keys of it.
#include "console/keys.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace chatd::console {

namespace {

using Kind = Key::Kind;
using Keys = std::vector<Key>;

constexpr Time kStart{Duration{1000}};

std::string shown(const Keys& keys) {
  constexpr const char* kNames[] = {"text",   "control", "alt",       "sequence",
                                    "escape", "paste",   "long paste"};
  std::string out;
  for (const Key& key : keys) {
    out += kNames[static_cast<int>(key.kind)];
    out += "(";
    for (const char c : key.bytes) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= ' ' && byte != 0x7f) {
        out += c;
      } else {
        out += "^" + std::string(1, static_cast<char>(byte ^ 0x40U));
      }
    }
    out += ") ";
  }
  return out;
}

Keys all(KeyDecoder& decoder) {
  Keys keys;
  while (decoder.has_keys()) {
    Key key = decoder.take();
    // Runs of text are as long as they happen to be.
    if (key.kind == Kind::kText && !keys.empty() && keys.back().kind == Kind::kText) {
      keys.back().bytes += key.bytes;
    } else {
      keys.push_back(std::move(key));
    }
  }
  CHECK(decoder.waiting() == 0);
  return keys;
}

/// All in one read, and then time enough for whatever is not whole.
Keys typed(std::string_view bytes) {
  KeyDecoder decoder;
  decoder.push(bytes, kStart);
  decoder.lapse(kStart + Duration{5000});
  return all(decoder);
}

Keys text(std::string_view bytes) {
  return {{Kind::kText, std::string{bytes}}};
}

Keys sequence(std::string_view bytes) {
  return {{Kind::kSequence, std::string{bytes}}};
}

}  // namespace

TEST_CASE("keys: text comes as whole characters, and no others", "[console][keys]") {
  CHECK(typed("hello, you") == text("hello, you"));
  CHECK(typed("grüß 你好 🦊") == text("grüß 你好 🦊"));
  CHECK(typed("a\x85"
              "b\xff"
              "c\xc3"
              "d\xe4\xbd") == text("abcd"));         // bytes that are no UTF-8
  CHECK(typed("a\xc2\x84\xc2\x85z") == text("az"));  // C1 in UTF-8
  KeyDecoder decoder;
  decoder.push("\xe4\xbd", kStart);
  CHECK_FALSE(decoder.has_keys());
  CHECK(decoder.deadline() == kNever);
  decoder.push("\xa0", kStart + Duration{9000});
  CHECK(all(decoder) == text("\xe4\xbd\xa0"));
}

TEST_CASE("keys: Esc lapses, and what is typed after it is text", "[console][keys]") {
  KeyDecoder decoder;
  decoder.push("\x1b", kStart);
  CHECK_FALSE(decoder.has_keys());
  CHECK(decoder.deadline() == kStart + KeyDecoder::kPatience);
  decoder.lapse(kStart + Duration{99});
  CHECK_FALSE(decoder.has_keys());
  decoder.lapse(kStart + KeyDecoder::kPatience);
  CHECK(all(decoder) == Keys{{Kind::kEscape, ""}});
  decoder.push("all right", kStart + Duration{300});
  CHECK(all(decoder) == text("all right"));

  // Also where nobody has looked at the clock meanwhile.
  KeyDecoder late;
  late.push("\x1b", kStart);
  late.push("all right", kStart + Duration{300});
  CHECK(all(late) == Keys{{Kind::kEscape, ""}, {Kind::kText, "all right"}});
}

TEST_CASE("keys: Esc and a character at once are Alt", "[console][keys]") {
  CHECK(typed("\x1b"
              "a") == Keys{{Kind::kAlt, "a"}});
  CHECK(typed("\x1b\xc3\xa4x") == Keys{{Kind::kAlt, "ä"}, {Kind::kText, "x"}});
  CHECK(typed("\x1b\r") == Keys{{Kind::kAlt, "\r"}});
  CHECK(typed("\x1b\x7f") == Keys{{Kind::kAlt, "\x7f"}});
  KeyDecoder decoder;
  decoder.push("\x1b", kStart);
  decoder.push("1", kStart + Duration{99});
  CHECK(all(decoder) == Keys{{Kind::kAlt, "1"}});
  // Those that begin sequences are known by the pause after them.
  for (const char c : std::string_view{"[O]PX^_"}) {
    CHECK(typed(std::string{"\x1b"} + c) == Keys{{Kind::kAlt, std::string(1, c)}});
  }
}

TEST_CASE("keys: Esc twice does no harm", "[console][keys]") {
  CHECK(typed("\x1b\x1b") == Keys{{Kind::kEscape, ""}});
  CHECK(typed("\x1b\x1b\x1b") == Keys{{Kind::kEscape, ""}});
  CHECK(typed("\x1b\x1b[A") == sequence("\x1b\x1b[A"));
  CHECK(typed("\x1b\x1bOA") == sequence("\x1b\x1bOA"));
  CHECK(typed("\x1b\x1b"
              "a") == Keys{{Kind::kEscape, ""}});
}

TEST_CASE("keys: sequences come whole, whichever terminal sends them", "[console][keys]") {
  for (const std::string_view each :
       {"\x1b[A",        "\x1bOA",         "\x1b[1;5C",       "\x1b[3~",       "\x1b[15~",
        "\x1b[24;8~",    "\x1bOP",         "\x1bO5P",         "\x1bO1;2P",     "\x1b[1;2P",
        "\x1b[[A",       "\x1b[[E",        "\x1b[11^",        "\x1b[23$",      "\x1b[23@",
        "\x1b[a",        "\x1bOa",         "\x1b[Z",          "\x1b[I",        "\x1b[O",
        "\x1b[24;80R",   "\x1b[?1;2c",     "\x1b[>41;354;0c", "\x1b[<0;12;7M", "\x1b[<0;12;7m",
        "\x1b[32;12;7M", "\x1b[?2026;2$y", "\x1b[8;24;80t",   "\x1b[?997;1n",  "\x1b[25~",
        "\x1b[34~"}) {
    INFO(shown(sequence(each)));
    CHECK(typed(each) == sequence(each));
    // Cut anywhere, with text on both sides.
    const std::string whole = "x" + std::string{each} + "y";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
      KeyDecoder decoder;
      decoder.push(whole.substr(0, cut), kStart);
      decoder.push(whole.substr(cut), kStart + Duration{50});
      CHECK(all(decoder) ==
            Keys{{Kind::kText, "x"}, {Kind::kSequence, std::string{each}}, {Kind::kText, "y"}});
    }
  }
}

TEST_CASE("keys: controls of 8 bits begin a sequence as those of 7 do", "[console][keys]") {
  for (const std::string csi : {"\x9b", "\xc2\x9b"}) {
    CHECK(typed(csi + "D") == Keys{{Kind::kSequence, "\x1b[D"}});
    CHECK(typed("a" + csi + "15~b") ==
          Keys{{Kind::kText, "a"}, {Kind::kSequence, "\x1b[15~"}, {Kind::kText, "b"}});
    CHECK(typed("a" + csi + "M !!b") == text("ab"));
  }
  CHECK(typed("\x8fP") == Keys{{Kind::kSequence, "\x1bOP"}});
  for (const std::string string : {"\x90", "\x9d", "\x98", "\x9e", "\x9f", "\xc2\x9d"}) {
    CHECK(typed("a" + string + "11;x\x1b\\b") == text("ab"));
  }
}

TEST_CASE("keys: half a sequence is dropped whole", "[console][keys]") {
  for (const std::string_view each :
       {"\x1b[1", "\x1b[1;", "\x1b[[", "\x1bO5", "\x1b]11;rgb:00", "\x1bP1$r", "\x1b[M", "\x1b[Ma",
        "\x1b[Mab", "\x1b[200", "\x1b]0;x\x1b", "\x1b\x1b["}) {
    KeyDecoder decoder;
    decoder.push(each, kStart);
    CHECK(decoder.deadline() == kStart + KeyDecoder::kPatience);
    decoder.lapse(kStart + KeyDecoder::kPatience);
    decoder.push("text", kStart + Duration{200});
    INFO(each);
    CHECK(all(decoder) == text("text"));
  }
  // It took too long, but nobody's text is in it.
  KeyDecoder slow;
  slow.push("\x1b[1;5", kStart);
  slow.push("x", kStart + Duration{100});
  CHECK(all(slow) == text("x"));
}

TEST_CASE("keys: a control character ends a sequence and stays what it is", "[console][keys]") {
  CHECK(typed("\x1b[1\rx") == Keys{{Kind::kControl, "\r"}, {Kind::kText, "x"}});
  CHECK(typed("\x1bO\x03") == Keys{{Kind::kControl, "\x03"}});
  CHECK(typed("\x1b[12\x1b[A") == sequence("\x1b[A"));
  CHECK(typed("\x1b]2;title\x1b[A") == sequence("\x1b[A"));
  CHECK(typed("\x1b[1ä") == text("ä"));
  CHECK(typed(std::string("a\0b", 3)) ==
        Keys{{Kind::kText, "a"}, {Kind::kControl, std::string(1, '\0')}, {Kind::kText, "b"}});
}

TEST_CASE("keys: mice and answers leave nothing behind", "[console][keys]") {
  CHECK(typed("a\x1b[M !!b") == text("ab"));
  CHECK(typed("a\x1b[M\x20\xf0\xf1"
              "b") == text("ab"));
  // Columns beyond 95 (xterm's mode 1005): characters of two bytes.
  CHECK(typed("a\x1b[M \u0101\u00b6b") == text("ab"));
  CHECK(typed("a\x1b[M !\u00b6b") == text("ab"));
  CHECK(typed("a\x1b[M \u0101!b") == text("ab"));
  CHECK(typed("a\x1b]11;rgb:0000/0000/0000\x07"
              "b") == text("ab"));
  CHECK(typed("a\x1b]52;c;SGVsbG8=\x1b\\b") == text("ab"));
  CHECK(typed("a\x1bP>|XTerm(379)\x1b\\b") == text("ab"));
  CHECK(typed("a\x1bP1+r544e=787465726d\x1b\\b") == text("ab"));
  CHECK(typed("a\x1b_Gi=1;OK\x1b\\b") == text("ab"));
  CHECK(typed("a\x1b^private\x1b\\b") == text("ab"));
  CHECK(typed("a\x1bXstart\x1b\\b") == text("ab"));
  CHECK(typed("a\x1b]" + std::string(100'000, 'x') + "\x07" + "b") == text("ab"));
  CHECK(typed("a\x1b[" + std::string(100'000, '1') + "~b") == text("ab"));
}

TEST_CASE("keys: an answer may take its time, if it is none that somebody types",
          "[console][keys]") {
  const auto pause = KeyDecoder::kPatience - Duration{10};
  KeyDecoder decoder;
  Time now = kStart;
  decoder.push("\x1b]52;c;SGV", now);
  for (int i = 0; i < 5; ++i) decoder.push("sbG8sbG8s", now += pause);
  decoder.push("bG8=\x07 and text", now += pause);
  CHECK(all(decoder) == text(" and text"));
  decoder.push("\x1b]", now);
  decoder.push("h", now += pause);
  decoder.push("i", now += pause);
  decoder.lapse(now);
  CHECK(all(decoder) == text("i"));  // what came too late for the sequence
}

TEST_CASE("keys: a key that is told by its number is what it is elsewhere", "[console][keys]") {
  const std::vector<std::pair<std::string_view, Keys>> table{
      {"\x1b[13u", {{Kind::kControl, "\r"}}},
      {"\x1b[13;2u", {{Kind::kAlt, "\r"}}},
      {"\x1b[13;3u", {{Kind::kAlt, "\r"}}},
      {"\x1b[27;5;13~", {{Kind::kAlt, "\r"}}},
      {"\x1b[27u", {{Kind::kEscape, ""}}},
      {"\x1b[27;1;27~", {{Kind::kEscape, ""}}},
      {"\x1b[97u", text("a")},
      {"\x1b[97;65u", text("a")},  // with the lock of capitals, which is not its case
      {"\x1b[97;2u", text("A")},
      {"\x1b[228u", text("ä")},
      {"\x1b[128522u", text("😊")},
      {"\x1b[32;2u", text(" ")},
      {"\x1b[97;3u", {{Kind::kAlt, "a"}}},
      {"\x1b[27;3;97~", {{Kind::kAlt, "a"}}},
      {"\x1b[97;5u", {{Kind::kControl, "\x01"}}},
      {"\x1b[106;5u", {{Kind::kControl, "\n"}}},
      {"\x1b[27;5;99~", {{Kind::kControl, "\x03"}}},
      {"\x1b[127;2u", {{Kind::kControl, "\x7f"}}},
      {"\x1b[127;5u", {{Kind::kAlt, "\x7f"}}},
      {"\x1b[9u", {{Kind::kControl, "\t"}}},
      {"\x1b[9;2u", {}},      // back-tab
      {"\x1b[99;6u", {}},     // Ctrl-Shift-C: to copy
      {"\x1b[97;9u", {}},     // Super
      {"\x1b[97;5:3u", {}},   // let go
      {"\x1b[57376u", {}},    // F13
      {"\x1b[57441;2u", {}},  // Shift itself
      {"\x1b[49;2u", {}},     // Shift-1, whatever that is on this keyboard
      {"\x1b[55296u", {}},    // half a surrogate
      {"\x1b[9999999999u", {}},
      {"\x1b[u", {}},
      {"\x1b[?1u", {}},
      {"\x1b[155u", {}},  // C1
  };
  for (const auto& [bytes, keys] : table) {
    INFO(bytes.substr(1));
    const Keys got = typed(bytes);
    INFO(shown(got));
    CHECK(got == keys);
  }
}

TEST_CASE("keys: a paste is one key, cut anywhere", "[console][keys]") {
  const std::string whole = "ab\x1b[200~one\rtwo \x1b[A\xc3\xa9\r\nx\x1b[201~\rcd";
  const Keys expected{{Kind::kText, "ab"},
                      {Kind::kPaste, "one\ntwo \x1b[A\xc3\xa9\nx"},
                      {Kind::kControl, "\r"},
                      {Kind::kText, "cd"}};
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    KeyDecoder decoder;
    decoder.push(whole.substr(0, cut), kStart);
    decoder.push(whole.substr(cut), kStart + Duration{99});
    CHECK(all(decoder) == expected);
  }
  KeyDecoder slow;
  Time now = kStart;
  for (const char byte : whole) {
    slow.push({&byte, 1}, now);
    now += Duration{10};
  }
  CHECK(all(slow) == expected);
  CHECK(typed(std::string("\x1b[200~a\0b\xc2\x9b\x1b[201~", 17)) == Keys{{Kind::kPaste, "ab"}});
  CHECK(typed("\x1b[200~\x1b[201~x") == text("x"));
  CHECK(typed("\x1b[201~x") == text("x"));
}

TEST_CASE("keys: a paste that breaks off is text, and so is what comes late of it",
          "[console][keys]") {
  KeyDecoder decoder;
  decoder.push("\x1b[200~one\rtwo\x1b[20", kStart);
  CHECK(decoder.deadline() == kStart + KeyDecoder::kPastePatience);
  decoder.lapse(kStart + Duration{999});
  CHECK_FALSE(decoder.has_keys());
  decoder.lapse(kStart + KeyDecoder::kPastePatience);
  CHECK(all(decoder) == Keys{{Kind::kPaste, "one\ntwo"}});

  SECTION("a person types on") {
    decoder.push("x", kStart + Duration{2000});
    decoder.push("y\r", kStart + Duration{2100});
    CHECK(all(decoder) == Keys{{Kind::kText, "xy"}, {Kind::kControl, "\r"}});
  }
  SECTION("Enter") {
    decoder.push("\r", kStart + Duration{2000});
    CHECK(all(decoder) == Keys{{Kind::kControl, "\r"}});
  }
  SECTION("the rest comes late") {
    decoder.push("three\rfour\r", kStart + Duration{2000});
    decoder.push("/quit\r\x1b[201~\r", kStart + Duration{3000});
    CHECK(all(decoder) ==
          Keys{{Kind::kPaste, "three\nfour\n"}, {Kind::kPaste, "/quit\n"}, {Kind::kControl, "\r"}});
  }
}

TEST_CASE("keys: the rest of a broken paste is text however it is cut", "[console][keys]") {
  const auto broken = [](KeyDecoder& decoder, std::string_view begin) {
    decoder.push(std::string{"\x1b[200~"}.append(begin), kStart);
    decoder.lapse(kStart + KeyDecoder::kPastePatience);
    while (decoder.has_keys()) (void)decoder.take();
  };
  const Time late = kStart + Duration{3000};
  SECTION("one byte at first") {
    KeyDecoder decoder;
    broken(decoder, "one");
    decoder.push("x", late);
    decoder.push("y\r/quit\r", late + Duration{1});
    CHECK(all(decoder) == Keys{{Kind::kText, "x"}, {Kind::kPaste, "y\n/quit\n"}});
    decoder.push("z", late + Duration{2000});
    decoder.push("\r", late + Duration{2200});
    CHECK(all(decoder) == Keys{{Kind::kText, "z"}, {Kind::kControl, "\r"}});
  }
  SECTION("byte by byte") {
    KeyDecoder decoder;
    broken(decoder, "one");
    Time now = late;
    for (const char byte : std::string_view{"ab\r/quit\r"})
      decoder.push({&byte, 1}, now += Duration{1});
    const Keys keys = all(decoder);
    CHECK(std::count(keys.begin(), keys.end(), Key{Kind::kControl, "\r"}) == 0);
  }
  SECTION("with the mark that ends it in several reads") {
    const std::string mark = "\x1b[201~";
    for (std::size_t cut = 1; cut < mark.size(); ++cut) {
      INFO(cut);
      KeyDecoder decoder;
      broken(decoder, "one");
      decoder.push("two\r" + mark.substr(0, cut), late);
      decoder.push(mark.substr(cut) + "ok\r", late + Duration{10});
      CHECK(all(decoder) ==
            Keys{{Kind::kPaste, "two\n"}, {Kind::kText, "ok"}, {Kind::kControl, "\r"}});
    }
  }
  SECTION("which began before it broke off") {
    KeyDecoder decoder;
    broken(decoder, "one\x1b[20");
    decoder.push("1~ok\r", late);
    CHECK(all(decoder) == Keys{{Kind::kText, "ok"}, {Kind::kControl, "\r"}});
  }
  SECTION("which goes on with an escape") {
    KeyDecoder decoder;
    broken(decoder, "one");
    decoder.push("\x1b[1mtwo\r/quit\r", late);
    CHECK(all(decoder) == Keys{{Kind::kPaste, "\x1b[1mtwo\n/quit\n"}});
    decoder.push("\x1b\r", late + Duration{1000});
    CHECK(all(decoder) == Keys{{Kind::kAlt, "\r"}});
  }
  SECTION("and then another one") {
    KeyDecoder decoder;
    broken(decoder, "one");
    decoder.push("two\r\x1b[200~three\x1b[201~\r", late);
    CHECK(all(decoder) ==
          Keys{{Kind::kPaste, "two\n"}, {Kind::kPaste, "three"}, {Kind::kControl, "\r"}});
  }
  SECTION("after all was forgotten in the middle of it") {
    KeyDecoder decoder;
    decoder.push("\x1b[200~one\r", kStart);
    decoder.clear();
    decoder.push("/kick 2\r\x1b[201~\r", kStart + Duration{50});
    CHECK(all(decoder) == Keys{{Kind::kPaste, "/kick 2\n"}, {Kind::kControl, "\r"}});
  }
}

TEST_CASE("keys: a paste that is too long is dropped, and keys pass again", "[console][keys]") {
  KeyDecoder decoder;
  decoder.push("\x1b[200~", kStart);
  for (int i = 0; i < 5; ++i) {
    decoder.push(std::string(KeyDecoder::kMaxPaste / 2, 'x'), kStart);
    CHECK_FALSE(decoder.has_keys());
  }
  decoder.push("xx\x1b[201~a", kStart);
  CHECK(all(decoder) == Keys{{Kind::kLongPaste, ""}, {Kind::kText, "a"}});
}

TEST_CASE("keys: what was typed before a key can be dropped", "[console][keys]") {
  KeyDecoder decoder;
  decoder.push(
      "one\rtwo\x03three\x03"
      "four",
      kStart);
  CHECK_FALSE(decoder.skip_to('\x1a'));
  CHECK(decoder.waiting() > 0);
  CHECK(decoder.skip_to('\x03'));
  CHECK(decoder.skip_to('\x03'));
  CHECK_FALSE(decoder.skip_to('\x03'));
  CHECK(all(decoder) == text("four"));
}

}  // namespace chatd::console
