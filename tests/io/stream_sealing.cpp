// Streams with a cipher: a toy that numbers its records, so that whatever is lost, doubled or out
// of order is seen.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "io/recorder.hpp"
#include "io/stream.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::Duration;
using chatd::Payload;
using chatd::UniqueFd;
using chatd::io::Loop;
using chatd::io::SavedStream;
using chatd::io::StreamCipher;
using chatd::io::StreamId;
using chatd::io::StreamLimits;
using chatd::io::StreamSet;
using chatd::io::TurnEnd;
using chatd::test::Events;
using chatd::test::Peer;
using chatd::test::Recorder;
using chatd::test::run_pending;
using chatd::test::run_until;
using chatd::test::tcp_pair;

namespace {

constexpr std::size_t kKi = 1024;
constexpr Duration kLong{3'600'000};

/// A record is "<NUMBER:LENGTH>TEXT"; "hello" opens it and is answered by "welcome", "<end>" is
/// the end of what is said, "<ask>" is answered, and "<bad>" makes no sense.
class Toy : public StreamCipher {
 public:
  explicit Toy(int sealed = 0, bool is_open = false) : sealed_{sealed}, open_{is_open} {}

  State open(std::string_view bytes, std::string& text, std::string& reply) override {
    kept_ += bytes;
    while (!kept_.empty() && !ended_ && !failed_) {
      if (!open_) {
        if (kept_.size() < 5) return State::kOpening;
        open_ = kept_.starts_with("hello");
        failed_ = !open_;
        kept_.erase(0, 5);
        reply += open_ ? "welcome" : "no";
        continue;
      }
      const auto end = kept_.find('>');
      if (end == std::string::npos) break;
      const std::string head = kept_.substr(1, end - 1);
      if (head == "end") {
        ended_ = true;
      } else if (head == "ask") {
        reply += "<yes>";
      } else if (head == "bad") {
        failed_ = true;
        reply += "<alert>";
      } else {
        const auto size = std::stoul(head.substr(head.find(':') + 1));
        if (kept_.size() < end + 1 + size) break;
        text += kept_.substr(end + 1, size);
        kept_.erase(0, size);
      }
      kept_.erase(0, end + 1);
    }
    if (failed_) return State::kFailed;
    return ended_ ? State::kEnded : open_ ? State::kOpen : State::kOpening;
  }
  [[nodiscard]] bool can_seal() const override { return open_ && !failed_ && !closed_; }
  void seal(std::string_view text, std::string& bytes) override {
    REQUIRE(can_seal());
    bytes += "<" + std::to_string(sealed_++) + ":" + std::to_string(text.size()) + ">";
    bytes += text;
  }
  void close(std::string& bytes) override {
    if (can_seal()) bytes += "<end>";
    closed_ = true;
  }
  [[nodiscard]] std::string failure() const override { return "toy: bad"; }
  [[nodiscard]] std::size_t memory() const override { return sizeof *this + kept_.capacity(); }

  [[nodiscard]] int sealed() const { return sealed_; }

