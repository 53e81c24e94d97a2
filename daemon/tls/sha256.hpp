/// SHA-256 (FIPS 180-4), for rooms that know no OpenSSL.
#pragma once

#include <array>
#include <string_view>

namespace chatd::tls {

using Sha256 = std::array<unsigned char, 32>;

[[nodiscard]] Sha256 sha256(std::string_view text);

}  // namespace chatd::tls
