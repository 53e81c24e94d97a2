// Keys pass one by one, pastes in one piece.
#include "console/paste.hpp"
#include "support/catch.hpp"

namespace chatd::console {

namespace {

std::string taken(PasteGate& gate) {
  std::string out;
  while (gate.ready()) out += static_cast<char>(gate.take());
  return out;
}

}  // namespace

TEST_CASE("paste: keys pass as they come", "[console][paste]") {
  PasteGate gate;
  CHECK_FALSE(gate.ready());
  CHECK(gate.take() == -1);
  for (const char* keys : {"a", "\x1b", "\x1b[A", "\x1b[200", "\x1b[201~", "\x04", "\x1b\x1b[3~"}) {
    PasteGate fresh;
    fresh.push(keys);
    CHECK(taken(fresh) == keys);
  }
}

TEST_CASE("paste: its text waits for its end, cut anywhere", "[console][paste]") {
  const std::string all = "ab\x1b[200~one\rtwo \x1b[A\xc3\xa9\x1b[201~\rcd";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    PasteGate gate;
    gate.push(all.substr(0, cut));
    const std::string before = taken(gate);
    INFO(cut);
    const std::size_t mark = 7;    // all of the opening mark but its last byte
    const std::size_t close = 27;  // the end of the closing mark
    if (cut > mark && cut < close) CHECK(before == all.substr(0, mark));
    gate.push(all.substr(cut));
    CHECK(before + taken(gate) == all);
    CHECK(gate.take() == -1);
  }
}

TEST_CASE("paste: byte by byte, and two in a row", "[console][paste]") {
  const std::string all = "\x1b[200~x\x1b[201~\x1b[200~y\x1b[201~z";
  PasteGate gate;
  std::string out;
  for (const char byte : all) {
    gate.push({&byte, 1});
    out += taken(gate);
  }
  CHECK(out == all);
}

TEST_CASE("paste: half a character waits, half of nothing does not", "[console][paste]") {
  PasteGate gate;
  gate.push("a\xe4\xbd");
  CHECK(taken(gate) == "a");
  gate.push("\xa0");
  CHECK(taken(gate) == "\xe4\xbd\xa0");
  gate.push("\xc3");
  CHECK(taken(gate).empty());
  gate.push("a");
  CHECK(taken(gate) ==
        "\xc3"
        "a");
}

TEST_CASE("paste: one that never ends is given up, and keys pass again", "[console][paste]") {
  PasteGate gate;
  gate.push("\x1b[200~");
  CHECK(taken(gate) == "\x1b[200");
  for (int i = 0; i < 3; ++i) gate.push(std::string(PasteGate::kMaxPaste / 2, 'x'));
  CHECK(taken(gate).size() < PasteGate::kMaxPaste);
  gate.push("a");
  CHECK(taken(gate).ends_with("a"));
}

}  // namespace chatd::console
