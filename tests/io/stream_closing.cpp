#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "io/recorder.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"
#include "io/unacknowledged.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::Duration;
using chatd::Payload;
using chatd::UniqueFd;
using chatd::io::Loop;
using chatd::io::SavedStream;
using chatd::io::StreamId;
using chatd::io::StreamLimits;
using chatd::io::StreamSet;
using chatd::io::TurnEnd;
using chatd::test::Events;
using chatd::test::is_quiet;
using chatd::test::Peer;
using chatd::test::Recorder;
using chatd::test::run_pending;
using chatd::test::run_until;
using chatd::test::tcp_pair;
using chatd::test::unix_pair;

namespace {

constexpr std::size_t kKi = 1024;
constexpr std::size_t kMi = 1024 * kKi;
/// Longer than any test waits: what ends then did not end by the lapse of time.
constexpr Duration kLong{3'600'000};
constexpr Duration kShort{20};
/// Long enough for a machine that is busy, and shorter than what a SlowReader is made to need.
constexpr Duration kPatience{800};

StreamLimits limits(Duration linger, Duration patience) {
  return {64 * kMi, 32 * kMi, 64 * kMi, linger, patience};
}

/// Bytes without a repeated part.
std::string numbered(std::size_t size) {
  std::string bytes;
  for (int i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ' ';
  bytes.resize(size);
  return bytes;
}

struct Bench {
  explicit Bench(StreamLimits limits = ::limits(kLong, kLong)) : set{loop, heard, limits} {}

  StreamId adopt(UniqueFd socket) {
    auto id = set.adopt(std::move(socket));
    REQUIRE(id);
    return *id;
  }
  void write(StreamId id, std::string_view bytes, std::uint32_t weight = 1) {
    REQUIRE(set.write(id, Payload{bytes, weight}));
  }
  bool until(const std::function<bool()>& done) { return run_until(loop, done); }
  bool until_heard(std::string_view event) {
    return until([&] { return heard.heard(event); });
  }
  /// Nothing tells of an acknowledgement, so it is asked for again and again.
  bool until_clear(StreamId id) {
    std::function<void()> again;
    chatd::io::Timer tick{loop, [&] { again(); }};
    again = [&] { tick.start(Duration{5}); };
    again();
    return until([&] { return set.is_clear(id); });
  }
  SavedStream saved(StreamId id) {
    ByteWriter out;
    set.save(id, out);
    ByteReader in{out.bytes()};
    auto saved = SavedStream::read(in);
    REQUIRE(in.finished());
    return saved;
  }

  Loop loop;
  Recorder heard;
  StreamSet set;
  TurnEnd flush{loop, [this] { set.flush(); }};
};

/// Of what a peer that does not read has been given, over TCP with a buffer of 2 KiB, its
/// kernel acknowledges so much, and then there is no room for another byte.
std::size_t room_of_a_peer() {
  Bench bench;
  auto [ours, theirs] = tcp_pair(2048);
  const int socket = ours.get();
  const std::size_t size = 8 * kKi;
  int room = 4096;
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  const StreamId id = bench.adopt(std::move(ours));
  bench.write(id, std::string(size, 'x'));
  std::size_t before = 0;
  std::size_t acknowledged = 1;
  while (before != acknowledged) {
    bool over = false;
    chatd::io::Timer pause{bench.loop, [&] { over = true; }};
    pause.start(Duration{50});
    REQUIRE(bench.until([&] { return over; }));
    before =
        std::exchange(acknowledged, bench.set.sent_bytes(id) - chatd::io::unacknowledged(socket));
  }
  return acknowledged;
}

/// Takes a little every 50 ms, for as long as it lives.
class SlowReader {
 public:
  SlowReader(Loop& loop, Peer& peer, std::size_t bytes)
      : peer_{peer}, bytes_{bytes}, timer_{loop, [this] { take(); }} {
    timer_.start(kPause);
  }

 private:
  static constexpr Duration kPause{50};

  void take() {
    peer_.take(bytes_);
    timer_.start(kPause);
  }

  Peer& peer_;
  std::size_t bytes_;
  chatd::io::Timer timer_;
};

void set_send_buffer(int socket, int bytes) {
  REQUIRE(::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
}

}  // namespace

TEST_CASE("stream closing: who reads slowly gets every byte, however long that takes",
          "[io][stream]") {
  Bench bench{limits(kShort, kPatience)};
  auto [ours, theirs] = GENERATE(0, 1) == 0 ? tcp_pair(2048) : unix_pair();
  const bool in_the_kernel = GENERATE(false, true);
  set_send_buffer(ours.get(), in_the_kernel ? 128 * 1024 : 2048);
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  const std::string expected = numbered(24 * kKi);
  for (std::size_t at = 0; at < expected.size(); at += kKi) {
    bench.write(id, expected.substr(at, kKi));
    bench.set.flush();  // of a unix socket the kernel tells only which pieces are read whole
  }
  bench.set.close(id);
  bench.set.flush();
  CHECK((bench.set.queued_bytes(id) == 0) == in_the_kernel);
  const SlowReader reader{bench.loop, peer, kKi};
  REQUIRE(bench.until([&] { return peer.ended() || peer.error() != 0; }));
  CHECK(peer.error() == 0);
  CHECK((peer.received() == expected));
  REQUIRE(bench.until_heard("closed"));
  CHECK(bench.heard.events == Events{"clear 0", "closed 0 unsent 0"});
}

TEST_CASE("stream closing: who takes nothing for too long is let go, and what it lost is told",
          "[io][stream]") {
  Bench bench{limits(kLong, Duration{GENERATE(0, 60)})};
  auto [ours, theirs] = tcp_pair(2048);
  const int socket = ours.get();
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));

