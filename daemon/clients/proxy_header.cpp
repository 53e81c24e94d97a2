// The sections named here are those of proxy-protocol.txt.
#include "clients/proxy_header.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace chatd {
namespace {

using namespace std::literals;

/// Two signatures have no beginning in common, and the second one is in no text (section 2.2).
constexpr auto kSignature1 = "PROXY "sv;
constexpr auto kSignature2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixed = 16;
constexpr std::size_t kPathSize = 108;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

/// In the order of the network.
std::size_t number_at(std::string_view bytes, std::size_t at) {
  return std::size_t{byte_at(bytes, at)} << 8U | byte_at(bytes, at + 1);
}

/// One end of the connection, out of the bytes of an address and its port.
class End {
 public:
  End(int family, std::string_view address, std::uint16_t port) {
    if (family == AF_INET) {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_port = htons(port);
      std::memcpy(&in.sin_addr, address.data(), sizeof in.sin_addr);
      take(in);
    } else {
      sockaddr_in6 in6{};
      in6.sin6_family = AF_INET6;
      in6.sin6_port = htons(port);
      std::memcpy(&in6.sin6_addr, address.data(), sizeof in6.sin6_addr);
      take(in6);
    }
  }
  /// A path of a unix socket, which ends with its first NUL; "" of nobody knows which.
  explicit End(std::string_view path) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    path = path.substr(0, std::min(path.find('\0'), path.size()));
    std::memcpy(un.sun_path, path.data(), std::min(path.size(), sizeof un.sun_path));
    take(un);
    length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  }

  [[nodiscard]] io::Peer peer() const { return {storage_, length_}; }
  [[nodiscard]] io::Endpoint endpoint() const { return io::Endpoint::of(storage_, length_); }

 private:
  template <class Address>
  void take(const Address& address) {
    std::memcpy(&storage_, &address, sizeof address);
    length_ = sizeof address;
  }

  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// ---- version 1 ----

/// Takes the word before the next blank; of the last one, all.
std::string_view take_word(std::string_view& line) {
  const auto size = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, size);
  line.remove_prefix(std::min(size + 1, line.size()));
  return word;
}

/// 0 to 65535 without zeros in front (section 2.1).
std::optional<std::uint16_t> port_of(std::string_view word) {
  if (word.starts_with('0') && word != "0") return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return port;
}

