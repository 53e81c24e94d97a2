// SHA-256.
#include "tls/sha256.hpp"

#include <string>

#include "support/catch.hpp"

namespace chatd::tls {
namespace {

std::string in_hexadecimal(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : digest) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xFU];
  }
  return out;
}

TEST_CASE("sha256: vectors of FIPS 180", "[tls][sha256]") {
  CHECK(in_hexadecimal(sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(in_hexadecimal(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace chatd::tls