 private:
  std::string kept_;
  int sealed_;
  bool open_;
  bool ended_ = false;
  bool failed_ = false;
  bool closed_ = false;
};

/// The text of the records, which must have the numbers from `first` on; what is no record stays.
std::string unsealed(std::string_view bytes, int first = 0) {
  std::string text;
  while (!bytes.empty()) {
    const std::string head = "<" + std::to_string(first) + ":";
    if (!bytes.starts_with(head)) return text + std::string{bytes};
    const auto end = bytes.find('>');
    const auto size = std::stoul(std::string{bytes.substr(head.size(), end - head.size())});
    text += bytes.substr(end + 1, size);
    bytes.remove_prefix(std::min(bytes.size(), end + 1 + size));
    ++first;
  }
  return text;
}

std::string numbered(std::size_t size) {
  std::string bytes;
  for (int i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ' ';
  bytes.resize(size);
  return bytes;
}

/// What Recorder does not hear.
struct Listener : Recorder {
  void on_secured(StreamId id) override { events.push_back("secured " + std::to_string(id)); }
  void on_insecure(StreamId id) override { events.push_back("insecure " + std::to_string(id)); }
};

struct Bench {
  Bench() : Bench(tcp_pair()) {}
  explicit Bench(chatd::test::Pair pair,
                 StreamLimits limits = {256 * kKi, 128 * kKi, 512 * kKi, kLong, kLong})
      : set{loop, heard, limits}, peer{loop, std::move(pair.theirs)} {
    auto adopted = set.adopt(std::move(pair.ours));
    REQUIRE(adopted);
    id = *adopted;
  }
  bool until(const std::function<bool()>& done) { return run_until(loop, done); }
  void secure(std::string_view first = "hello") { set.secure(id, std::make_unique<Toy>(), first); }
  void write(std::string_view text, std::uint32_t weight = 1) {
    REQUIRE(set.write(id, Payload{text, weight}));
  }
  bool until_received(std::string_view text) {
    return until([&] { return unsealed(received()) == text; });
  }
  /// Behind the handshake.
  [[nodiscard]] std::string received() const {
    const std::string& all = peer.received();
    return all.starts_with("welcome") ? all.substr(7) : all;
  }

  Loop loop;
  Listener heard;
  StreamSet set;
  TurnEnd flush{loop, [this] { set.flush(); }};
  Peer peer;
  StreamId id = 0;
};

}  // namespace

TEST_CASE("stream sealing: text goes through the cipher both ways", "[io][stream]") {
  Bench bench;
  bench.secure();
  bench.peer.read();
  CHECK(bench.heard.events == Events{"secured 0"});
  bench.write("one");
  bench.write("two");
  REQUIRE(bench.until_received("onetwo"));
  bench.peer.send("<0:5>there<1:2");
  REQUIRE(bench.until([&] { return bench.heard.read == "there"; }));
  bench.peer.send(">is");
  REQUIRE(bench.until([&] { return bench.heard.read == "thereis"; }));
  CHECK(bench.set.queued_bytes() == 0);
}

TEST_CASE("stream sealing: what is written before it is agreed upon waits", "[io][stream]") {
  Bench bench;
  bench.secure("hel");
  bench.peer.read();
  bench.write("early");
  run_pending(bench.loop);
  CHECK(bench.peer.received().empty());
  CHECK(bench.set.queued_bytes(bench.id) == 5);
  CHECK(bench.set.unsent(bench.id) == 1);
  bench.peer.send("lo");
  REQUIRE(bench.until_received("early"));
  CHECK(bench.peer.received().starts_with("welcome"));
  CHECK(bench.set.unsent(bench.id) == 0);
}

TEST_CASE("stream sealing: limits are those of the text, and only what the kernel takes is sealed",
          "[io][stream]") {
  Bench bench{tcp_pair(4096)};
  bench.secure();
  const std::string part = numbered(16 * kKi);
  std::string all;
  std::size_t written = 0;
  while (bench.set.write(bench.id, Payload{part})) {
    all += part;
    REQUIRE(++written < 100);
  }
  // It holds 512 KiB, and what the kernel has.
  CHECK(bench.set.queued_bytes(bench.id) <= 512 * kKi + 100);
  CHECK(bench.set.queued_bytes(bench.id) > 480 * kKi);
  CHECK(bench.set.unsent(bench.id) >= 30);
  const auto* const toy = static_cast<Toy*>(bench.set.cipher(bench.id));
  CHECK(toy->sealed() <= static_cast<int>(written - bench.set.unsent(bench.id)) + 1);
  bench.peer.read();
  REQUIRE(bench.until_received(all));
  CHECK(bench.set.queued_bytes() == 0);
  CHECK(bench.heard.heard("drained"));
}

TEST_CASE("stream sealing: at the end all is sealed and said, and what is lost is counted",
          "[io][stream]") {
  Bench bench{tcp_pair(4096)};
  bench.secure();
  const std::string part = numbered(16 * kKi);
  std::string all;
  for (int i = 0; i < 20; ++i, all += part) bench.write(part);
  SECTION("the peer reads to the end") {
    CHECK_FALSE(bench.set.close(bench.id));
    bench.peer.read();
    REQUIRE(bench.until_received(all + "<end>"));
    REQUIRE(bench.until([&] { return bench.peer.ended(); }));
    bench.peer.end();
    REQUIRE(bench.until([&] { return bench.heard.heard("closed"); }));
    CHECK(bench.heard.events.back() == "closed 0 unsent 0");
  }
  SECTION("it goes") {
    run_pending(bench.loop);
    bench.set.close(bench.id);
    bench.peer.reset();
    REQUIRE(bench.until([&] { return bench.heard.heard("closed"); }));
    const auto& last = bench.heard.events.back();
    CHECK(std::stoul(last.substr(last.rfind(' '))) >= 15);
    CHECK(std::stoul(last.substr(last.rfind(' '))) <= 20);
  }
  SECTION("it is forgotten but for what is sealed") {
    run_pending(bench.loop);
    const auto forgotten = bench.set.discard_queue(bench.id);
    CHECK(forgotten >= 15);
    bench.set.close(bench.id);
    bench.peer.read();
    REQUIRE(bench.until([&] { return bench.peer.ended(); }));
    const std::string text = unsealed(bench.received());
    REQUIRE(text.ends_with("<end>"));
    CHECK(all.starts_with(text.substr(0, text.size() - 5)));
  }
  CHECK(bench.set.queued_bytes() == 0);
}

TEST_CASE("stream sealing: the end of what the peer says is heard once", "[io][stream]") {
  Bench bench;
  bench.secure();
  bench.peer.read();
  bench.peer.send("<0:3>bye<end>ignored");
  REQUIRE(bench.until([&] { return bench.heard.heard("end"); }));
  CHECK(bench.heard.events == Events{"secured 0", "read 0", "end 0"});
  // An answer still goes out, and the bare end of file is no second one.
  bench.write("late");
  REQUIRE(bench.until_received("late"));
  bench.peer.end();
  run_pending(bench.loop);
  run_pending(bench.loop);
  CHECK(bench.heard.count("end 0") == 1);
  bench.set.close(bench.id);
  REQUIRE(bench.until([&] { return bench.received().ends_with("<end>"); }));
}

TEST_CASE("stream sealing: a bare end of file is an end as well", "[io][stream]") {
  Bench bench;
  bench.secure();
  bench.peer.send("<0:3>bye");
  bench.peer.end();
  REQUIRE(bench.until([&] { return bench.heard.heard("end"); }));
  CHECK(bench.heard.read == "bye");
}

TEST_CASE("stream sealing: nonsense ends it, and the peer hears why", "[io][stream]") {
  Bench bench;
  SECTION("within the handshake") {
    bench.secure("nonsense");
    CHECK(bench.heard.events == Events{"insecure 0"});
    bench.peer.read();
    bench.set.close(bench.id);
    REQUIRE(bench.until([&] { return bench.peer.ended(); }));
    CHECK(bench.peer.received() == "no");
  }
  SECTION("behind it, with text in front") {
    bench.secure();
    bench.peer.read();
    bench.peer.send("<0:4>text<bad><1:4>more");
    REQUIRE(bench.until([&] { return bench.heard.heard("insecure"); }));
    CHECK(bench.heard.read == "text");
    bench.set.close(bench.id);
    REQUIRE(bench.until([&] { return bench.peer.ended(); }));
    CHECK(bench.received() == "<alert>");
  }
}

TEST_CASE("stream sealing: whoever asks and reads no answer is given up", "[io][stream]") {
  for (const bool reads : {true, false}) {
    Bench bench{tcp_pair(reads ? 0 : 4096)};
    bench.secure();
    if (reads) bench.peer.read();
    std::string asks;
    for (int i = 0; i < 400; ++i) asks += "<ask>";
    std::size_t most = 0;
    for (int i = 0; i < 250 && !bench.heard.heard("closed"); ++i) {
      for (std::string_view rest = asks; !rest.empty() && !bench.heard.heard("closed");) {
        rest.remove_prefix(bench.peer.send(rest));
        run_pending(bench.loop);
        most = std::max(most, bench.set.queued_bytes());
      }
      if (reads) REQUIRE(bench.until([&] { return bench.set.queued_bytes() == 0; }));
    }
    CHECK(bench.heard.heard("broken 0 ENOBUFS") == !reads);
    CHECK(bench.heard.heard("closed") == !reads);
    CHECK(most <= chatd::io::Sealed::kMostUnread + StreamSet::kReadBytes);
    CHECK(bench.set.queued_bytes() == 0);
  }
}

TEST_CASE("stream sealing: another process goes on with it", "[io][stream]") {
  auto pair = tcp_pair(4096);
  UniqueFd ours{::dup(pair.ours.get())};
  Loop loop;
  Peer peer{loop, std::move(pair.theirs)};
  const StreamLimits limits{256 * kKi, 128 * kKi, 512 * kKi, kLong, kLong};
  std::string all;
  ByteWriter out;
  std::vector<Payload> text;
  int sealed = 0;
  std::size_t queued = 0;
  std::size_t unsent = 0;
  {
    Listener heard;
    StreamSet set{loop, heard, limits};
    const auto id = set.adopt(std::move(pair.ours));
    REQUIRE(id);
    set.secure(*id, std::make_unique<Toy>(), "hello");
    const std::string part = numbered(16 * kKi);
    for (int i = 0; i < 20; ++i, all += part) REQUIRE(set.write(*id, Payload{part, 3}));
    set.flush();
    (void)set.save(*id, out);
    text = set.unsealed(*id);
    sealed = static_cast<Toy*>(set.cipher(*id))->sealed();
    queued = set.queued_bytes(*id);
    unsent = set.unsent(*id);
    CHECK(text.size() >= 15);
  }
  Listener heard;
  StreamSet set{loop, heard, limits};
  ByteReader in{out.bytes()};
  auto saved = SavedStream::read(in);
  REQUIRE(in.finished());
  const auto id = set.restore(std::move(ours), std::move(saved));
  REQUIRE(id);
  set.restore_cipher(*id, std::make_unique<Toy>(sealed, true), std::move(text), false);
  CHECK(set.queued_bytes(*id) == queued);
  CHECK(set.unsent(*id) == unsent);
  const TurnEnd flush{loop, [&] { set.flush(); }};
  peer.read();
  const auto received = [&] { return unsealed(std::string_view{peer.received()}.substr(7)); };
  REQUIRE(run_until(loop, [&] { return peer.received().size() > 7 && received() == all; }));
  peer.send("<9:3>yes");
  REQUIRE(run_until(loop, [&] { return heard.read == "yes"; }));
}
