// A process that has a key, or the secrets of a session, leaves no core file.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/tls_pair.hpp"

namespace chatd::test {
namespace {

TEST_CASE("core dumps: who has read a key leaves none", "[tls]") {
  CredentialFolder folder;
  folder.with(issue({.common_name = "chat.example"}));
  (void)folder.load();
  CHECK(::prctl(PR_GET_DUMPABLE) == 0);
}

}  // namespace
}  // namespace chatd::test
