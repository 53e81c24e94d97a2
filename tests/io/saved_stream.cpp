#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.hpp"
#include "io/stream.hpp"

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::Payload;
using chatd::io::SavedStream;

namespace {

struct Flags {
  bool closing;
  bool end_sent;
  bool paused;
  bool ended;
};

std::string written(const std::vector<Payload>& queue, std::uint32_t left, Flags flags) {
  ByteWriter out;
  out.number<std::uint64_t>(queue.size());
  for (const auto& payload : queue) out.payload(payload);
  out.number(left);
  for (const bool flag : {flags.closing, flags.end_sent, flags.paused, flags.ended}) out.flag(flag);
  return out.bytes();
}

}  // namespace

TEST_CASE("saved stream: what was written is read", "[io][saved]") {
  const Payload one{"one", 1};
  const Payload two{"two", 3};
  const auto bytes = written({one, two, one}, 17, {true, false, true, false});
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
}

TEST_CASE("saved stream: every part of it is needed", "[io][saved]") {
  const auto bytes = written({Payload{"one", 1}}, 0, {false, false, false, true});
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
  CHECK_FALSE(refused(written({}, 0, {true, true, false, false})));
  CHECK(refused(written({}, 0, {false, true, false, false})));  // an end without a close
  CHECK(refused(written({Payload{"x", 1}}, 0, {true, true, false, false})));  // and bytes after it
  auto flag = written({}, 0, {});
  flag.back() = 2;
  CHECK(refused(flag));
}
