/// Which variables are warned of.
#include "config/unknown_variables.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/chatd_variables.hpp"
#include "config/keys.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("variables: each one that means nothing is told, with the one that was meant",
          "[config][variables]") {
  CHECK(unknown_variables({"CHATD_SESION_SETTLE", "CHATD_LIMITS_SESSIONS_PER_ADRESS",
                           "CHATD_LISTEN_PORT", "CHATD_XYZZY", "CHATD_", "CHATD_\x1b[2J"}) ==
        Lines{"the variable CHATD_SESION_SETTLE is not known; did you mean CHATD_SESSION_SETTLE?",
              "the variable CHATD_LIMITS_SESSIONS_PER_ADRESS is not known; did you mean "
              "CHATD_LIMITS_SESSIONS_PER_ADDRESS?",
              "the variable CHATD_LISTEN_PORT is not known; did you mean CHATD_LISTEN?",
              "the variable CHATD_XYZZY is not known", "the variable CHATD_ is not known",
              "the variable CHATD_\\x1b[2J is not known"});
}

TEST_CASE("variables: those of all keys are known, and those of chatctl", "[config][variables]") {
  Lines known{"CHATD_CONFIG", "CHATD_LISTEN", "CHATD_SOCKET"};
  for (const auto& key : config_keys()) {
    known.push_back(key.variable());
    // chatctl knows no key, but how their variables begin.
    CHECK(std::any_of(kVariableSections.begin(), kVariableSections.end(), [&](auto section) {
      return known.back().starts_with("CHATD_" + std::string{section});
    }));
    CHECK_FALSE(is_made_by_platform(known.back(), "tcp://10.0.0.7:8080"));
  }
  CHECK(unknown_variables(known).empty());
}

TEST_CASE("variables: those that container platforms make are none of ours",
          "[config][variables]") {
  for (const std::string name :
       {"CHATD_PORT", "CHATD_SERVICE_HOST", "CHATD_SERVICE_PORT", "CHATD_SERVICE_PORT_CHAT",
        "CHATD_PORT_8080_TCP", "CHATD_PORT_8080_TCP_PROTO", "CHATD_PORT_8080_TCP_PORT",
        "CHATD_PORT_8080_TCP_ADDR", "CHATD_PORT_53_UDP", "CHATD_CONTROL_SERVICE_HOST",
        "CHATD_WEB_2_SERVICE_PORT_HTTP", "CHATD_LOG_PORT_80_TCP_ADDR", "CHATD_NAME",
        "CHATD_ENV_PATH"}) {
    INFO(name);
    CHECK(is_made_by_platform(name, "1"));
  }
  CHECK(is_made_by_platform("CHATD_CONTROL_PORT", "tcp://10.0.0.7:8080"));
  CHECK_FALSE(is_made_by_platform("CHATD_LISTEN_PORT", "8080"));
  for (const std::string name :
       {"CHATD_PORTS", "CHATD_PORT_", "CHATD_PORT_8080", "CHATD_PORT_8080_ICMP", "CHATD_SERVICE",
        "CHATD_PORT_TCP", "CHATD_PORT_8080_TCP_HOST", "CHATD", "MYCHATD_PORT"}) {
    INFO(name);
    CHECK_FALSE(is_made_by_platform(name, "tcp://10.0.0.7:8080"));
  }
}

}  // namespace
}  // namespace chatd::test