std::optional<End> end_of(int family, std::string_view address, std::string_view port_word) {
  const auto port = port_of(port_word);
  std::array<char, sizeof(in6_addr)> bytes{};
  if (!port || ::inet_pton(family, std::string{address}.c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  return End{family, {bytes.data(), bytes.size()}, *port};
}

/// `line` is what stands between the signature and CRLF.
bool read_line(std::string_view line, ProxyHeader& header) {
  header.version = 1;
  const auto is_printable = [](char c) { return c >= ' ' && c < '\x7F'; };
  if (!std::all_of(line.begin(), line.end(), is_printable)) return false;
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return true;  // whatever follows
  if (std::count(line.begin(), line.end(), ' ') != 4) return false;
  const auto protocol = take_word(line);
  if (protocol != "TCP4" && protocol != "TCP6") return false;
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const auto source = take_word(line);
  const auto destination = take_word(line);
  const auto source_port = take_word(line);
  const auto from = end_of(family, source, source_port);
  const auto to = end_of(family, destination, line);
  if (!from || !to) return false;
  header.source = from->peer();
  header.destination = to->endpoint();
  return true;
}

// ---- version 2 ----

enum class Command : std::uint8_t { kLocal = 0x20, kProxy = 0x21 };

/// Family and transport, of streams (section 2.2).
enum class Family : std::uint8_t { kUnspecified = 0x00, kIpv4 = 0x11, kIpv6 = 0x21, kUnix = 0x31 };

/// Of both addresses with their ports.
std::size_t size_of_addresses(Family family) {
  switch (family) {
    case Family::kIpv4:
      return 2 * (4 + 2);
    case Family::kIpv6:
      return 2 * (16 + 2);
    case Family::kUnix:
      return 2 * kPathSize;
    case Family::kUnspecified:
      break;
  }
  return 0;
}

bool is_family(std::uint8_t byte) {
  return byte == static_cast<std::uint8_t>(Family::kUnspecified) ||
         size_of_addresses(static_cast<Family>(byte)) > 0;
}

/// What the fixed part says must not be.
ProxyFault fault_of_fixed(std::string_view fixed) {
  const auto command = byte_at(fixed, 12);
  const auto family = byte_at(fixed, 13);
  const auto length = number_at(fixed, 14);
  const bool local = command == static_cast<std::uint8_t>(Command::kLocal);
  if (!local && command != static_cast<std::uint8_t>(Command::kProxy)) return ProxyFault::kCommand;
  if (length > kMostProxyHeader - kFixed) return ProxyFault::kTooLong;
  if (local) return ProxyFault::kNone;  // all that follows is skipped, whatever it is
  if (!is_family(family)) return ProxyFault::kFamily;
  if (length < size_of_addresses(static_cast<Family>(family))) return ProxyFault::kLength;
  return ProxyFault::kNone;
}

void read_addresses(Family family, std::string_view bytes, ProxyHeader& header) {
  if (family == Family::kUnix) {
    header.source = End{bytes.substr(0, kPathSize)}.peer();
    header.destination = End{bytes.substr(kPathSize, kPathSize)}.endpoint();
    return;
  }
  const int kind = family == Family::kIpv4 ? AF_INET : AF_INET6;
  const std::size_t size = family == Family::kIpv4 ? 4 : 16;
  const auto port = [&](std::size_t at) {
    return static_cast<std::uint16_t>(number_at(bytes, at));
  };
  header.source = End{kind, bytes.substr(0, size), port(2 * size)}.peer();
  header.destination = End{kind, bytes.substr(size, size), port(2 * size + 2)}.endpoint();
}

/// A fact: PP2_TYPE_..., and within that of SSL, PP2_SUBTYPE_... (sections 2.2.1 to 2.2.7).
enum class Type : std::uint8_t {
  kAlpn = 0x01,
  kAuthority = 0x02,
  kChecksum = 0x03,
  kSsl = 0x20,
  kSslVersion = 0x21,
  kSslName = 0x22,
};

constexpr std::uint8_t kSslUsed = 0x01;
constexpr std::uint8_t kSslCertificate = 0x02 | 0x04;  ///< on this connection, or of its session

struct Fact {
  Type type{};
  std::string_view value;
};

/// Takes the next fact off the front of `bytes`; false if it does not fit.
bool take_fact(std::string_view& bytes, Fact& fact) {
  constexpr std::size_t kHead = 3;
  if (bytes.size() < kHead) return false;
  const auto size = number_at(bytes, 1);
  if (bytes.size() - kHead < size) return false;
  fact = {static_cast<Type>(byte_at(bytes, 0)), bytes.substr(kHead, size)};
  bytes.remove_prefix(kHead + size);
  return true;
}

/// The facts that are used here, of which each may stand once. Their names are different in SSL
/// and outside of it.
class Seen {
 public:
  /// False the second time.
  bool first(Type type) { return !std::exchange(seen_[static_cast<std::uint8_t>(type)], true); }

 private:
  std::array<bool, 256> seen_{};
};

std::string utf8_or_nothing(std::string_view text) {
  return is_utf8(text) ? std::string{text} : std::string{};
}

bool is_version(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

/// Of the value of PP2_TYPE_SSL: what the client has done, whether the proxy has verified it, and
/// facts of its own (section 2.2.6).
ProxyFault read_ssl(std::string_view value, Seen& seen, ProxyHeader& header) {
  constexpr std::size_t kHead = 5;
  if (value.size() < kHead) return ProxyFault::kFacts;
  const auto client = byte_at(value, 0);
  const bool verified = value.substr(1, 4) == "\0\0\0\0"sv;
  ProxyHeader::Tls tls;
  tls.verified = verified && (client & kSslCertificate) != 0;
  Fact fact;
  for (auto rest = value.substr(kHead); !rest.empty();) {
    if (!take_fact(rest, fact)) return ProxyFault::kFacts;
    if (fact.type != Type::kSslVersion && fact.type != Type::kSslName) continue;
    if (!seen.first(fact.type)) return ProxyFault::kRepeated;
    if (fact.type == Type::kSslName) {
      tls.name = utf8_or_nothing(fact.value);
    } else if (is_version(fact.value)) {
      tls.version = fact.value;
    } else {
      return ProxyFault::kFacts;
    }
  }
  if ((client & kSslUsed) != 0) header.tls = std::move(tls);
  return ProxyFault::kNone;
}

/// `zeros` is part of `bytes`, and counts as zeros (section 2.2.3).
std::uint32_t crc32c(std::string_view bytes, std::string_view zeros) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli's, reversed
  const auto begin = static_cast<std::size_t>(zeros.data() - bytes.data());
  std::uint32_t sum = ~std::uint32_t{0};
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const bool zero = at >= begin && at < begin + zeros.size();
    sum ^= zero ? 0 : byte_at(bytes, at);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? kPolynomial : 0);
  }
  return ~sum;
}

ProxyFault check_sum(std::string_view value, std::string_view whole) {
  if (value.size() != sizeof(std::uint32_t)) return ProxyFault::kFacts;
  const auto sum = static_cast<std::uint32_t>(number_at(value, 0) << 16U | number_at(value, 2));
  return sum == crc32c(whole, value) ? ProxyFault::kNone : ProxyFault::kChecksum;
}

