/// Networks and bans together: how they are written, who is in them, and when they end.
#include "clients/bans.hpp"

#include <string>
#include <vector>

#include "io/endpoint.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

io::Peer peer_at(const std::string& address) {
  sockaddr_storage storage{};
  auto length = io::Endpoint{address, 4711}.to_socket_address(storage);
  REQUIRE(length);
  return io::Peer{storage, *length};
}

io::Network network(std::string_view text) {
  auto parsed = io::Network::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

const Time kNow{Duration{1'000'000}};
const WallTime kDate{Duration{1'700'000'000'000}};

Bans::Ban until(Time time) {
  const bool ends = time != kNever;
  return {time, ends ? kDate + (time - kNow) : WallTime{}, kDate, "ann"};
}

TEST_CASE("network: it is written in one way", "[clients][bans]") {
  struct Row {
    std::string text;
    std::string written;
  };
  const std::vector<Row> rows{
      {"192.0.2.7", "192.0.2.7"},
      {"192.0.2.7/32", "192.0.2.7"},
      {"192.0.2.7/24", "192.0.2.0/24"},
      {"255.255.255.255/1", "128.0.0.0/1"},
      {"10.1.2.3/12", "10.0.0.0/12"},
      {"1.2.3.4/0", "0.0.0.0/0"},
      {"2001:DB8:0:0::7", "2001:db8::7"},
      {"2001:db8::7/128", "2001:db8::7"},
      {"2001:db8:ffff::7/33", "2001:db8:8000::/33"},
      {"::1/0", "::/0"},
      {"::ffff:192.0.2.7", "192.0.2.7"},
      {"::ffff:192.0.2.7/120", "192.0.2.0/24"},
      {"::ffff:c000:207/128", "192.0.2.7"},
      {"::ffff:192.0.2.7/95", "::fffe:0:0/95"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(network(row.text).to_string() == row.written);
    CHECK(network(row.written) == network(row.text));
  }
}

TEST_CASE("network: what is wrong is said, with what would be right", "[clients][bans]") {
  struct Row {
    std::string text;
    std::string why;
  };
  const std::vector<Row> rows{
      {"", "no address"},
      {"localhost", "no address"},
      {"192.0.2", "no address"},
      {"192.0.2.256", "no address"},
      {" 192.0.2.7", "no address"},
      {"fe80::1%lo", "no address"},
      {std::string{"192.0.2.7\0", 10}, "no address"},
      {"192.0.2.7:4711", "without the port"},
      {"[2001:db8::1]:4711", "without the port"},
      {"unix:/run/x", "a client of a unix socket has no address, but a user"},
      {"uid:", "not the number of a user"},
      {"uid:-1", "not the number of a user"},
      {"uid:4294967296", "not the number of a user"},
      {"uid:1000/8", "not the number of a user"},
      {"192.0.2.7/", "an IPv4 address has 0 to 32 bits"},
      {"192.0.2.7/33", "an IPv4 address has 0 to 32 bits"},
      {"192.0.2.7/-1", "an IPv4 address has 0 to 32 bits"},
      {"192.0.2.7/8 ", "an IPv4 address has 0 to 32 bits"},
      {"192.0.2.0/255.255.255.0", "an IPv4 address has 0 to 32 bits"},
      {"2001:db8::/129", "an IPv6 address has 0 to 128 bits"},
      {"2001:db8::/99999999999999999999", "an IPv6 address has 0 to 128 bits"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    auto parsed = io::Network::parse(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message ==
          row.text + ": " + row.why +
              "; 192.0.2.7, 192.0.2.0/24, 2001:db8::/32 or uid:1000 would be right");
  }
  auto long_one = io::Network::parse(std::string(100'000, 'x'));
  REQUIRE_FALSE(long_one);
  CHECK(long_one.error().message.size() < 200);
}

TEST_CASE("network: which addresses are in it", "[clients][bans]") {
  struct Row {
    std::string network;
    std::string peer;
    bool inside;
  };
  const std::vector<Row> rows{
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "192.0.2.6", false},
      {"192.0.2.7", "::ffff:192.0.2.7", true},
      {"192.0.2.0/24", "192.0.2.255", true},
      {"192.0.2.0/24", "192.0.3.0", false},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.128/25", "::ffff:192.0.2.200", true},
      {"::ffff:192.0.2.0/120", "192.0.2.1", true},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "192.0.2.7", false},
      {"::/0", "::ffff:192.0.2.7", false},
      {"2001:db8::/33", "2001:db8:7fff:ffff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"2001:db8::1", "2001:db8::1", true},
      {"2001:db8::1", "2001:db8::2", false},
  };
  for (const auto& row : rows) {
    INFO(row.network << " and " << row.peer);
    CHECK(network(row.network).contains(peer_at(row.peer)) == row.inside);
    Bans bans;
    REQUIRE(bans.add(network(row.network), until(kNever)));
    CHECK(bans.match(peer_at(row.peer)).has_value() == row.inside);
  }
  CHECK_FALSE(network("0.0.0.0/0").contains(io::Peer{}));
  CHECK(network("192.0.2.0/24").contains(network("192.0.2.128/25")));
  CHECK_FALSE(network("192.0.2.128/25").contains(network("192.0.2.0/24")));
  CHECK_FALSE(network("0.0.0.0/0").contains(network("::/0")));
}

TEST_CASE("bans: of many the one that holds is found", "[clients][bans]") {
  Bans bans;
  for (int i = 0; i < 256; ++i) {
    REQUIRE(bans.add(network("10.0." + std::to_string(i) + ".9"), until(kNever)));
  }
  REQUIRE(bans.add(network("10.0.4.0/22"), until(kNever)));
  REQUIRE(bans.add(network("2001:db8::/32"), until(kNever)));
  CHECK(bans.match(peer_at("10.0.200.9")) == network("10.0.200.9"));
  CHECK(bans.match(peer_at("10.0.7.9")) == network("10.0.4.0/22"));
  CHECK(bans.match(peer_at("2001:db8:1::1")) == network("2001:db8::/32"));
  CHECK_FALSE(bans.match(peer_at("10.0.8.8")));
  CHECK_FALSE(bans.match(peer_at("2001:db9::1")));
  CHECK_FALSE(bans.match(io::Peer{}));
  CHECK(bans.match(network("10.0.6.0/24")) == network("10.0.4.0/22"));
  CHECK_FALSE(bans.match(network("10.0.0.0/16")));
  REQUIRE(bans.remove(network("10.0.4.0/22")));
  CHECK_FALSE(bans.remove(network("10.0.4.0/22")));
  CHECK(bans.match(peer_at("10.0.7.9")) == network("10.0.7.9"));
  CHECK_FALSE(bans.match(peer_at("10.0.7.8")));
}

TEST_CASE("bans: one ends when its time is over, and is banned anew by another",
          "[clients][bans]") {
  Bans bans;
  CHECK(bans.deadline() == kNever);
  REQUIRE(bans.add(network("192.0.2.1"), until(kNow + Duration{2000})));
  REQUIRE(bans.add(network("192.0.2.2"), until(kNow + Duration{1000})));
  REQUIRE(bans.add(network("192.0.2.3"), until(kNever)));
  CHECK(bans.deadline() == kNow + Duration{1000});
  CHECK(bans.expire(kNow + Duration{999}).empty());
  CHECK(bans.expire(kNow + Duration{1000}) == std::vector{network("192.0.2.2")});
  CHECK_FALSE(bans.match(peer_at("192.0.2.2")));
  REQUIRE(bans.add(network("192.0.2.1"), until(kNow + Duration{9000})));
  CHECK(bans.expire(kNow + Duration{2000}).empty());
  CHECK(bans.expire(kNow + Duration{9000}) == std::vector{network("192.0.2.1")});
  CHECK(bans.deadline() == kNever);
  CHECK(bans.all().size() == 1);
}

TEST_CASE("bans: beyond the limit none is added, but one may be replaced", "[clients][bans]") {
  Bans bans;
  for (std::size_t i = 0; i < Bans::kMost; ++i) {
    const auto text = "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1";
    REQUIRE(bans.add(network(text), until(kNever)));
  }
  CHECK_FALSE(bans.add(network("192.0.2.1"), until(kNever)));
  CHECK(bans.add(network("10.0.0.1"), until(kNow)));
  CHECK(bans.all().size() == Bans::kMost);
}

TEST_CASE("bans: what is kept goes on as long as it has to", "[clients][bans]") {
  Bans before;
  REQUIRE(before.add(network("192.0.2.0/24"), until(kNow + Duration{5000})));
  REQUIRE(before.add(network("192.0.2.9"), until(kNow + Duration{1000})));
  REQUIRE(before.add(network("2001:db8::/32"), until(kNever)));
  auto kept = before.kept();
  REQUIRE(kept.size() == 3);
  kept.push_back({"nonsense", -1, 0, "ann"});
  Bans after;
  REQUIRE(after.add(network("10.0.0.1"), until(kNever)));
  const Time elsewhere{Duration{77}};
  after.replace(kept, elsewhere, kDate + Duration{2000});
  CHECK(after.all().size() == 2);
  CHECK(after.deadline() == elsewhere + Duration{3000});
  CHECK(after.match(peer_at("192.0.2.9")) == network("192.0.2.0/24"));
  CHECK(after.match(peer_at("2001:db8::1")));
  CHECK_FALSE(after.match(peer_at("10.0.0.1")));
  CHECK(after.all().at(network("2001:db8::/32")).operator_name == "ann");
  CHECK(after.all().at(network("2001:db8::/32")).since == kDate);
}

}  // namespace
}  // namespace chatd::test
