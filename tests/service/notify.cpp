#include "service/notify.hpp"
#include "support/catch.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

using chatd::UniqueFd;
using chatd::service::Notify;

TEST_CASE("notify: a manager may have a socket without a file", "[service][notify]") {
  const auto name = "chatd-test-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const UniqueFd manager{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  REQUIRE(::bind(manager.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);

  const Notify notify{"@" + name};
  REQUIRE(notify.has_manager());
  REQUIRE(notify.say("READY=1"));
  char said[100];
  REQUIRE(::recv(manager.get(), said, sizeof said, MSG_DONTWAIT) == 7);
  CHECK(std::string(said, 7) == "READY=1");
}

TEST_CASE("notify: without a manager nothing is said", "[service][notify]") {
  for (const std::string& address :
       {std::string{}, std::string{"/"}, std::string(200, 'x'), std::string{"/nobody/is/there"}}) {
    const Notify notify{address};
    CHECK_FALSE(notify.has_manager());
    CHECK(notify.say("READY=1"));
  }
}