  SECTION("what was queued, if the kernel does not take it") {
    bench.write(id, "is acknowledged", 4000);
    run_pending(bench.loop);
    bench.write(id, std::string(kMi, 'p'), 20);
    bench.write(id, "not at all", 300);
    bench.set.close(id);
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 320"});
  }
  SECTION("what the kernel took while it was closing") {
    set_send_buffer(socket, 512 * 1024);
    bench.write(id, "is acknowledged", 4000);
    bench.write(id, std::string(64 * kKi, 'p'), 20);
    bench.write(id, "not at all", 300);
    bench.set.close(id);
    bench.set.flush();
    REQUIRE(bench.set.queued_bytes(id) == 0);
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 320"});
  }
  SECTION("at least one payload, if the kernel took it before") {
    set_send_buffer(socket, 512 * 1024);
    bench.write(id, std::string(64 * kKi, 'p'), 20);
    run_pending(bench.loop);
    bench.set.close(id);
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 1"});
  }
  SECTION("that and what came after it") {
    set_send_buffer(socket, 512 * 1024);
    bench.write(id, std::string(64 * kKi, 'p'), 20);
    run_pending(bench.loop);
    bench.write(id, "not at all", 300);
    bench.set.close(id);
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 301"});
  }
}

TEST_CASE("stream closing: a payload that is acknowledged is not lost with a later one",
          "[io][stream]") {
  Bench bench{limits(kLong, Duration{300})};
  auto [ours, theirs] = tcp_pair(2048);
  set_send_buffer(ours.get(), 1024 * 1024);
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  bench.write(id, std::string(64 * kKi, 'p'), 20);
  bench.write(id, std::string(64 * kKi, 'q'), 300);
  bench.set.close(id);
  bench.set.flush();
  SECTION("when patience is over") {
    bench.loop.at_turn_end([&] {
      if (peer.received().size() > 70 * kKi) peer.stop();
    });
    peer.read();
    REQUIRE(bench.until_heard("closed"));
  }
  SECTION("when the peer resets, although nobody has looked since") {
    while (peer.received().size() < 70 * kKi) peer.take(kKi);
    peer.reset();
    REQUIRE(bench.until_heard("closed"));
  }
  SECTION("when it is aborted, although nobody has looked since") {
    while (peer.received().size() < 70 * kKi) peer.take(kKi);
    bench.set.abort(id);
    CHECK(bench.set.unsent(id) == 300);
    REQUIRE(bench.until_heard("closed"));
  }
  CHECK(bench.heard.events == Events{"closed 0 unsent 300"});
}

TEST_CASE("stream closing: a peer that resets after it has acknowledged everything lost nothing",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = tcp_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  bench.write(id, "goodbye");
  bench.set.close(id);
  bench.set.flush();
  peer.take(100);
  REQUIRE(peer.received() == "goodbye");
  peer.reset();
  REQUIRE(bench.until_heard("closed"));
  CHECK(bench.heard.events == Events{"clear 0", "closed 0 unsent 0"});
}