/// `whole` is the whole header, of which `rest` is the end.
ProxyFault read_facts(std::string_view rest, std::string_view whole, ProxyHeader& header) {
  Seen seen;
  Fact fact;
  while (!rest.empty()) {
    if (!take_fact(rest, fact)) return ProxyFault::kFacts;
    const bool used = fact.type == Type::kAlpn || fact.type == Type::kAuthority ||
                      fact.type == Type::kChecksum || fact.type == Type::kSsl;
    if (!used) continue;
    if (!seen.first(fact.type)) return ProxyFault::kRepeated;
    auto fault = ProxyFault::kNone;
    if (fact.type == Type::kAlpn) header.alpn = fact.value;
    if (fact.type == Type::kAuthority) header.authority = utf8_or_nothing(fact.value);
    if (fact.type == Type::kChecksum) fault = check_sum(fact.value, whole);
    if (fact.type == Type::kSsl) fault = read_ssl(fact.value, seen, header);
    if (fault != ProxyFault::kNone) return fault;
  }
  return ProxyFault::kNone;
}

ProxyFault read_binary(std::string_view whole, ProxyHeader& header) {
  header.version = 2;
  header.local = byte_at(whole, 12) == static_cast<std::uint8_t>(Command::kLocal);
  const auto family = static_cast<Family>(byte_at(whole, 13));
  if (header.local || family == Family::kUnspecified) return ProxyFault::kNone;
  const auto addresses = size_of_addresses(family);
  read_addresses(family, whole.substr(kFixed, addresses), header);
  return read_facts(whole.substr(kFixed + addresses), whole, header);
}

}  // namespace

std::string_view to_string(ProxyFault fault) {
  switch (fault) {
    case ProxyFault::kNone:
      return "is right";
    case ProxyFault::kNotOne:
      return "is missing";
    case ProxyFault::kLine:
      return "is not what version 1 says";
    case ProxyFault::kTooLong:
      return "is too long";
    case ProxyFault::kCommand:
      return "has an unknown version or command";
    case ProxyFault::kFamily:
      return "has an unknown family of addresses";
    case ProxyFault::kLength:
      return "is too short for its addresses";
    case ProxyFault::kFacts:
      return "has a malformed TLV";
    case ProxyFault::kRepeated:
      return "has the same TLV twice";
    case ProxyFault::kChecksum:
      return "has a wrong checksum";
  }
  return "is wrong";
}

ProxyReader::State ProxyReader::take(std::string_view& input) {
  while (!is_over() && !input.empty()) {
    const auto part = input.substr(0, next_size(input));
    bytes_ += part;
    input.remove_prefix(part.size());
    const auto fault = look();
    if (fault != ProxyFault::kNone) return refuse(fault);
  }
  return state_;
}

/// How much of `input` may be taken before it has to be looked at again, at least a byte.
std::size_t ProxyReader::next_size(std::string_view input) const {
  if (state_ == State::kPerhaps) return 1;
  if (bytes_.starts_with(kSignature1)) {
    const auto end = std::min(input.find('\n'), input.size() - 1) + 1;
    return std::min(end, kMostProxyLine - bytes_.size());
  }
  const auto whole = bytes_.size() < kFixed ? kFixed : kFixed + number_at(bytes_, 14);
  assert(whole > bytes_.size());
  return whole - bytes_.size();
}

/// Looks at what has come. Whatever is wrong is said at the same byte, however it was cut.
ProxyFault ProxyReader::look() {
  if (state_ == State::kPerhaps) return look_at_signature();
  return bytes_.starts_with(kSignature1) ? look_at_line() : look_at_binary();
}

ProxyFault ProxyReader::look_at_signature() {
  const auto matches = [this](std::string_view signature) {
    if (bytes_ == signature) state_ = State::kBegun;
    return signature.starts_with(bytes_);
  };
  return matches(kSignature1) || matches(kSignature2) ? ProxyFault::kNone : ProxyFault::kNotOne;
}

ProxyFault ProxyReader::look_at_line() {
  std::string_view line = bytes_;
  if (!line.ends_with('\n')) {
    return line.size() < kMostProxyLine ? ProxyFault::kNone : ProxyFault::kTooLong;
  }
  line.remove_suffix(1);
  if (!line.ends_with('\r')) return ProxyFault::kLine;
  line.remove_suffix(1);
  line.remove_prefix(kSignature1.size());
  if (!read_line(line, header_)) return ProxyFault::kLine;
  state_ = State::kWhole;
  return ProxyFault::kNone;
}

ProxyFault ProxyReader::look_at_binary() {
  if (bytes_.size() < kFixed) return ProxyFault::kNone;
  if (bytes_.size() == kFixed) {
    const auto fault = fault_of_fixed(bytes_);
    if (fault != ProxyFault::kNone) return fault;
  }
  if (bytes_.size() < kFixed + number_at(bytes_, 14)) return ProxyFault::kNone;
  state_ = State::kWhole;
  return read_binary(bytes_, header_);
}

ProxyReader::State ProxyReader::refuse(ProxyFault fault) {
  header_ = {};
  fault_ = fault;
  return state_ = State::kRefused;
}

void ProxyReader::save(ByteWriter& out) const {
  out.text(bytes_);
}

/// The bytes say everything: they are read again.
void ProxyReader::restore(ByteReader& in) {
  auto bytes = in.text();
  in.require(take(bytes) < State::kWhole);
}

}  // namespace chatd
