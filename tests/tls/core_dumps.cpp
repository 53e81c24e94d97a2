// A process that has a key, or the secrets of a session, leaves no core file.
#include "tls/core_dumps.hpp"

#include <sys/prctl.h>

#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/tls_pair.hpp"
#include "tls/client_handshake.hpp"
#include "tls/record_layer.hpp"
#include "tls/self_signed.hpp"

namespace chatd::tls {
namespace {

/// Whether it would leave one after that. Other tests have been here before.
bool leaves_core_file_after(const std::function<void()>& what) {
  REQUIRE(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
  what();
  return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

TEST_CASE("core dumps: who has read a key leaves none", "[tls]") {
  test::CredentialFolder folder;
  folder.with(test::issue({.common_name = "chat.example"}));
  CHECK_FALSE(leaves_core_file_after([&] { (void)folder.load(); }));
  // The key may be in the file of the certificate, which is read first.
  folder.files().certificates[0].certificate = folder.folder() / "missing";
  CHECK_FALSE(leaves_core_file_after([&] { (void)folder.fault(); }));
}

TEST_CASE("core dumps: who has made a key leaves none", "[tls]") {
  CHECK_FALSE(leaves_core_file_after([] { (void)make_self_signed({"a"}, test::wall_clock()); }));
}

TEST_CASE("core dumps: who has the secrets of a session leaves none", "[tls]") {
  const std::string secret(secret_bytes_of(Suite::kAes128GcmSha256), 's');
  const RecordLayer::Secret both{secret, 0};
  ByteWriter out;
  RecordLayer{Suite::kAes128GcmSha256, both, both}.save(out);
  CHECK_FALSE(leaves_core_file_after([&] {
    ByteReader in{out.bytes()};
    CHECK(RecordLayer::restore(in));
  }));
  CHECK_FALSE(leaves_core_file_after([] { (void)ClientHandshake::begin("a", {}); }));
}

}  // namespace
}  // namespace chatd::tls
