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
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/bytes.hpp"
#include "clients/proxy_facts.hpp"

namespace chatd {
namespace {

using namespace std::literals;

/// Two signatures have no beginning in common, and the second one is in no text (section 2.2).
constexpr auto kSignature1 = "PROXY "sv;
constexpr auto kSignature2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixed = 16;
constexpr std::size_t kPathSize = 108;

/// One end of the connection, out of the bytes of an address and its port.
class End {
 public:
  static End of_ipv4(std::string_view address, std::uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.data(), sizeof in.sin_addr);
    return {in, sizeof in};
  }
  static End of_ipv6(std::string_view address, std::uint16_t port) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::memcpy(&in6.sin6_addr, address.data(), sizeof in6.sin6_addr);
    return {in6, sizeof in6};
  }
  /// A path of a unix socket, which ends with its first NUL; none of one without a file.
  static End of_path(std::string_view path) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    path = path.substr(0, std::min(path.find('\0'), sizeof un.sun_path));
    std::memcpy(un.sun_path, path.data(), path.size());
    return {un, offsetof(sockaddr_un, sun_path) + path.size()};
  }

  [[nodiscard]] io::Peer peer() const { return {storage_, length_}; }
  [[nodiscard]] io::Endpoint endpoint() const { return io::Endpoint::of(storage_, length_); }

 private:
  template <class Address>
  End(const Address& address, std::size_t length) : length_{static_cast<socklen_t>(length)} {
    std::memcpy(&storage_, &address, sizeof address);
  }

  sockaddr_storage storage_{};
  socklen_t length_;
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

std::optional<End> end_of(bool ipv4, std::string_view address, std::string_view port_word) {
  const auto port = port_of(port_word);
  std::array<char, sizeof(in6_addr)> bytes{};
  const int family = ipv4 ? AF_INET : AF_INET6;
  if (!port || ::inet_pton(family, std::string{address}.c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  const std::string_view read{bytes.data(), bytes.size()};
  return ipv4 ? End::of_ipv4(read, *port) : End::of_ipv6(read, *port);
}

/// `line` is what stands between the signature and CRLF.
bool read_line(std::string_view line, ProxyHeader& header) {
  header.version = 1;
  const auto is_printable = [](char c) { return c >= ' ' && c < '\x7F'; };
  if (!std::all_of(line.begin(), line.end(), is_printable)) return false;
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return true;  // whatever follows
  const auto protocol = take_word(line);
  if (protocol != "TCP4" && protocol != "TCP6") return false;
  const bool ipv4 = protocol == "TCP4";
  const auto source = take_word(line);
  const auto destination = take_word(line);
  const auto source_port = take_word(line);
  const auto from = end_of(ipv4, source, source_port);
  const auto to = end_of(ipv4, destination, line);
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
  const auto command = proxy_byte(fixed, 12);
  const auto family = proxy_byte(fixed, 13);
  const auto length = proxy_number(fixed, 14);
  const bool local = command == static_cast<std::uint8_t>(Command::kLocal);
  if (!local && command != static_cast<std::uint8_t>(Command::kProxy)) return ProxyFault::kCommand;
  if (length > kMostProxyHeader - kFixed) return ProxyFault::kTooLong;
  if (local) return ProxyFault::kNone;  // all that follows is skipped, whatever it is
  if (!is_family(family)) return ProxyFault::kFamily;
  if (length < size_of_addresses(static_cast<Family>(family))) return ProxyFault::kLength;
  return ProxyFault::kNone;
}

void read_addresses(Family family, std::string_view bytes, ProxyHeader& header) {
  const auto read_both = [&](auto make, std::size_t size) {
    const auto port = [&](std::size_t at) {
      return static_cast<std::uint16_t>(proxy_number(bytes, 2 * size + at));
    };
    header.source = make(bytes.substr(0, size), port(0)).peer();
    header.destination = make(bytes.substr(size, size), port(2)).endpoint();
  };
  if (family == Family::kIpv4) {
    read_both(End::of_ipv4, sizeof(in_addr));
  } else if (family == Family::kIpv6) {
    read_both(End::of_ipv6, sizeof(in6_addr));
  } else {
    header.source = End::of_path(bytes.substr(0, kPathSize)).peer();
    header.destination = End::of_path(bytes.substr(kPathSize, kPathSize)).endpoint();
  }
}

ProxyFault read_binary(std::string_view whole, ProxyHeader& header) {
  header.version = 2;
  header.local = proxy_byte(whole, 12) == static_cast<std::uint8_t>(Command::kLocal);
  const auto family = static_cast<Family>(proxy_byte(whole, 13));
  if (header.local || family == Family::kUnspecified) return ProxyFault::kNone;
  const auto addresses = size_of_addresses(family);
  read_addresses(family, whole.substr(kFixed, addresses), header);
  return read_proxy_facts(whole.substr(kFixed + addresses), whole, header);
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
  const auto whole = bytes_.size() < kFixed ? kFixed : kFixed + proxy_number(bytes_, 14);
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
  if (bytes_.size() < kFixed + proxy_number(bytes_, 14)) return ProxyFault::kNone;
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
