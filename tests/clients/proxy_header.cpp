#include "clients/proxy_header.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "clients/proxy_bytes.hpp"
#include "support/catch.hpp"
#include "support/pieces.hpp"

namespace chatd {
namespace {

using test::binary_header;
using test::bytes_of;
using test::fact;
using test::kIpv4Ends;
using test::kIpv6Ends;
using test::ssl_fact;
using test::with_checksum;
using State = ProxyReader::State;

/// All that is understood of a header, as one text.
std::string shown(const ProxyReader& reader) {
  if (reader.state() == State::kPerhaps) return "perhaps";
  if (reader.state() == State::kBegun) return "begun";
  if (reader.state() == State::kRefused) return std::string{to_string(reader.fault())};
  const ProxyHeader& header = reader.header();
  std::string all = 'v' + std::to_string(header.version);
  if (header.local) all += " local";
  if (header.source) all += ' ' + header.source->to_string();
  if (header.destination) all += " to " + header.destination->to_string();
  if (!header.authority.empty()) all += " for " + escaped(header.authority);
  if (!header.alpn.empty()) all += " alpn " + escaped(header.alpn);
  if (header.tls) {
    all += " tls{" + header.tls->version + ' ' + escaped(header.tls->name) +
           (header.tls->verified ? " verified}" : "}");
  }
  return all;
}

/// With `hand_over`, the reader is written down and read back after each read.
std::string read(std::string_view bytes, std::size_t first, std::size_t step, bool hand_over) {
  ProxyReader reader;
  std::string left;
  for (std::size_t size = first; !bytes.empty(); size = step) {
    const std::string copy{bytes.substr(0, size)};
    bytes.remove_prefix(copy.size());
    std::string_view input = copy;
    reader.take(input);
    if (reader.state() < State::kWhole) REQUIRE(input.empty());
    if (reader.state() == State::kWhole) left += input;
    if (!hand_over || reader.state() >= State::kWhole) continue;
    ByteWriter out;
    reader.save(out);
    ByteReader in{out.bytes()};
    reader = {};
    reader.restore(in);
    REQUIRE(in.finished());
  }
  return shown(reader) + (left.empty() ? "" : ", then " + escaped(left));
}

std::string understood(std::string_view bytes) {
  auto plain = test::read_in_every_way(
      bytes, [](auto b, auto first, auto step) { return read(b, first, step, false); });
  const auto handed = test::read_in_every_way(
      bytes, [](auto b, auto first, auto step) { return read(b, first, step, true); });
  CHECK(handed == plain);
  return plain;
}

struct Row {
  std::string bytes;
  std::string result;
};

void check(const std::vector<Row>& rows) {
  for (const auto& [bytes, result] : rows) {
    INFO(escaped(bytes));
    CHECK(understood(bytes) == result);
  }
}

std::string ipv4(std::string_view facts = {}) {
  return binary_header(0x21, 0x11, std::string{kIpv4Ends} + std::string{facts});
}

const std::string kIpv4Read = "v2 192.0.2.7:4711 to 198.51.100.1:443";
const std::string kWrongLine = "is not what version 1 says";
const std::string kWrongFact = "has a malformed TLV";

}  // namespace

TEST_CASE("proxy_header: lines of version 1", "[clients][proxy_header]") {
  check({
      {"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n", "v1 192.0.2.7:4711 to 198.51.100.1:443"},
      {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
       "v1 255.255.255.255:65535 to 255.255.255.255:65535"},
      {"PROXY TCP6 2001:db8::7 ::1 4711 0\r\n", "v1 [2001:db8::7]:4711 to [::1]:0"},
      {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "65535 65535\r\n",
       "v1 [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 to "
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
      {"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "v1 192.0.2.7:1 to [::1]:2"},
      {"PROXY UNKNOWN\r\n", "v1"},
      {"PROXY UNKNOWN whatever there may be\r\n", "v1"},
      {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "v1"},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nGET / HTTP/1.1\r\n",
       "v1 192.0.2.7:1 to 198.51.100.1:2, then GET / HTTP/1.1\\x0d\\x0a"},
      {"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n", "v1, then PROXY UNKNOWN\\x0d\\x0a"},
  });
}

TEST_CASE("proxy_header: lines that are refused", "[clients][proxy_header]") {
  check({
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 \r\n", kWrongLine},
      {"PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4\t192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP 192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 2001:db8::7 ::1 1 2\r\n", kWrongLine},
      {"PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 0x7f.0.0.1 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 localhost 198.51.100.1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1x 1 2\r\n", kWrongLine},
      {"PROXY TCP6 fe80::1%lo ::1 1 2\r\n", kWrongLine},
      {"PROXY TCP6 1::2::3 ::1 1 2\r\n", kWrongLine},
      {"PROXY TCP6 [::1] ::1 1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 00\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n", kWrongLine},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1x 2\r\n", kWrongLine},
      {"PROXY UNKNOWNX\r\n", kWrongLine},
      {"PROXY \r\n", kWrongLine},
      {"PROXY \n", kWrongLine},
      {"PROXY UNKNOWN \x01\r\n", kWrongLine},
      {std::string{bytes_of("PROXY UNKNOWN\0\r\n")}, kWrongLine},
      {std::string{bytes_of("PROXY TCP4 192.0.2.7\0 198.51.100.1 1 2\r\n")}, kWrongLine},
  });
  const std::string begin = "PROXY UNKNOWN ";
  const auto longest = begin + std::string(kMostProxyLine - begin.size() - 2, 'x') + "\r\n";
  CHECK(understood(longest) == "v1");
  CHECK(understood(begin + std::string(kMostProxyLine - begin.size() - 1, 'x') + "\r\n") ==
        "is too long");
  CHECK(understood("PROXY " + std::string(200, 'x')) == "is too long");
  CHECK(understood("PROXY " + std::string(100, 'x')) == "begun");
}

TEST_CASE("proxy_header: what is none, and what may become one", "[clients][proxy_header]") {
  check({
      {"", "perhaps"},
      {"P", "perhaps"},
      {"PROXY", "perhaps"},
      {"PROXY ", "begun"},
      {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r", "begun"},
      {"\r\n", "perhaps"},
      {std::string{bytes_of("\r\n\r\n\0\r\nQUIT")}, "perhaps"},
      {std::string{bytes_of("\r\n\r\n\0\r\nQUIT\n")}, "begun"},
      {ipv4().substr(0, 16), "begun"},
      {ipv4().substr(0, 27), "begun"},
      {"hello\n", "is missing"},
      {"proxy TCP4 ", "is missing"},
      {"PROXYTCP4", "is missing"},
      {"PROXY\r\n", "is missing"},
      {"GET / HTTP/1.1\r\n", "is missing"},
      {"\n", "is missing"},
      {"\r\n\r\nQUIT\n", "is missing"},
      {std::string{bytes_of("\0")}, "is missing"},
      {std::string{bytes_of("\x16\x03\x01")}, "is missing"},
  });
}

TEST_CASE("proxy_header: version 2, who is behind it", "[clients][proxy_header]") {
  std::string paths = "/run/client";
  paths.resize(108);
  paths += "/run/chatd.socket";
  paths.resize(216);
  std::string full(108, 'c');
  full[0] = '/';
  const std::string ipv6{kIpv6Ends};
  check({
      {ipv4(), kIpv4Read},
      {ipv4() + "hello\n", kIpv4Read + ", then hello\\x0a"},
      {binary_header(0x21, 0x21, ipv6), "v2 [2001:db8::7]:4711 to [2001:db8::1]:443"},
      {binary_header(0x21, 0x31, paths), "v2 unix: to unix:/run/chatd.socket"},
      {binary_header(0x21, 0x31, std::string(216, '\0')), "v2 unix: to unix:"},
      {binary_header(0x21, 0x31, full + full), "v2 unix: to unix:" + full},
      // Nobody is.
      {binary_header(0x20, 0x00, ""), "v2 local"},
      {binary_header(0x20, 0x11, std::string{kIpv4Ends}), "v2 local"},
      {binary_header(0x20, 0x00, "") + "then", "v2 local, then then"},
      {binary_header(0x20, 0xFF, "what is skipped"), "v2 local"},
      {binary_header(0x21, 0x00, ""), "v2"},
      {binary_header(0x21, 0x00, "what is skipped"), "v2"},
      // What it cannot be.
      {binary_header(0x11, 0x11, std::string{kIpv4Ends}), "has an unknown version or command"},
      {binary_header(0x31, 0x11, std::string{kIpv4Ends}), "has an unknown version or command"},
      {binary_header(0x22, 0x11, std::string{kIpv4Ends}), "has an unknown version or command"},
      {binary_header(0x2F, 0x11, std::string{kIpv4Ends}), "has an unknown version or command"},
      {binary_header(0x21, 0x12, std::string{kIpv4Ends}), "has an unknown family of addresses"},
      {binary_header(0x21, 0x10, std::string{kIpv4Ends}), "has an unknown family of addresses"},
      {binary_header(0x21, 0x01, std::string{kIpv4Ends}), "has an unknown family of addresses"},
      {binary_header(0x21, 0x22, ipv6), "has an unknown family of addresses"},
      {binary_header(0x21, 0x32, paths), "has an unknown family of addresses"},
      {binary_header(0x21, 0x41, paths), "has an unknown family of addresses"},
      {binary_header(0x21, 0x13, std::string{kIpv4Ends}), "has an unknown family of addresses"},
      {binary_header(0x21, 0x11, std::string(11, 'x')), "is too short for its addresses"},
      {binary_header(0x21, 0x11, ""), "is too short for its addresses"},
      {binary_header(0x21, 0x21, std::string(35, 'x')), "is too short for its addresses"},
      {binary_header(0x21, 0x31, std::string(215, 'x')), "is too short for its addresses"},
  });
}

TEST_CASE("proxy_header: version 2 has a bound, and says at once what is beyond it",
          "[clients][proxy_header]") {
  const std::size_t most = kMostProxyHeader - 16;
  const auto read_at_once = [](std::string_view bytes) {
    return read(bytes, bytes.size(), bytes.size(), false);
  };
  CHECK(read_at_once(binary_header(0x20, 0, std::string(most, 'x'))) == "v2 local");
  CHECK(read_at_once(ipv4(fact(0x04, std::string(most - 12 - 3, 'x')))) == kIpv4Read);
  for (const bool local : {false, true}) {
    const std::uint8_t command = local ? 0x20 : 0x21;
    const auto beyond = binary_header(command, 0x11, std::string(most + 1, 'x'));
    CHECK(read_at_once(beyond.substr(0, 15)) == "begun");
    CHECK(read_at_once(beyond.substr(0, 16)) == "is too long");
    CHECK(read_at_once(binary_header(command, 0x11, std::string(0xFFFF, 'x')).substr(0, 16)) ==
          "is too long");
  }
}

TEST_CASE("proxy_header: version 2, further facts", "[clients][proxy_header]") {
  const std::string verified(4, '\0');
  const std::string not_verified = std::string{bytes_of("\0\0\0\x01")};
  const auto version = fact(0x21, "TLSv1.3");
  const auto name = fact(0x22, "j\xC3\xBCrgen");
  const std::string of_tls = kIpv4Read + " tls{";
  check({
      {ipv4(fact(0x02, "chat.example")), kIpv4Read + " for chat.example"},
      {ipv4(fact(0x01, "h2")), kIpv4Read + " alpn h2"},
      {ipv4(fact(0x04, "") + fact(0x04, "padding") + fact(0x01, "x")), kIpv4Read + " alpn x"},
      {ipv4(fact(0x05, "unique") + fact(0x30, "netns") + fact(0xE0, "own") + fact(0xFF, "")),
       kIpv4Read},
      {ipv4(fact(0x02, "\xFF")), kIpv4Read},
      {binary_header(0x21, 0x21, std::string{kIpv6Ends} + fact(0x02, "a")),
       "v2 [2001:db8::7]:4711 to [2001:db8::1]:443 for a"},
      // TLS.
      {ipv4(ssl_fact(0x01, not_verified, version)), of_tls + "TLSv1.3 }"},
      {ipv4(ssl_fact(0x03, verified, version + name)), of_tls + "TLSv1.3 j\xC3\xBCrgen verified}"},
      {ipv4(ssl_fact(0x05, verified, name + version + fact(0x23, "AES") + fact(0x24, "RSA"))),
       of_tls + "TLSv1.3 j\xC3\xBCrgen verified}"},
      {ipv4(ssl_fact(0x03, not_verified, version + name)), of_tls + "TLSv1.3 j\xC3\xBCrgen}"},
      {ipv4(ssl_fact(0x01, verified, version)), of_tls + "TLSv1.3 }"},
      {ipv4(ssl_fact(0x07, std::string{bytes_of("\x01\0\0\0")}, "")), of_tls + " }"},
      {ipv4(ssl_fact(0x03, verified, fact(0x22, "\xFF"))), of_tls + "  verified}"},
      {ipv4(ssl_fact(0x00, verified, version + name)), kIpv4Read},
      {ipv4(ssl_fact(0x06, verified, name)), kIpv4Read},
      // Names of facts mean something else within TLS, and outside of it.
      {ipv4(fact(0x22, "outside") + ssl_fact(0x01, verified, fact(0x02, "inside"))), of_tls + " }"},
  });
}

TEST_CASE("proxy_header: version 2, malformed facts", "[clients][proxy_header]") {
  const std::string verified(4, '\0');
  const auto name = fact(0x22, "n");
  const auto version = fact(0x21, "v");
  const std::string twice = "has the same TLV twice";
  check({
      {ipv4("\x04"), kWrongFact},
      {ipv4(bytes_of("\x04\0")), kWrongFact},
      {ipv4(bytes_of("\x04\0\x01")), kWrongFact},
      {ipv4(bytes_of("\x04\0\x02x")), kWrongFact},
      {ipv4(bytes_of("\xE0\xFF\xFFx")), kWrongFact},
      {ipv4(fact(0x01, "h2") + "\x04"), kWrongFact},
      {ipv4(fact(0x20, "")), kWrongFact},
      {ipv4(fact(0x20, bytes_of("\x01\0\0\0"))), kWrongFact},
      {ipv4(ssl_fact(0x01, verified, "\x21")), kWrongFact},
      {ipv4(ssl_fact(0x01, verified, bytes_of("\x21\0\x02v"))), kWrongFact},
      {ipv4(ssl_fact(0x01, verified, fact(0x21, "TLS 1"))), kWrongFact},
      {ipv4(ssl_fact(0x01, verified, fact(0x21, "\x1B"))), kWrongFact},
      // One inside of another must not reach beyond it.
      {ipv4(ssl_fact(0x01, verified, bytes_of("\x22\0\x05n")) + fact(0x04, "nnnnn")), kWrongFact},
      {ipv4(fact(0x01, "a") + fact(0x01, "a")), twice},
      {ipv4(fact(0x02, "a") + fact(0x02, "b")), twice},
      {ipv4(ssl_fact(0x01, verified, "") + ssl_fact(0x01, verified, "")), twice},
      {ipv4(ssl_fact(0x03, verified, name + name)), twice},
      {ipv4(ssl_fact(0x03, verified, version + name + version)), twice},
      {ipv4(fact(0x03, "123")), kWrongFact},
      {ipv4(fact(0x03, "12345")), kWrongFact},
      {ipv4(fact(0x03, "1234")), "has a wrong checksum"},
      {with_checksum(ipv4(fact(0x03, "....") + fact(0x03, "...."))), twice},
  });
}

TEST_CASE("proxy_header: the checksum is that of haproxy, over all of the header",
          "[clients][proxy_header]") {
  // RFC 3720, appendix B.4.
  CHECK(test::crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(test::crc32c("123456789") == 0xE3069283);
  const auto good = with_checksum(ipv4(fact(0x02, "a") + fact(0x03, "....") + fact(0x01, "b")));
  CHECK(understood(good) == kIpv4Read + " for a alpn b");
  // Each bit of it counts.
  for (std::size_t at = 16; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto bad = good;
      bad[at] = static_cast<char>(static_cast<std::uint8_t>(bad[at]) ^ (1U << bit));
      const auto result = read(bad, bad.size(), 1, false);
      INFO(at << ' ' << bit << ": " << result);
      const bool type_of_checksum = at == 32;  // then it is none
      CHECK((type_of_checksum || result.starts_with("has ")));
    }
  }
}

TEST_CASE("proxy_header: it takes nothing once it is whole or refused", "[clients][proxy_header]") {
  ProxyReader whole;
  std::string_view input = "PROXY UNKNOWN\r\nmore";
  CHECK(whole.take(input) == State::kWhole);
  CHECK(whole.take(input) == State::kWhole);
  CHECK(input == "more");
  ProxyReader refused;
  input = "PxROXY";
  CHECK(refused.take(input) == State::kRefused);
  CHECK(input == "ROXY");
  CHECK(refused.take(input) == State::kRefused);
  CHECK(input == "ROXY");
  CHECK(refused.fault() == ProxyFault::kNotOne);
}

TEST_CASE("proxy_header: what could not have been written down is refused",
          "[clients][proxy_header]") {
  for (const std::string_view bytes : {"PROXY UNKNOWN\r\n", "hello", "PROXY UNKNOWN\r\nmore"}) {
    ByteWriter out;
    out.text(bytes);
    ByteReader in{out.bytes()};
    ProxyReader reader;
    reader.restore(in);
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("proxy_header: random facts are understood as they were meant",
          "[clients][proxy_header][model]") {
  std::mt19937 random{20'261'129};
  const auto below = [&](std::size_t bound) { return std::size_t{random()} % bound; };
  for (int round = 0; round < 500; ++round) {
    std::string facts;
    std::string meant = kIpv4Read;
    const std::string authority(below(20), 'a');
    if (below(2) == 0) facts += fact(0x04, std::string(below(50), '\xFF'));
    if (below(2) == 0) facts += fact(0xEE, std::string(below(300), '\x20'));
    if (below(2) == 0) {
      facts += fact(0x02, authority);
      if (!authority.empty()) meant += " for " + authority;
    }
    if (below(2) == 0) {
      facts += fact(0x01, "chat");
      meant += " alpn chat";
    }
    if (below(2) == 0) {
      const bool verified = below(2) == 0;
      facts += ssl_fact(0x03, std::string(3, '\0') + (verified ? '\0' : '\x01'),
                        fact(0x23, "cipher") + fact(0x21, "TLSv1.2") + fact(0x22, "ann"));
      meant += verified ? " tls{TLSv1.2 ann verified}" : " tls{TLSv1.2 ann}";
    }
    auto bytes = below(2) == 0 ? ipv4(facts) : with_checksum(ipv4(facts + fact(0x03, "....")));
    bytes += "\n";
    REQUIRE(read(bytes, below(bytes.size()) + 1, 1 + below(90), below(2) == 0) ==
            meant + ", then \\x0a");
  }
}

}  // namespace chatd
