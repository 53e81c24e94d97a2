#include "clients/page_tokens.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cassert>

#include "base/bytes.hpp"

namespace chatd {

namespace {

constexpr std::size_t kTokenBytes = 16;
constexpr std::string_view kDigits = "0123456789abcdef";

void save_hash(ByteWriter& out, const std::optional<PageTokens::Hash>& hash) {
  out.flag(hash.has_value());
  if (hash) out.text({reinterpret_cast<const char*>(hash->data()), hash->size()});
}

std::optional<PageTokens::Hash> read_hash(ByteReader& in) {
  if (!in.flag()) return {};
  PageTokens::Hash hash{};
  const auto bytes = in.text();
  in.require(bytes.size() == hash.size());
  if (!in.ok()) return {};
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

}  // namespace

void PageTokens::used(const Hash& token) {
  former_ = token;
  newest_.reset();
}

tls::CleansedText PageTokens::offer() {
  tls::Cleansed<kTokenBytes> random;
  // So few bytes come at once, or not at all.
  [[maybe_unused]] const auto got = ::getrandom(random.data(), kTokenBytes, 0);
  assert(got == static_cast<ssize_t>(kTokenBytes));
  tls::CleansedText token{2 * kTokenBytes};
  for (std::size_t i = 0; i < kTokenBytes; ++i) {
    token.data()[2 * i] = kDigits[random.data()[i] >> 4U];
    token.data()[2 * i + 1] = kDigits[random.data()[i] & 0xFU];
  }
  newest_ = hashed(token.view());
  return token;
}

std::vector<PageTokens::Hash> PageTokens::good() const {
  std::vector<Hash> all;
  for (const auto& each : {former_, newest_}) {
    if (each) all.push_back(*each);
  }
  return all;
}

void PageTokens::save(ByteWriter& out) const {
  save_hash(out, former_);
  save_hash(out, newest_);
}

void PageTokens::restore(ByteReader& in) {
  former_ = read_hash(in);
  newest_ = read_hash(in);
  in.require(former_ != newest_);  // and so there is one
}

}  // namespace chatd
