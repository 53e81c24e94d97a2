/// The encryption of single records of TLS 1.3 (RFC 8446, 5.2). OpenSSL's context for a cipher
/// takes some hundred bytes to 2 KiB; so all sessions of a thread share one for each suite and
/// direction, and its key is set anew for each record.
///
/// For the sources of this room alone.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "tls/openssl.hpp"
#include "tls/traffic_key.hpp"

namespace chatd::tls {

class Aead {
 public:
  enum class Direction : std::uint8_t { kSealing, kOpening };

  /// This thread's one.
  [[nodiscard]] static Aead& of(Suite suite, Direction direction);
  /// Both directions forget the key that was used last.
  static void forget_keys(Suite suite);

  Aead(Suite suite, Direction direction);

  /// Writes `content` and `type`, encrypted, and the tag to `out`: content.size() + 1 + kTagBytes
  /// bytes. `header` is the record's, and is authenticated. Counts the record in `key`.
  void seal(TrafficKey& key, std::string_view header, std::string_view content, unsigned char type,
            char* out);
  /// Writes what was encrypted, type and padding included, to `out`: sealed.size() - kTagBytes
  /// bytes. False if the tag is wrong: then they mean nothing. `sealed` has kTagBytes at least.
  [[nodiscard]] bool open(TrafficKey& key, std::string_view header, std::string_view sealed,
                          char* out);

 private:
  void forget();

  std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>> context_;
  Direction direction_;
};

}  // namespace chatd::tls
