#include "tls/self_signed.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <ctime>

#include "tls/core_dumps.hpp"
#include "tls/openssl.hpp"
#include "tls/require_memory.hpp"

namespace chatd::tls {

namespace {

using namespace std::chrono_literals;
using UniqueOctets = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;

constexpr auto kSlowClock = 1h;
/// Both ends are part of the time (RFC 5280, 4.1.2.5).
constexpr auto kLifetime = 24h * 825 - 1s;
/// RFC 5280, 4.1.2.2: at most 20 bytes, and positive.
constexpr std::size_t kSerialBytes = 16;
/// RFC 5280, appendix A: ub-common-name.
constexpr std::size_t kMostCommonName = 64;
constexpr std::size_t kMostName = 253;
constexpr std::size_t kMostLabel = 63;

/// The address in the order of the network, or nothing.
std::string address_of(const std::string& host) {
  std::array<char, sizeof(in6_addr)> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) return {bytes.data(), bytes.size()};
  return {};
}

bool is_label(std::string_view label) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !label.empty() && label.size() <= kMostLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), good);
}

bool is_name(std::string_view host) {
  if (host.size() > kMostName) return false;
  for (;;) {
    const auto dot = host.find('.');
    const auto label = host.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) {
      // A last label of digits makes an address of it (RFC 1123, 2.1), which this is not.
      return label.find_first_not_of("0123456789") != std::string_view::npos;
    }
    host.remove_prefix(dot + 1);
  }
}

void set_serial(X509* x509) {
  std::array<unsigned char, kSerialBytes> bytes{};
  require_memory(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  bytes.front() = static_cast<unsigned char>((bytes.front() & 0x3fU) | 0x40U);
  ASN1_STRING_set(X509_get_serialNumber(x509), bytes.data(), static_cast<int>(bytes.size()));
}

void set_time(ASN1_TIME* to, WallTime time) {
  using std::chrono::floor;
  const auto seconds = floor<std::chrono::seconds>(time).time_since_epoch().count();
  require_memory(ASN1_TIME_set(to, static_cast<std::time_t>(seconds)) != nullptr);
}

void set_names(X509* x509, const std::string& common_name) {
  auto* const subject = X509_get_subject_name(x509);
  require_memory(
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) == 1);
  X509_set_issuer_name(x509, subject);
}

void extend(X509* x509, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension{
      X509V3_EXT_conf_nid(nullptr, &context, kind, value)};
  require_memory(extension != nullptr);
  X509_add_ext(x509, extension.get(), -1);
}

/// Not by a text of configuration, in which a name could say more than a name.
void add_hosts(X509* x509, const std::vector<std::string>& hosts) {
  const UniqueNames names{sk_GENERAL_NAME_new_null()};
  for (const auto& host : hosts) {
    const auto address = address_of(host);
    const auto& value = address.empty() ? host : address;
    ASN1_STRING* text = address.empty() ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    ASN1_STRING_set(text, value.data(), static_cast<int>(value.size()));
    GENERAL_NAME* const name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, address.empty() ? GEN_DNS : GEN_IPADD, text);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  require_memory(
      X509_add1_ext_i2d(x509, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

std::string_view bytes_in(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string fingerprint_of(const X509* x509) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(x509, EVP_sha256(), digest.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kDigits[digest[i] >> 4U];
    text += kDigits[digest[i] & 0xfU];
  }
  return text;
}

}  // namespace

std::string fault_of_host(std::string_view host) {
  if (!address_of(std::string{host}).empty() || is_name(host)) return {};
  if (host.find('%') != std::string_view::npos) {
    return "has an interface, which a certificate cannot name";
  }
  if (host.find('*') != std::string_view::npos) return "is no host; name each of them";
  const bool foreign = std::any_of(host.begin(), host.end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (foreign) return "has letters that are none of DNS; its form that begins with xn-- is right";
  return "is neither the name of a host nor an address";
}

SelfSigned make_self_signed(const std::vector<std::string>& hosts, WallTime now) {
  assert(!hosts.empty());
  keep_out_of_core_dumps();
  const UniquePkey key{EVP_EC_gen("P-256")};
  const UniqueX509 x509{X509_new()};
  require_memory(key != nullptr && x509 != nullptr);
  X509_set_version(x509.get(), X509_VERSION_3);
  set_serial(x509.get());
  SelfSigned made;
  const WallTime not_before = now - kSlowClock;
  made.not_after = not_before + kLifetime;
  set_time(X509_getm_notBefore(x509.get()), not_before);
  set_time(X509_getm_notAfter(x509.get()), made.not_after);
  X509_set_pubkey(x509.get(), key.get());
  set_names(x509.get(), hosts.front().size() <= kMostCommonName ? hosts.front() : "chatd");
  extend(x509.get(), NID_subject_key_identifier, "hash");
  extend(x509.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(x509.get(), NID_key_usage, "critical,digitalSignature");
  extend(x509.get(), NID_ext_key_usage, "serverAuth");
  add_hosts(x509.get(), hosts);
  require_memory(X509_sign(x509.get(), key.get(), EVP_sha256()) > 0);

  const UniqueBio certificate{BIO_new(BIO_s_mem())};
  require_memory(PEM_write_bio_X509(certificate.get(), x509.get()) == 1);
  made.certificate = bytes_in(certificate.get());
  // OpenSSL overwrites memory of this kind when it is freed.
  const UniqueBio secret{BIO_new(BIO_s_secmem())};
  require_memory(PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1);
  const auto text = bytes_in(secret.get());
  made.key = CleansedText{text.size()};
  text.copy(made.key.data(), text.size());
  made.fingerprint = fingerprint_of(x509.get());
  return made;
}

}  // namespace chatd::tls
