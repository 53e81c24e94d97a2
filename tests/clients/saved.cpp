// What the clients' side leaves to the next process and reads back: any bytes are refused, or
// are harmless.
#include <arpa/inet.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "base/bytes.hpp"
#include "base/most_number.hpp"
#include "events/event_log.hpp"
#include "io/peer.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

EventLog filled(Seq last, int count) {
  EventLog log{last, 1024UL * 1024};
  std::uint32_t sealed = 0;
  for (int i = 0; i < count; ++i) {
    log.append([i](std::string& lines) { lines += "event " + std::to_string(i) + '\n'; });
  }
  (void)log.seal(sealed);
  return log;
}

template <class Value>
std::string saved(const Value& value) {
  ByteWriter out;
  value.save(out);
  return out.bytes();
}

io::Peer of(const char* text, int family, std::uint16_t port) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    inet_pton(AF_INET, text, &in.sin_addr);
    length = sizeof in;
    std::memcpy(&storage, &in, sizeof in);
  } else {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    inet_pton(AF_INET6, text, &in6.sin6_addr);
    length = sizeof in6;
    std::memcpy(&storage, &in6, sizeof in6);
  }
  return io::Peer{storage, length};
}

}  // namespace

TEST_CASE("saved event log: numbers and lines go on", "[clients][saved]") {
  for (const int count : {0, 1, 1000}) {
    const auto log = filled(41, count);
    const auto bytes = saved(log);
    EventLog next{7, 1024UL * 1024};
    ByteReader in{bytes};
    next.restore(in);
    REQUIRE(in.finished());
    CHECK(next.last_seq() == log.last_seq());
    CHECK(next.sealed_seq() == log.sealed_seq());
    CHECK(next.first_seq() == log.first_seq());
    Seq since = 41;
    Seq also = 41;
    CHECK(next.after(since).view() == log.after(also).view());
    CHECK(saved(next) == bytes);
  }
}

TEST_CASE("saved event log: what cannot be is refused, and nothing has changed",
          "[clients][saved]") {
  const auto good = saved(filled(41, 5));
  std::size_t refused = 0;
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      auto bytes = good;
      bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ flip);
      EventLog log{7, 1024};
      ByteReader in{bytes};
      log.restore(in);
      if (!in.ok()) {
        ++refused;
        REQUIRE(log.last_seq() == 7);
        REQUIRE(log.first_seq() == 8);
      }
      // Every question to it is safe.
      for (Seq since = 0; since < 60; ++since) {
        auto from = since;
        (void)log.after(from);
      }
    }
    EventLog log{7, 1024};
    ByteReader in{std::string_view{good}.substr(0, place)};
    log.restore(in);
    REQUIRE_FALSE(in.ok());
  }
  CHECK(refused > good.size());
}

TEST_CASE("saved event log: a number that nobody can have reached is refused", "[clients][saved]") {
  for (const int count : {0, 5}) {
    for (const Seq last : {kMostNumber, kMostNumber + 1, ~Seq{0}}) {
      INFO(count << " events up to " << last);
      const auto events = static_cast<Seq>(count);
      const auto bytes = saved(filled(last - events, count));
      EventLog log{7, 1024};
      ByteReader in{bytes};
      log.restore(in);
      CHECK(in.ok() == (last <= kMostNumber));
      CHECK(log.last_seq() == (in.ok() ? last : 7));
      CHECK(log.first_seq() == log.last_seq() + 1 - (in.ok() ? events : 0));
    }
  }
}

TEST_CASE("saved event log: numbers that somebody else used are left out", "[clients][saved]") {
  EventLog log{7, 1024};
  log.go_on_after(kMostNumber + 1);
  log.go_on_after(5);
  CHECK(log.last_seq() == 7);
  log.go_on_after(9);
  CHECK(log.last_seq() == 9);
  CHECK(log.first_seq() == 10);
}

TEST_CASE("saved peer: it is the same", "[clients][saved]") {
  for (const auto& peer :
       {of("192.0.2.1", AF_INET, 4711), of("2001:db8::1", AF_INET6, 1),
        of("::ffff:192.0.2.1", AF_INET6, 65535), io::Peer{}, io::Peer::of_user(1000)}) {
    const auto bytes = saved(peer);
    ByteReader in{bytes};
    const auto read = io::Peer::read(in);
    REQUIRE(in.finished());
    CHECK(read.to_string() == peer.to_string());
    CHECK(read.user() == peer.user());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ByteReader part{std::string_view{bytes}.substr(0, size)};
      (void)io::Peer::read(part);
      REQUIRE_FALSE(part.ok());
    }
  }
}

TEST_CASE("saved peer: a family that no peer has is refused", "[clients][saved]") {
  auto bytes = saved(of("192.0.2.1", AF_INET, 4711));
  bytes[bytes.size() - 2] = 77;
  ByteReader in{bytes};
  (void)io::Peer::read(in);
  CHECK_FALSE(in.ok());
}

}  // namespace chatd::test
