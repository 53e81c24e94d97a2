/// The cipher suites of TLS 1.3 that a session may have (RFC 8446, B.4), by their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatd::tls {

enum class Suite : std::uint16_t {
  kAes128GcmSha256 = 0x1301,
  kAes256GcmSha384 = 0x1302,
  kChacha20Poly1305Sha256 = 0x1303,
};

inline constexpr std::size_t kSuites = 3;
inline constexpr std::size_t kMostSecretBytes = 48;
inline constexpr std::size_t kMostKeyBytes = 32;
/// Of all three.
inline constexpr std::size_t kIvBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

[[nodiscard]] constexpr std::optional<Suite> suite_of_number(std::uint32_t number) {
  if (number < 0x1301 || number > 0x1303) return std::nullopt;
  return static_cast<Suite>(number);
}

/// From 0 on, without gaps.
[[nodiscard]] constexpr std::size_t index_of(Suite suite) {
  return static_cast<std::size_t>(suite) - static_cast<std::size_t>(Suite::kAes128GcmSha256);
}

/// The length of its hash, and so of its secrets.
[[nodiscard]] constexpr std::size_t secret_bytes_of(Suite suite) {
  return suite == Suite::kAes256GcmSha384 ? 48 : 32;
}

[[nodiscard]] constexpr std::size_t key_bytes_of(Suite suite) {
  return suite == Suite::kAes128GcmSha256 ? 16 : 32;
}

/// As the RFC spells it.
[[nodiscard]] constexpr std::string_view name_of(Suite suite) {
  switch (suite) {
    case Suite::kAes128GcmSha256:
      return "TLS_AES_128_GCM_SHA256";
    case Suite::kAes256GcmSha384:
      return "TLS_AES_256_GCM_SHA384";
    case Suite::kChacha20Poly1305Sha256:
      return "TLS_CHACHA20_POLY1305_SHA256";
  }
  return "";
}

}  // namespace chatd::tls
