/// Streams whose listener says when they are read.
#include <string>
#include <utility>

#include "io/recorder.hpp"
#include "io/stream.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {
namespace {

constexpr std::size_t kKi = 1024;
constexpr io::StreamLimits kLimits{64 * kKi, 32 * kKi, 256 * kKi};

struct Bench {
  Bench() { heard.reads_at_once = false; }

  io::StreamId adopt(UniqueFd socket) {
    auto id = set.adopt(std::move(socket));
    REQUIRE(id);
    return *id;
  }

  io::Loop loop;
  Recorder heard;
  io::StreamSet set{loop, heard, kLimits};
  io::TurnEnd flush{loop, [this] { set.flush(); }};
};

TEST_CASE("stream: what has arrived waits until the listener reads it, as much as it wants",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = tcp_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const auto id = bench.adopt(std::move(ours));
  peer.send(std::string(10'000, 'x'));
  run_pending(bench.loop);
  CHECK(bench.heard.read.empty());
  bench.set.read(id, 100);
  CHECK(bench.heard.read.size() == 100);
  run_pending(bench.loop);
  CHECK(bench.heard.read.size() == 100);
  bench.set.read(id, 100);
  CHECK(bench.heard.read.size() == 200);
  bench.set.read(id);  // nothing has been told of it since
  CHECK(bench.heard.read.size() == 200);
  bench.heard.reads_at_once = true;
  REQUIRE(run_until(bench.loop, [&] { return bench.heard.read.size() == 10'000; }));
}

TEST_CASE("stream: one that was put off costs no turns, and is read all the same", "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = tcp_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const auto id = bench.adopt(std::move(ours));
  peer.send("hello");
  run_pending(bench.loop);
  bench.set.put_off(id);
  run_pending(bench.loop);
  CHECK(is_quiet(bench.loop));
  bench.set.read(id);
  CHECK(bench.heard.read == "hello");
  peer.send(" again");
  run_pending(bench.loop);
  bench.set.read(id);
  CHECK(bench.heard.read == "hello again");
}

TEST_CASE("stream: last words that were to be read later are heard before the end",
          "[io][stream]") {
  Bench bench;
  auto [ours, theirs] = tcp_pair();
  Peer peer{bench.loop, std::move(theirs)};
  const auto id = bench.adopt(std::move(ours));
  peer.send("my last words");
  run_pending(bench.loop);
  bench.set.put_off(id);
  run_pending(bench.loop);
  SECTION("an end of file") {
    peer.end();
    run_pending(bench.loop);
    bench.set.read(id);
    bench.heard.reads_at_once = true;
    REQUIRE(run_until(bench.loop, [&] { return bench.heard.heard("end"); }));
  }
  SECTION("a close by us") {
    bench.set.close(id);
    peer.leave();
    REQUIRE(run_until(bench.loop, [&] { return bench.heard.heard("closed"); }));
    CHECK(bench.heard.read.empty());
    return;
  }
  CHECK(bench.heard.read == "my last words");
}

}  // namespace
}  // namespace chatd::test
