#include "tls/aead.hpp"

#include <array>
#include <cassert>

#include "tls/require_memory.hpp"

namespace chatd::tls {

namespace {

const char* cipher_of(Suite suite) {
  switch (suite) {
    case Suite::kAes128GcmSha256:
      return "AES-128-GCM";
    case Suite::kAes256GcmSha384:
      return "AES-256-GCM";
    case Suite::kChacha20Poly1305Sha256:
      return "ChaCha20-Poly1305";
  }
  return "";
}

std::unique_ptr<Aead>& shared(Suite suite, Aead::Direction direction) {
  thread_local std::array<std::unique_ptr<Aead>, 2 * kSuites> all;
  return all[2 * index_of(suite) + static_cast<std::size_t>(direction)];
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

}  // namespace

Aead& Aead::of(Suite suite, Direction direction) {
  auto& one = shared(suite, direction);
  if (!one) one = std::make_unique<Aead>(suite, direction);
  return *one;
}

void Aead::forget_keys(Suite suite) {
  for (const auto direction : {Direction::kSealing, Direction::kOpening}) {
    if (const auto& one = shared(suite, direction)) one->forget();
  }
}

Aead::Aead(Suite suite, Direction direction)
    : context_{EVP_CIPHER_CTX_new()}, direction_{direction} {
  const std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>> cipher{
      EVP_CIPHER_fetch(nullptr, cipher_of(suite), nullptr)};
  const int seals = direction == Direction::kSealing ? 1 : 0;
  require_memory(
      EVP_CipherInit_ex2(context_.get(), cipher.get(), nullptr, nullptr, seals, nullptr) == 1);
}

void Aead::seal(TrafficKey& key, std::string_view header, std::string_view content,
                unsigned char type, char* out) {
  const auto nonce = key.take_nonce();
  auto* context = context_.get();
  auto* to = bytes_of(out);
  int size = 0;
  bool good = EVP_EncryptInit_ex2(context, nullptr, key.key(), nonce.data(), nullptr) == 1;
  good = good && EVP_EncryptUpdate(context, nullptr, &size, bytes_of(header),
                                   static_cast<int>(header.size())) == 1;
  // In place, so that it is one call: each costs as much as the cipher takes for a short text.
  content.copy(out, content.size());
  to[content.size()] = type;
  const auto inner = static_cast<int>(content.size()) + 1;
  good = good && EVP_EncryptUpdate(context, to, &size, to, inner) == 1;
  to += inner;
  good = good && EVP_EncryptFinal_ex(context, to, &size) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, to) == 1;
  require_memory(good);  // no input of a peer's makes it fail
}

bool Aead::open(TrafficKey& key, std::string_view header, std::string_view sealed, char* out) {
  assert(sealed.size() >= kTagBytes);
  const auto text = sealed.substr(0, sealed.size() - kTagBytes);
  std::array<char, kTagBytes> tag{};
  sealed.substr(text.size()).copy(tag.data(), tag.size());
  const auto nonce = key.take_nonce();
  auto* context = context_.get();
  int size = 0;
  return EVP_DecryptInit_ex2(context, nullptr, key.key(), nonce.data(), nullptr) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &size, bytes_of(header),
                           static_cast<int>(header.size())) == 1 &&
         EVP_DecryptUpdate(context, bytes_of(out), &size, bytes_of(text),
                           static_cast<int>(text.size())) == 1 &&
         EVP_DecryptFinal_ex(context, bytes_of(out) + text.size(), &size) == 1;
}

void Aead::forget() {
  constexpr std::array<unsigned char, kMostKeyBytes> kNothing{};
  const int seals = direction_ == Direction::kSealing ? 1 : 0;
  (void)EVP_CipherInit_ex2(context_.get(), nullptr, kNothing.data(), kNothing.data(), seals,
                           nullptr);
}

}  // namespace chatd::tls
