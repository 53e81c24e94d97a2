// Who has spoken HTTP of late, on a clock that the test holds.
#include "clients/http_speakers.hpp"

#include <arpa/inet.h>

#include <cstdint>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr Time kStart{Duration{1'000'000}};

io::Peer v4(std::uint32_t address) {
  sockaddr_storage storage{};
  auto& name = reinterpret_cast<sockaddr_in&>(storage);
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address);
  name.sin_port = htons(static_cast<std::uint16_t>(address));
  return io::Peer{storage, sizeof name};
}

TEST_CASE("http speakers: an address counts for its listener, for two minutes, from any port",
          "[clients][http_speakers]") {
  HttpSpeakers speakers;
  speakers.add(v4(1), 3, kStart);
  CHECK(speakers.has(v4(1), 3, kStart + HttpSpeakers::kMemory));
  CHECK_FALSE(speakers.has(v4(1), 3, kStart + HttpSpeakers::kMemory + Duration{1}));
  CHECK_FALSE(speakers.has(v4(2), 3, kStart));
  CHECK_FALSE(speakers.has(v4(1), 4, kStart));
  speakers.add(v4(1), 3, kStart + Duration{1000});
  CHECK(speakers.size() == 1);
  CHECK(speakers.has(v4(1), 3, kStart + HttpSpeakers::kMemory + Duration{1000}));
}

TEST_CASE("http speakers: users of unix sockets are told apart", "[clients][http_speakers]") {
  HttpSpeakers speakers;
  speakers.add(io::Peer::of_user(1000), 0, kStart);
  CHECK(speakers.has(io::Peer::of_user(1000), 0, kStart));
  CHECK_FALSE(speakers.has(io::Peer::of_user(1001), 0, kStart));
}

TEST_CASE("http speakers: of too many the one is forgotten that was here longest ago",
          "[clients][http_speakers]") {
  HttpSpeakers speakers;
  const auto count = static_cast<std::uint32_t>(HttpSpeakers::kMost);
  for (std::uint32_t i = 0; i < count; ++i) speakers.add(v4(i), 0, kStart + Duration{i});
  const Time now = kStart + Duration{count};
  speakers.add(v4(0), 0, now);
  speakers.add(v4(count), 0, now);
  CHECK(speakers.size() == HttpSpeakers::kMost);
  CHECK(speakers.has(v4(0), 0, now));
  CHECK_FALSE(speakers.has(v4(1), 0, now));
  CHECK(speakers.has(v4(2), 0, now));
  // Those whose time is over go first, all of them.
  speakers.add(v4(count + 1), 0, now + HttpSpeakers::kMemory + Duration{1});
  CHECK(speakers.size() == 1);
}

}  // namespace
}  // namespace chatd::test
