#include "tls/cleansed.hpp"

#include <openssl/crypto.h>

namespace chatd::tls {

void cleanse(void* bytes, std::size_t size) noexcept {
  OPENSSL_cleanse(bytes, size);
}

}  // namespace chatd::tls
