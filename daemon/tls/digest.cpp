#include "tls/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>

#include "tls/require_memory.hpp"

namespace chatd::tls {

namespace {

constexpr std::size_t kSha1Bytes = 20;
constexpr std::size_t kBase64OfSha1 = 28;

}  // namespace

std::string sha1_base64(std::string_view text) {
  std::array<unsigned char, kSha1Bytes> digest{};
  require_memory(
      EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
  std::array<unsigned char, kBase64OfSha1 + 1> encoded{};  // EVP_EncodeBlock() adds a NUL
  EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {encoded.begin(), encoded.end() - 1};
}

}  // namespace chatd::tls
