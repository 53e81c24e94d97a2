#include "tls/sha256.hpp"

#include <openssl/evp.h>

#include <cassert>

namespace chatd::tls {

Sha256 sha256(std::string_view text) {
  Sha256 digest{};
  [[maybe_unused]] const int made =
      EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  assert(made == 1);
  return digest;
}

}  // namespace chatd::tls
