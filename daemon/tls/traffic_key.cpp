#include "tls/traffic_key.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "tls/require_memory.hpp"

namespace chatd::tls {

namespace {

/// No session comes near it, and it can be counted on from there without an overflow.
constexpr std::uint64_t kMostRecordsEver = std::uint64_t{1} << 62U;

const EVP_MD* digest_of(Suite suite) {
  return suite == Suite::kAes256GcmSha384 ? EVP_sha384() : EVP_sha256();
}

}  // namespace

void expand_label(Suite suite, std::string_view secret, std::string_view label, unsigned char* out,
                  std::size_t size) {
  constexpr std::string_view kPrefix = "tls13 ";
  std::array<unsigned char, 32> info{};  // struct HkdfLabel, and HKDF's counter behind it
  assert(label.size() + kPrefix.size() + 5 <= info.size());
  assert(secret.size() == secret_bytes_of(suite) && size <= secret.size());
  std::size_t end = 0;
  const auto append = [&](std::string_view bytes) {
    for (const char byte : bytes) info[end++] = static_cast<unsigned char>(byte);
  };
  info[end++] = 0;
  info[end++] = static_cast<unsigned char>(size);
  info[end++] = static_cast<unsigned char>(kPrefix.size() + label.size());
  append(kPrefix);
  append(label);
  info[end++] = 0;  // no context
  info[end++] = 1;  // the first block of HKDF-Expand (RFC 5869, 2.3) has all that is wanted

  Cleansed<EVP_MAX_MD_SIZE> block;
  const auto* made = HMAC(digest_of(suite), secret.data(), static_cast<int>(secret.size()),
                          info.data(), end, block.data(), nullptr);
  require_memory(made != nullptr);
  block.view(size).copy(reinterpret_cast<char*>(out), size);
}

TrafficKey::TrafficKey(Suite suite, std::string_view secret, std::uint64_t records)
    : records_{records} {
  assert(secret.size() == secret_bytes_of(suite));
  secret_.assign(secret);
  derive(suite);
}

TrafficKey::Nonce TrafficKey::take_nonce() {
  Nonce nonce{};
  iv_.view().copy(reinterpret_cast<char*>(nonce.data()), nonce.size());
  auto number = records_++;
  for (auto at = nonce.size(); number != 0; number >>= 8U) {
    nonce[--at] ^= static_cast<unsigned char>(number);
  }
  return nonce;
}

void TrafficKey::update(Suite suite) {
  const auto size = secret_bytes_of(suite);
  Cleansed<kMostSecretBytes> next;
  expand_label(suite, secret_.view(size), "traffic upd", next.data(), size);
  secret_ = std::move(next);
  records_ = 0;
  derive(suite);
}

void TrafficKey::derive(Suite suite) {
  const auto secret = secret_.view(secret_bytes_of(suite));
  expand_label(suite, secret, "key", key_.data(), key_bytes_of(suite));
  expand_label(suite, secret, "iv", iv_.data(), kIvBytes);
}

void TrafficKey::save(ByteWriter& out, Suite suite) const {
  out.text(secret_.view(secret_bytes_of(suite)));
  out.text(key_.view(key_bytes_of(suite)));
  out.text(iv_.view());
  out.number(records_);
}

TrafficKey TrafficKey::restore(ByteReader& in, Suite suite) {
  TrafficKey made;
  const auto take = [&](std::size_t size, auto& to) {
    const auto bytes = in.text();
    in.require(bytes.size() == size);
    if (in.ok()) to.assign(bytes);
  };
  take(secret_bytes_of(suite), made.secret_);
  take(key_bytes_of(suite), made.key_);
  take(kIvBytes, made.iv_);
  made.records_ = in.number<std::uint64_t>();
  in.require(made.records_ <= kMostRecordsEver);
  return made;
}

}  // namespace chatd::tls