TEST_CASE("stream closing: a unix peer that leaves without having read has lost it",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = unix_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  const bool half_closed = GENERATE(false, true);
  if (half_closed) {
    peer.end();
    REQUIRE(bench.until_heard("end"));
    bench.heard.events.clear();
  }
  bench.write(id, "goodbye", 20);
  bench.set.close(id);
  run_pending(bench.loop);
  CHECK(bench.heard.events.empty());
  CHECK(is_quiet(bench.loop));
  SECTION("and it is noticed") {
    peer.leave();
  }
  SECTION("and the kernel is asked before it is noticed") {
    peer.leave();
    std::this_thread::sleep_for(chatd::io::Farewell::kFirstLook);  // the pace is what is tested
    bench.loop.update_now();
  }
  SECTION("and the stream is aborted before it is noticed") {
    peer.leave();
    bench.set.abort(id);
  }
  REQUIRE(bench.until_heard("closed"));
  CHECK(bench.heard.events == Events{"closed 0 unsent 20"});
}

TEST_CASE("stream closing: a stream is clear when nothing waits for the peer anywhere",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = GENERATE(0, 1) == 0 ? tcp_pair(2048) : unix_pair();
  set_send_buffer(ours.get(), 512 * 1024);
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  CHECK(bench.set.is_clear(id));
  bench.write(id, numbered(32 * kKi));
  CHECK_FALSE(bench.set.is_clear(id));
  run_pending(bench.loop);
  REQUIRE(bench.set.queued_bytes(id) == 0);
  CHECK_FALSE(bench.set.is_clear(id));
  peer.read();
  REQUIRE(bench.until([&] { return peer.received().size() == 32 * kKi; }));
  REQUIRE(bench.until_clear(id));

  SECTION("one that was clear when it was closed is not told to be so") {
    bench.set.close(id);
    REQUIRE(bench.until([&] { return peer.ended(); }));
    peer.end();
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 0"});
  }
}

TEST_CASE("stream closing: that everything is acknowledged is told once, and not inside close",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = GENERATE(0, 1) == 0 ? tcp_pair(2048) : unix_pair();
  set_send_buffer(ours.get(), 512 * 1024);
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  bench.write(id, numbered(32 * kKi));
  const bool taken_before = GENERATE(false, true);
  if (taken_before) run_pending(bench.loop);
  bench.set.close(id);
  run_pending(bench.loop);
  CHECK(bench.heard.events.empty());
  peer.read();

  SECTION("while the peer stays") {
    REQUIRE(bench.until_heard("clear"));
    CHECK(bench.set.exists(id));
    CHECK(bench.set.is_clear(id));
    CHECK(peer.received().size() == 32 * kKi);
    peer.end();
    REQUIRE(bench.until_heard("closed"));
  }
  SECTION("when its end of file comes first") {
    peer.end();
    REQUIRE(bench.until_heard("closed"));
    CHECK(peer.received().size() == 32 * kKi);
  }
  SECTION("and then the stream may be aborted at once") {
    bench.heard.when_clear = [&](StreamId stream) { bench.set.abort(stream); };
    REQUIRE(bench.until_heard("closed"));
  }
  CHECK(bench.heard.events == Events{"clear 0", "closed 0 unsent 0"});
}

TEST_CASE("stream closing: a peer that has acknowledged everything is waited for no longer",
          "[io][stream]") {
  Bench bench{limits(Duration{GENERATE(0, 20)}, kLong)};
  auto [ours, theirs] = tcp_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));

  SECTION("it never ends") {
    peer.read();
    bench.write(id, "goodbye");
    bench.set.close(id);
    REQUIRE(bench.until_heard("closed"));
    REQUIRE(bench.until([&] { return peer.ended(); }));
    CHECK(peer.received() == "goodbye");
    CHECK(bench.heard.events == Events{"clear 0", "closed 0 unsent 0"});
  }
  SECTION("it talks on without end") {
    const std::string noise(1000, 'n');
    bench.loop.at_turn_end([&] {
      if (bench.heard.events.empty()) peer.send(noise);
    });
    bench.set.close(id);
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 0"});
  }
}

