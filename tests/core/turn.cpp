// turn by example, and against a client that behaves as the original program does:
// whatever it is told, and however late, no read of it may end inside a character.
#include "core/turn.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "support/catch.hpp"

namespace {

using chatd::Duration;
using chatd::is_utf8;
using chatd::kNever;
using chatd::Payload;
using chatd::Time;
using chatd::core::MessageNumber;
using chatd::core::Turn;

Time at(int ms) {
  return Time{} + Duration{ms};
}

/// What goes out, the numbers of the messages that are out as a whole, and "bye":
/// "'a\nb' #1 #2 bye".
std::string let_out(Turn& turn, int ms) {
  Turn::LetOut out;
  turn.let_out(at(ms), out);
  std::string all;
  if (!out.bytes.empty()) all = "'" + out.bytes + "'";
  for (const auto number : out.delivered) all += " #" + std::to_string(number);
  if (out.bye) all += " bye";
  return all;
}

void hold(Turn& turn, std::string_view text, MessageNumber number, Time due = kNever) {
  turn.hold(Payload{text}, number, due);
}

std::string let_out_all(Turn& turn) {
  std::vector<MessageNumber> numbers;
  std::string all;
  turn.let_out_all(numbers,
                   [&all](const Payload& text) { all += "'" + std::string{text.view()} + "'"; });
  for (const auto number : numbers) all += " #" + std::to_string(number);
  return all;
}

/// The client speaks. 10 s later, what was sent before has certainly been read.
void heard(Turn& turn, int ms = 0) {
  turn.heard(at(ms), at(ms + 10'000));
}

std::string x(std::size_t times) {
  std::string text;
  text.resize(times, 'x');
  return text;
}

}  // namespace

TEST_CASE("turn: it listens after each message of its own and at no other time", "[core][turn]") {
  Turn turn;
  CHECK_FALSE(turn.fits(1));
  heard(turn);
  CHECK(turn.fits(1));
  CHECK(turn.fits(1024));
  CHECK_FALSE(turn.fits(1025));
  turn.sent(5, at(0));
  CHECK_FALSE(turn.fits(1));
  heard(turn);
  CHECK(turn.fits(1024));
}

TEST_CASE("turn: what is held goes out when it next speaks, joined by LF", "[core][turn]") {
  Turn turn;
  hold(turn, "one", 1);
  hold(turn, "two", 2);
  hold(turn, "three", 3);
  CHECK(turn.held() == 3);
  CHECK(turn.held_bytes() == 11);
  CHECK(let_out(turn, 0).empty());
  heard(turn);
  CHECK(let_out(turn, 0) == "'one\ntwo\nthree' #1 #2 #3");
  CHECK(turn.held() == 0);
  CHECK(turn.held_bytes() == 0);
  CHECK(turn.unread_bytes() == 13);
  CHECK(let_out(turn, 0).empty());
}

TEST_CASE("turn: nothing overtakes what is held", "[core][turn]") {
  Turn turn;
  heard(turn);
  hold(turn, x(1025), 1);
  CHECK_FALSE(turn.fits(1));
  CHECK(let_out(turn, 0) == "'" + x(1024) + "'");
  heard(turn);
  CHECK_FALSE(turn.fits(1));
  hold(turn, "next", 2);
  CHECK(let_out(turn, 0) == "'x\nnext' #1 #2");
}

TEST_CASE("turn: at most 1024 bytes go out in one turn, cut between characters", "[core][turn]") {
  struct Row {
    std::string text;
    std::size_t first;
  };
  const auto row = GENERATE(values<Row>({
      {x(1024), 1024},
      {x(1025), 1024},
      {x(1023) + "\xc3\xa4", 1023},
      {x(1022) + "\xe2\x82\xac.", 1022},
      {x(1021) + "\xe2\x82\xac.", 1024},
      {x(1021) + "\xf0\x9f\x98\x80", 1021},
  }));
  Turn turn;
  hold(turn, row.text, 7);
  heard(turn);
  const bool whole = row.first == row.text.size();
  CHECK(let_out(turn, 0) == "'" + row.text.substr(0, row.first) + "'" + (whole ? " #7" : ""));
  CHECK(turn.held() == (whole ? 0 : 1));
  CHECK(turn.held_bytes() == row.text.size() - row.first);
  heard(turn);
  CHECK(let_out(turn, 0) == (whole ? "" : "'" + row.text.substr(row.first) + "' #7"));
}

TEST_CASE("turn: a message that fits only in part behind another begins in that turn",
          "[core][turn]") {
  Turn turn;
  hold(turn, x(1020), 1);
  hold(turn, "abcdef", 2);
  heard(turn);
  CHECK(let_out(turn, 0) == "'" + x(1020) + "\nabc' #1");
  heard(turn);
  CHECK(let_out(turn, 0) == "'def' #2");
}

TEST_CASE("turn: no LF goes out without something behind it", "[core][turn]") {
  Turn turn;
  hold(turn, x(1022), 1);
  hold(turn, "\xc3\xa4", 2);
  heard(turn);
  CHECK(let_out(turn, 0) == "'" + x(1022) + "' #1");
  heard(turn);
  CHECK(let_out(turn, 0) == "'\xc3\xa4' #2");
  hold(turn, x(1024), 3);
  hold(turn, "b", 4);
  heard(turn);
  CHECK(let_out(turn, 0) == "'" + x(1024) + "' #3");
}

TEST_CASE("turn: a held message goes out unasked when it is due", "[core][turn]") {
  Turn turn;
  heard(turn);
  turn.sent(1000, at(0));
  hold(turn, "one", 1, at(10'000));
  hold(turn, "two", 2, at(10'500));
  CHECK(turn.deadline() == at(10'000));
  CHECK(let_out(turn, 9'999).empty());
  CHECK(let_out(turn, 10'000) == "'one' #1");
  CHECK(turn.deadline() == at(10'500));
  hold(turn, x(50), 3, at(11'000));
  CHECK(let_out(turn, 10'500) == "'two' #2");
  // As far as all that it has not answered stays within 1024 bytes.
  CHECK(turn.unread_bytes() == 1006);
  CHECK(turn.deadline() == at(11'000));
  CHECK(let_out(turn, 11'000) == "'" + x(18) + "'");
  CHECK(turn.deadline() == kNever);
  CHECK(let_out(turn, 20'000).empty());
}

TEST_CASE("turn: what is due together goes out together", "[core][turn]") {
  Turn turn;
  hold(turn, "one", 1, at(10));
  hold(turn, "two", 2, at(20));
  hold(turn, "three", 3, at(30));
  CHECK(let_out(turn, 20) == "'one\ntwo' #1 #2");
}

TEST_CASE("turn: a character that does not fit waits for room", "[core][turn]") {
  Turn turn;
  heard(turn);
  turn.sent(1023, at(0));
  hold(turn, "\xc3\xa4", 1, at(10));
  CHECK(turn.deadline() == kNever);
  CHECK(let_out(turn, 10).empty());
  heard(turn);
  CHECK(let_out(turn, 10) == "'\xc3\xa4' #1");
}

TEST_CASE("turn: an answer may have been typed before the last chunk was read", "[core][turn]") {
  Turn turn;
  heard(turn);
  turn.sent(600, at(0));
  hold(turn, x(400), 1, at(10'000));
  CHECK(let_out(turn, 10'000) == "'" + x(400) + "' #1");
  heard(turn);  // answers the 600; the 400 may lie unread
  CHECK(turn.unread_bytes() == 400);
  CHECK_FALSE(turn.fits(625));
  CHECK(turn.fits(624));
  turn.sent(624, at(0));
  heard(turn);
  CHECK(turn.unread_bytes() == 624);
  heard(turn);
  CHECK(turn.unread_bytes() == 0);
}

TEST_CASE("turn: its first words answer nothing", "[core][turn]") {
  // They may have been on their way while something went out unasked.
  Turn turn;
  hold(turn, x(1000), 1, at(10'000));
  CHECK(let_out(turn, 10'000) == "'" + x(1000) + "' #1");
  heard(turn);
  CHECK(turn.unread_bytes() == 1000);
  CHECK(turn.fits(24));
  CHECK_FALSE(turn.fits(25));
  heard(turn);
  CHECK(turn.unread_bytes() == 0);
}

TEST_CASE("turn: having spoken it reads at once, so some time later nothing old is unread",
          "[core][turn]") {
  // Somebody answered with Enter on an empty line, and so heard the second chunk.
  Turn turn;
  heard(turn);
  turn.sent(1, at(0));
  hold(turn, x(1021), 1, at(10'000));
  CHECK(let_out(turn, 10'000) == "'" + x(1021) + "' #1");
  heard(turn, 20'000);
  CHECK(turn.unread_bytes() == 1021);
  hold(turn, "\xf0\x9f\x98\x80", 2, at(30'500));
  CHECK(let_out(turn, 20'500).empty());
  CHECK(turn.deadline() == at(30'000));
  SECTION("and what is held goes out") {
    CHECK(let_out(turn, 29'999).empty());
    CHECK(let_out(turn, 30'000) == "'\xf0\x9f\x98\x80' #2");
    CHECK(turn.unread_bytes() == 4);
    // That read may have been the one to which the next message is the answer.
    heard(turn, 40'000);
    CHECK(turn.unread_bytes() == 4);
    heard(turn, 41'000);
    CHECK(turn.unread_bytes() == 0);
  }
  SECTION("its next message tells as much") {
    heard(turn, 25'000);
    CHECK(turn.unread_bytes() == 0);
    CHECK(let_out(turn, 25'000) == "'\xf0\x9f\x98\x80' #2");
    CHECK(turn.deadline() == kNever);
  }
  SECTION("where that is never known, it waits for the next message") {
    Turn never;
    never.heard(at(0), kNever);
    never.sent(1, at(0));
    hold(never, x(1023), 1, at(10'000));
    CHECK(let_out(never, 10'000) == "'" + x(1023) + "' #1");
    never.heard(at(20'000), kNever);
    never.hold_bye(at(30'000));
    CHECK(never.deadline() == kNever);
    CHECK(let_out(never, 30'000).empty());
    never.heard(at(40'000), kNever);
    CHECK(let_out(never, 40'000) == "'bye' bye");
  }
}

TEST_CASE("turn: a message long after the last one tells that all before that is read",
          "[core][turn]") {
  Turn turn;
  heard(turn);
  for (int i = 0; i < 4; ++i) {
    hold(turn, x(100), 1, at(i));
    CHECK(let_out(turn, i) == "'" + x(100) + "' #1");
  }
  heard(turn, 5000);
  CHECK(turn.unread_bytes() == 300);
  turn.sent(50, at(5000));
  SECTION("but not what was sent since") {
    heard(turn, 15'000);
    CHECK(turn.unread_bytes() == 50);
  }
  SECTION("and a message soon after it only takes one more") {
    heard(turn, 14'999);
    CHECK(turn.unread_bytes() == 250);
  }
}

TEST_CASE("turn: what may have been under way when it spoke is not taken for read",
          "[core][turn]") {
  Turn turn;
  heard(turn);
  turn.sent(300, at(0));
  hold(turn, x(400), 1, at(10'000));
  CHECK(let_out(turn, 10'000) == "'" + x(400) + "' #1");
  hold(turn, x(200), 2, at(12'000));
  CHECK(let_out(turn, 12'000) == "'" + x(200) + "' #2");
  heard(turn, 12'999);
  hold(turn, x(1024), 3);
  CHECK(let_out(turn, 12'999) == "'" + x(424) + "'");
  CHECK(let_out(turn, 22'999).empty());
  CHECK(turn.unread_bytes() == 624);
}

TEST_CASE("turn: what was sent after its last message is never taken for read", "[core][turn]") {
  Turn turn;
  heard(turn);
  turn.sent(600, at(0));
  hold(turn, x(400), 1, at(10'000));
  CHECK(let_out(turn, 10'000) == "'" + x(400) + "' #1");
  heard(turn, 11'500);
  turn.sent(620, at(11'500));
  hold(turn, "next", 2, at(21'600));
  CHECK(turn.deadline() == at(21'600));
  CHECK(let_out(turn, 21'600) == "'next' #2");
  CHECK(turn.unread_bytes() == 624);
}

TEST_CASE("turn: a bye goes out behind all that is held, and never in pieces", "[core][turn]") {
  Turn turn;
  hold(turn, x(1020), 1);
  turn.hold_bye(kNever);
  CHECK(turn.held() == 1);
  heard(turn);
  SECTION("where it fits, with the rest") {
    CHECK(let_out(turn, 0) == "'" + x(1020) + "\nbye' #1 bye");
    CHECK(turn.held_bytes() == 0);
  }
  SECTION("else in a turn of its own") {
    Turn fuller;
    hold(fuller, x(1021), 1);
    fuller.hold_bye(at(10));
    heard(fuller);
    CHECK(let_out(fuller, 0) == "'" + x(1021) + "' #1");
    CHECK(fuller.held() == 0);
    CHECK(fuller.deadline() == at(10));  // the three bytes themselves fit
    CHECK(let_out(fuller, 9).empty());
    CHECK(let_out(fuller, 10) == "'bye' bye");
  }
  SECTION("or when there is room for all of it") {
    Turn full;
    heard(full);
    full.sent(1022, at(0));
    full.hold_bye(at(10));
    CHECK(full.deadline() == kNever);
    CHECK(let_out(full, 10).empty());
    heard(full);
    CHECK(let_out(full, 10) == "'bye' bye");
  }
}

TEST_CASE("turn: a client that takes no turns gets all that is held", "[core][turn]") {
  Turn turn;
  heard(turn);
  hold(turn, x(1026), 1);
  hold(turn, "two", 2);
  CHECK(let_out(turn, 0) == "'" + x(1024) + "'");
  turn.hold_bye(kNever);
  CHECK(let_out_all(turn) == "'xx''two' #1 #2");
  CHECK(turn.held() == 0);
  CHECK(turn.held_bytes() == 0);
}

namespace {

/// The original program, its user, and the network between, which takes its time:
/// up to a second for a message. A user needs longer than that to type.
class Original {
 public:
  explicit Original(std::mt19937& random)
      : random_{random}, haste_{1 + random() % 4}, delay_{1 + random() % 6} {
    say(0);
  }

  /// From the daemon, as one write.
  void write(std::string bytes, int now) { to_client_.push_back({now, std::move(bytes)}); }

  /// Something happens, if anything can.
  void step(int now) {
    while (!to_client_.empty() && arrives(to_client_.front().sent, now)) {
      socket_ += to_client_.front().bytes;
      to_client_.pop_front();
    }
    if (blocked_ && !socket_.empty()) {
      const auto read = socket_.substr(0, 1024);
      socket_.erase(0, read.size());
      REQUIRE(is_utf8(read));  // decode() raises UnicodeDecodeError
      printed += read;
      prompted_ = now;
      blocked_ = false;
    } else if (!blocked_ && now >= prompted_ + 1100 && one_in(haste_)) {
      if (one_in(12)) {
        blocked_ = true;  // Enter on an empty line sends nothing
        said_nothing_ = true;
      } else {
        say(now);
      }
    }
  }

  /// True if the daemon reads something: perhaps several messages as one.
  bool said(int now) {
    if (to_daemon_.empty() || !arrives(to_daemon_.front(), now)) return false;
    to_daemon_.pop_front();
    if (one_in(4)) to_daemon_.clear();
    return true;
  }

  /// Nothing happens until somebody types.
  [[nodiscard]] bool quiet() const {
    return to_client_.empty() && to_daemon_.empty() && (!blocked_ || socket_.empty());
  }
  [[nodiscard]] bool waits() const { return blocked_ && quiet(); }
  /// Its user pressed Enter on an empty line since it last said something.
  [[nodiscard]] bool said_nothing() const { return said_nothing_; }

  std::string printed;

 private:
  struct Sent {
    int sent;
    std::string bytes;
  };

  void say(int now) {
    to_daemon_.push_back(now);
    blocked_ = true;
    said_nothing_ = false;
  }
  bool arrives(int sent, int now) { return now >= sent + 800 || one_in(delay_); }
  bool one_in(std::uint_fast32_t times) { return random_() % times == 0; }

  std::mt19937& random_;
  std::uint_fast32_t haste_;
  std::uint_fast32_t delay_;
  std::deque<Sent> to_client_;
  std::deque<int> to_daemon_;
  std::string socket_;
  int prompted_ = 0;
  bool blocked_ = true;
  bool said_nothing_ = false;
};

/// A text of characters of all sizes.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kCharacters = {"a", "\xc3\xa4", "\xe2\x82\xac",
                                                       "\xf0\x9f\x98\x80"};
  const auto most = random() % 8 == 0 ? 5000U : random() % 2 == 0 ? 1030U : 20U;
  const auto size = 1 + random() % most;
  const auto* only = random() % 2 == 0 ? &kCharacters[random() % 4] : nullptr;
  std::string text;
  while (text.size() < size) text += only != nullptr ? *only : kCharacters[random() % 4];
  return text;
}

std::string without_lf(std::string text) {
  std::erase(text, '\n');
  return text;
}

}  // namespace

TEST_CASE("turn: the original client never reads a part of a character, whatever happens when",
          "[core][turn]") {
  std::mt19937 random{3};
  std::size_t chunks = 0;
  int stuck = 0;
  for (int conversation = 0; conversation < 400; ++conversation) {
    INFO("conversation " << conversation);
    constexpr int kLong = 10'000;
    Original client{random};
    Turn turn;
    int now = 0;
    std::string written;            // by the operator
    std::string sent_off;           // to the client
    std::vector<std::size_t> ends;  // of each held message, in `written`
    MessageNumber delivered = 0;

    const auto put = [&](const std::string& bytes) {
      ++chunks;
      const auto text = without_lf(bytes);
      REQUIRE(bytes.size() <= 1024);
      REQUIRE(written.compare(sent_off.size(), text.size(), text) == 0);
      sent_off += text;
      client.write(bytes, now);
    };
    const auto let_go = [&] {
      Turn::LetOut out;
      turn.let_out(at(now), out);
      if (!out.bytes.empty()) put(out.bytes);
      for (const auto number : out.delivered) {
        REQUIRE(number == ++delivered);
        REQUIRE(sent_off.size() >= ends[number - 1]);
      }
      if (delivered < ends.size()) REQUIRE(sent_off.size() < ends[delivered]);
      REQUIRE(turn.held() == ends.size() - delivered);
      REQUIRE(turn.held_bytes() == written.size() - sent_off.size());
      REQUIRE(turn.unread_bytes() <= 1024);
    };

    const auto happen = [&] {
      now += 200;
      client.step(now);
      if (client.said(now)) {
        turn.heard(at(now), at(now + kLong));
        let_go();
      }
      if (client.quiet() && random() % 16 == 0) now += kLong;
      for (int i = 0; turn.deadline() <= at(now); ++i) {
        REQUIRE(i < 3);  // an LF may not have fitted before what was due next
        let_go();
      }
    };

    const auto talkative = 2 + random() % 60;
    for (int i = 0; i < 2000; ++i) {
      if (random() % talkative == 0 && turn.held_bytes() < 20'000) {
        const auto text = random_text(random);
        written += text;
        if (turn.fits(text.size())) {
          turn.sent(text.size(), at(now));
          put(text);
        } else {
          ends.push_back(written.size());
          turn.hold(Payload{text}, ends.size(), at(now + kLong));
          let_go();
        }
      }
      happen();
    }
    // While it answers, all goes out in the end.
    for (int i = 0; turn.held() > 0 && i < 100'000; ++i) {
      happen();
      if (client.waits() && turn.deadline() == kNever) break;
    }
    if (turn.held() > 0) {
      // A full turn, and then Enter on an empty line: nobody can know that it listens.
      ++stuck;
      REQUIRE(client.waits());
      REQUIRE(client.said_nothing());
      REQUIRE(turn.unread_bytes() > 1020);
    }
    const auto printed = without_lf(client.printed);
    REQUIRE(printed == sent_off.substr(0, printed.size()));
    std::string rest;
    std::vector<MessageNumber> numbers;
    turn.let_out_all(numbers, [&rest](const Payload& text) { rest += text.view(); });
    REQUIRE(sent_off + rest == written);
    REQUIRE(numbers.size() == ends.size() - delivered);
  }
  CHECK(chunks > 10'000);
  CHECK(stuck < 300);
}
