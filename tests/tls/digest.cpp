// SHA-1 in base64.
#include "tls/digest.hpp"

#include "support/catch.hpp"

namespace chatd::tls {
namespace {

TEST_CASE("digest: the handshake of RFC 6455, 1.3", "[tls][digest]") {
  CHECK(sha1_base64("dGhlIHNhbXBsZSBub25jZQ=="
                    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("digest: vectors of FIPS 180", "[tls][digest]") {
  CHECK(sha1_base64("") == "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
  CHECK(sha1_base64("abc") == "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
}

}  // namespace
}  // namespace chatd::tls