TEST_CASE("stream closing: a peer without room for the end of file is waited for with patience",
          "[io][stream]") {
  const std::size_t room = room_of_a_peer();
  const bool it_reads = GENERATE(true, false);
  Bench bench{limits(kShort, it_reads ? kLong : kPatience)};
  auto [ours, theirs] = tcp_pair(2048);
  const int socket = ours.get();
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  bench.write(id, std::string(room, 'x'));
  Events expected;
  SECTION("after its last words") {
    bench.set.close(id);
    REQUIRE(bench.until_heard("clear"));
    expected = {"clear 0"};
  }
  SECTION("when it was clear before") {
    run_pending(bench.loop);
    REQUIRE(bench.until_clear(id));
    bench.set.close(id);
    run_pending(bench.loop);
  }
  REQUIRE(chatd::io::unacknowledged(socket) == 1);
  bool over = false;
  chatd::io::Timer longer_than_linger{bench.loop, [&] { over = true; }};
  longer_than_linger.start(kShort * 4);
  REQUIRE(bench.until([&] { return over; }));
  CHECK(bench.heard.events == expected);
  if (it_reads) {
    peer.read();
    REQUIRE(bench.until([&] { return peer.ended(); }));
  }
  REQUIRE(bench.until_heard("closed"));
  expected.emplace_back("closed 0 unsent 0");
  CHECK(bench.heard.events == expected);
}

TEST_CASE("stream closing: a half-closed peer that reads slowly is waited for, and costs nothing",
          "[io][stream]") {
  Bench bench{limits(kLong, kLong)};
  auto [ours, theirs] = GENERATE(0, 1) == 0 ? tcp_pair(2048) : unix_pair();
  set_send_buffer(ours.get(), 512 * 1024);
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  peer.end();
  REQUIRE(bench.until_heard("end"));
  bench.heard.events.clear();
  bench.write(id, numbered(32 * kKi), 20);
  bench.set.close(id);
  run_pending(bench.loop);
  CHECK(bench.set.queued_bytes(id) == 0);
  CHECK(bench.heard.events.empty());
  CHECK(is_quiet(bench.loop));  // both ends of file are a hang-up that lasts

  SECTION("until it has read everything") {
    const SlowReader reader{bench.loop, peer, 8 * kKi};
    REQUIRE(bench.until([&] { return peer.ended(); }));
    CHECK((peer.received() == numbered(32 * kKi)));
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"clear 0", "closed 0 unsent 0"});
  }
  SECTION("until it resets") {
    peer.reset();
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"closed 0 unsent 20"});
  }
}

TEST_CASE("stream closing: it keeps the loop running", "[io][stream]") {
  Bench bench{limits(kLong, Duration{60})};
  auto [ours, theirs] = unix_pair();
  const StreamId id = bench.adopt(std::move(ours));
  ::shutdown(theirs.get(), SHUT_WR);
  REQUIRE(bench.until_heard("end"));
  bench.write(id, "goodbye", 20);
  bench.set.close(id);
  bench.loop.run();
  CHECK(bench.heard.events == Events{"end 0", "closed 0 unsent 20"});
}

TEST_CASE("stream closing: what is discarded is told there and nowhere else", "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = tcp_pair(2048);
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  const std::string first = numbered(kMi);
  bench.write(id, first, 20);
  run_pending(bench.loop);
  bench.write(id, "not at all", 300);
  const bool closing = GENERATE(false, true);
  if (closing) bench.set.close(id);
  if (closing) run_pending(bench.loop);
  const auto given = static_cast<std::size_t>(bench.set.sent_bytes(id));
  CHECK(bench.set.discard_queue(id) == 320);
  CHECK(bench.set.discard_queue(id) == 0);
  CHECK(bench.set.queued_bytes() == 0);
  bench.set.close(id);
  peer.read();
  REQUIRE(bench.until([&] { return peer.ended(); }));
  CHECK((peer.received() == first.substr(0, given)));
  CHECK(peer.error() == 0);
  peer.end();
  REQUIRE(bench.until_heard("closed"));
  CHECK(bench.heard.events == Events{"clear 0", "closed 0 unsent 0"});
}

TEST_CASE("stream closing: many at once are all told of", "[io][stream]") {
  constexpr std::size_t kMany = 1000;
  Bench bench{limits(kShort, kLong)};
  std::vector<std::unique_ptr<Peer>> peers;
  for (StreamId id = 0; id < kMany; ++id) {
    auto [ours, theirs] = unix_pair();
    peers.push_back(std::make_unique<Peer>(bench.loop, std::move(theirs)));
    const StreamId given = bench.adopt(std::move(ours));
    REQUIRE(given == id);
    bench.write(id, "goodbye");
    bench.set.close(id);
  }
  run_pending(bench.loop);
  CHECK(bench.heard.events.empty());
  for (const auto& peer : peers) peer->take(100);
  REQUIRE(bench.until([&] { return bench.set.size() == 0; }));
  for (StreamId id = 0; id < kMany; ++id) {
    const std::string name = std::to_string(id);
    if (bench.heard.count("clear " + name) != 1) FAIL("clear " << id);
    if (bench.heard.count("closed " + name + " unsent 0") != 1) FAIL("closed " << id);
  }
  CHECK(bench.heard.events.size() == 2 * kMany);
}

