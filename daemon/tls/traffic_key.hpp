/// One direction of a session of TLS 1.3: its traffic secret, and the key and IV that follow from
/// it. It never shows the secret but to save(), and whoever owns it moves it or lets it go:
/// both overwrite it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tls/cleansed.hpp"
#include "tls/suite.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::tls {

/// HKDF-Expand-Label of RFC 8446, 7.1, with an empty context: writes `size` bytes, at most the
/// length of the suite's hash, to `out`. `secret` has secret_bytes_of(suite) bytes.
void expand_label(Suite suite, std::string_view secret, std::string_view label, unsigned char* out,
                  std::size_t size);

class TrafficKey {
 public:
  using Nonce = std::array<unsigned char, kIvBytes>;

  /// `secret` has secret_bytes_of(suite) bytes; with its key so many `records` were sealed.
  TrafficKey(Suite suite, std::string_view secret, std::uint64_t records);

  /// key_bytes_of(suite) bytes (RFC 8446, 7.3).
  [[nodiscard]] const unsigned char* key() const { return key_.data(); }
  [[nodiscard]] const unsigned char* iv() const { return iv_.data(); }
  /// How many records the present key has sealed or opened: the next one's number.
  [[nodiscard]] std::uint64_t records() const { return records_; }

  /// The nonce of the next record (RFC 8446, 5.3), which is counted: no nonce comes twice.
  [[nodiscard]] Nonce take_nonce();
  /// Goes on with the next secret (RFC 8446, 7.2), as a KeyUpdate says.
  void update(Suite suite);

  /// Writes all of it down, and reads it back. What follows from the secret is written too:
  /// ten thousand sessions would derive for a tenth of a second, while everybody waits.
  void save(ByteWriter& out, Suite suite) const;
  [[nodiscard]] static TrafficKey restore(ByteReader& in, Suite suite);

 private:
  TrafficKey() = default;

  void derive(Suite suite);

  Cleansed<kMostSecretBytes> secret_;
  Cleansed<kMostKeyBytes> key_;
  Cleansed<kIvBytes> iv_;
  std::uint64_t records_ = 0;
};

}  // namespace chatd::tls
