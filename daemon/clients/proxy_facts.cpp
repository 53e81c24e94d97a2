// The sections named here are those of proxy-protocol.txt.
#include "clients/proxy_facts.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/text.hpp"

namespace chatd {
namespace {

using namespace std::literals;

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
  const auto size = proxy_number(bytes, 1);
  if (bytes.size() - kHead < size) return false;
  fact = {static_cast<Type>(proxy_byte(bytes, 0)), bytes.substr(kHead, size)};
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
  const auto client = proxy_byte(value, 0);
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
    sum ^= zero ? 0 : proxy_byte(bytes, at);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? kPolynomial : 0);
  }
  return ~sum;
}

ProxyFault check_sum(std::string_view value, std::string_view whole) {
  if (value.size() != sizeof(std::uint32_t)) return ProxyFault::kFacts;
  const auto sum =
      static_cast<std::uint32_t>(proxy_number(value, 0) << 16U | proxy_number(value, 2));
  return sum == crc32c(whole, value) ? ProxyFault::kNone : ProxyFault::kChecksum;
}

}  // namespace

ProxyFault read_proxy_facts(std::string_view rest, std::string_view whole, ProxyHeader& header) {
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

}  // namespace chatd