TEST_CASE("stream closing: another process goes on with it", "[io][stream]") {
  Bench there{limits(kShort, kLong)};
  Bench here{limits(kShort, kPatience)};
  auto [ours, theirs] = tcp_pair(2048);
  UniqueFd duplicate{::dup(ours.get())};
  Peer peer{here.loop, std::move(theirs)};
  const StreamId id = there.adopt(std::move(ours));
  const std::string expected = numbered(16 * kKi);
  const auto restore = [&] {
    auto restored = here.set.restore(std::move(duplicate), there.saved(id));
    REQUIRE(restored);
    REQUIRE(*restored == 0);
  };

  SECTION("while something is queued") {
    there.write(id, expected);
    there.set.close(id);
    run_pending(there.loop);
    REQUIRE(there.set.queued_bytes(id) > 0);
    restore();
    const SlowReader reader{here.loop, peer, 2 * kKi};
    REQUIRE(here.until([&] { return peer.ended(); }));
    CHECK((peer.received() == expected));
    REQUIRE(here.until_heard("closed"));
    CHECK(here.heard.events == Events{"clear 0", "closed 0 unsent 0"});
  }
  SECTION("while the kernel has everything, and the peer reads") {
    set_send_buffer(duplicate.get(), 512 * 1024);
    there.write(id, expected);
    there.set.close(id);
    run_pending(there.loop);
    REQUIRE(there.saved(id).end_sent);
    restore();
    const SlowReader reader{here.loop, peer, 2 * kKi};
    REQUIRE(here.until([&] { return peer.ended(); }));
    CHECK((peer.received() == expected));
    REQUIRE(here.until_heard("closed"));
    CHECK(here.heard.events == Events{"clear 0", "closed 0 unsent 0"});
  }
  SECTION("while the kernel has everything, and the peer does not read") {
    set_send_buffer(duplicate.get(), 512 * 1024);
    there.write(id, expected, 20);
    there.set.close(id);
    run_pending(there.loop);
    restore();
    REQUIRE(here.until_heard("closed"));
    CHECK(here.heard.events == Events{"closed 0 unsent 1"});
  }
  SECTION("while it is open, and the peer does not read") {
    set_send_buffer(duplicate.get(), 512 * 1024);
    there.write(id, expected, 20);
    run_pending(there.loop);
    restore();
    CHECK_FALSE(here.set.is_clear(0));
    here.set.close(0);
    REQUIRE(here.until_heard("closed"));
    CHECK(here.heard.events == Events{"closed 0 unsent 1"});
  }
  SECTION("when everything is acknowledged") {
    there.write(id, "goodbye");
    there.set.close(id);
    REQUIRE(there.until_heard("clear"));
    restore();
    REQUIRE(here.until_heard("closed"));
    CHECK(here.heard.events == Events{"closed 0 unsent 0"});
  }
  SECTION("when it was clear when it was closed") {
    there.set.close(id);
    restore();
    REQUIRE(here.until_heard("closed"));
    CHECK(here.heard.events == Events{"closed 0 unsent 0"});
  }
}

TEST_CASE("stream closing: a paused stream that breaks is read before, as far as one read goes",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = unix_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const StreamId id = bench.adopt(std::move(ours));
  bench.write(id, "a greeting");
  run_pending(bench.loop);
  bench.set.pause(id);
  run_pending(bench.loop);
  const std::string words = numbered(150 * kKi);
  REQUIRE(peer.send(words) > 64 * kKi);
  peer.leave();  // with an error, for it has not read the greeting
  run_pending(bench.loop);
  CHECK(bench.heard.events.empty());
  bench.write(id, "an answer", 20);

  SECTION("and its listener lets that be") {
    REQUIRE(bench.until_heard("closed"));
    REQUIRE(bench.heard.events.size() == 3);
    CHECK(bench.heard.events[0] == "read 0");
    CHECK(bench.heard.heard("broken 0 "));
    CHECK(bench.heard.events[2] == "closed 0 unsent 20");
  }
  SECTION("and its listener ends it there") {
    bench.heard.when_read = [&](StreamId stream, std::string_view) { bench.set.abort(stream); };
    REQUIRE(bench.until_heard("closed"));
    CHECK(bench.heard.events == Events{"read 0", "closed 0 unsent 20"});
  }
  CHECK((bench.heard.read == words.substr(0, 64 * kKi)));
}
