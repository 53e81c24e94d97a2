#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "io/recorder.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::Payload;
using chatd::io::SavedStream;
using chatd::test::run_pending;
using chatd::test::run_until;

namespace {

struct Flags {
  bool closing;
  bool end_sent;
  bool paused;
  bool ended;
  bool weighty;
};

std::string written(const std::vector<Payload>& queue, std::uint32_t left, Flags flags) {
  ByteWriter out;
  out.number<std::uint64_t>(queue.size());
  for (const auto& payload : queue) out.payload(payload);
  out.number(left);
  for (const bool flag : {flags.closing, flags.end_sent, flags.paused, flags.ended}) out.flag(flag);
  out.flag(flags.weighty);
  out.number<std::uint32_t>(flags.weighty ? 5 : 0);
  return out.bytes();
}

/// A set with one connection, of which the kernel keeps little on the way.
struct Bench {
  SavedStream saved() {
    ByteWriter out;
    set.save(id, out);
    ByteReader in{out.bytes()};
    return SavedStream::read(in);
  }

  chatd::io::Loop loop;
  chatd::test::Recorder heard;
  chatd::io::StreamSet set{
      loop, heard, {64 * 1024, 32 * 1024, 512 * 1024, chatd::Duration{3'600'000}}};
  chatd::io::TurnEnd flush{loop, [this] { set.flush(); }};
  chatd::test::Pair pair = chatd::test::tcp_pair(2048);
  chatd::test::Peer peer{loop, std::move(pair.theirs)};
  chatd::io::StreamId id = 0;
};

}  // namespace

TEST_CASE("saved stream: one for which much waits is told of when it has drained", "[io][saved]") {
  Bench bench;
  SavedStream saved;
  saved.queue.emplace_back(std::string(300'000, 'x'), 1U);
  auto id = bench.set.restore(std::move(bench.pair.ours), std::move(saved));
  REQUIRE(id);
  run_pending(bench.loop);
  CHECK(bench.set.queued_bytes(*id) > 64 * 1024);
  CHECK(bench.heard.events.empty());
  bench.peer.read();
  REQUIRE(run_until(bench.loop, [&] { return bench.peer.received().size() == 300'000; }));
  CHECK(bench.heard.events == chatd::test::Events{"drained 0"});
}

TEST_CASE("saved stream: it lingers only when everything is acknowledged", "[io][saved]") {
  Bench bench;
  bench.id = *bench.set.adopt(std::move(bench.pair.ours));
  REQUIRE(bench.set.write(bench.id, Payload{std::string(300'000, 'x')}));
  bench.set.close(bench.id);
  CHECK(bench.saved().linger_left == chatd::Duration{0});
  run_pending(bench.loop);
  const auto waiting = bench.saved();
  CHECK_FALSE(waiting.queue.empty());
  CHECK_FALSE(waiting.end_sent);
  CHECK(waiting.linger_left == chatd::Duration{0});
  bench.peer.read();
  REQUIRE(run_until(bench.loop, [&] { return bench.heard.heard("clear"); }));
  const auto lingering = bench.saved();
  CHECK(lingering.end_sent);
  CHECK(lingering.linger_left > chatd::Duration{0});
}

TEST_CASE("saved stream: one that was clear when it was closed lingers at once", "[io][saved]") {
  Bench bench;
  bench.id = *bench.set.adopt(std::move(bench.pair.ours));
  CHECK(bench.saved().linger_left == chatd::Duration{0});
  bench.set.close(bench.id);
  CHECK(bench.saved().linger_left > chatd::Duration{0});
  run_pending(bench.loop);
  CHECK(bench.saved().linger_left > chatd::Duration{0});
}

TEST_CASE("saved stream: what was written is read", "[io][saved]") {
  const Payload one{"one", 1};
  const Payload two{"two", 3};
  const auto bytes = written({one, two, one}, 17, {true, false, true, false, true});
  ByteReader in{bytes};
  const auto saved = SavedStream::read(in);
  REQUIRE(in.finished());
  REQUIRE(saved.queue.size() == 3);
  CHECK(saved.queue[0].view() == "one");
  CHECK(saved.queue[1].view() == "two");
  CHECK(saved.queue[1].weight() == 3);
  CHECK(saved.queue[2].view().data() == saved.queue[0].view().data());
  CHECK(saved.linger_left == chatd::Duration{17});
  CHECK(saved.closing);
  CHECK_FALSE(saved.end_sent);
  CHECK(saved.paused);
  CHECK_FALSE(saved.ended);
  CHECK(saved.behind_weighty == 5U);
  ByteReader before{std::string_view{bytes}.substr(0, bytes.size() - 5), 7};
  CHECK_FALSE(SavedStream::read(before).behind_weighty);
  CHECK(before.finished());
}

TEST_CASE("saved stream: every part of it is needed", "[io][saved]") {
  const auto bytes = written({Payload{"one", 1}}, 0, {false, false, false, true, false});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in{std::string_view{bytes}.substr(0, size)};
    (void)SavedStream::read(in);
    if (in.ok()) FAIL("the first " << size << " bytes");
  }
}

TEST_CASE("saved stream: what cannot be is refused", "[io][saved]") {
  const auto refused = [](const std::string& bytes) {
    ByteReader in{bytes};
    (void)SavedStream::read(in);
    return !in.ok();
  };
  CHECK_FALSE(refused(written({}, 0, {true, true, false, false, false})));
  CHECK(refused(written({}, 0, {false, true, false, false, false})));  // an end without a close
  CHECK(refused(
      written({Payload{"x", 1}}, 0, {true, true, false, false, false})));  // and bytes after it
  auto flag = written({}, 0, {});
  flag[flag.size() - 5] = 2;
  CHECK(refused(flag));
}
