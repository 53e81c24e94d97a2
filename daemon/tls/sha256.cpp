#include "tls/sha256.hpp"

#include <openssl/evp.h>

#include "tls/require_memory.hpp"

namespace chatd::tls {

Sha256 sha256(std::string_view text) {
  Sha256 digest{};
  require_memory(
      EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

}  // namespace chatd::tls
