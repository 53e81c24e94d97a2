/// What is said of the program that would take over, with a shell in its place.
#include "process/successor_check.hpp"

#include <optional>
#include <string>

#include "process/slow_close.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {
namespace {

/// Empty: it accepts. The script gets --check-config as $0.
std::string verdict(const std::string& script, const std::string& config = "") {
  io::Loop loop;
  const service::Program program{"/bin/sh", {"sh", "-c", script}};
  std::optional<std::string> said;
  SuccessorCheck check{loop, program,
                       [&](Result<> accepts) { said = accepts ? "" : accepts.error().message; }};
  CHECK_FALSE(check.is_under_way());
  REQUIRE(check.start(config));
  CHECK(check.is_under_way());
  REQUIRE(run_until(loop, [&] { return said.has_value(); }));
  CHECK_FALSE(check.is_under_way());
  return *said;
}

TEST_CASE("successor: one that ends with 0 accepts", "[process][successor]") {
  CHECK(verdict("echo some words; test \"$0\" = --check-config").empty());
}

TEST_CASE("successor: it finds what it is to check", "[process][successor]") {
  const std::string script = "cat /proc/self/fd/$CHATD_HANDOVER_CONFIG; exit 1";
  CHECK(verdict(script, "the text") == "/bin/sh --check-config ended with 1: the text");
}

TEST_CASE("successor: one that does not accept is quoted, escaped and cut",
          "[process][successor]") {
  CHECK(verdict("exit 78") == "/bin/sh --check-config ended with 78");
  CHECK(verdict("echo no; echo never >&2; exit 1") ==
        "/bin/sh --check-config ended with 1: no\\x0anever");
  CHECK(verdict("printf '\\033[2J'; exit 1") == "/bin/sh --check-config ended with 1: \\x1b[2J");
  CHECK(
      verdict("i=0; while [ $i -lt 500 ]; do printf 0123456789; i=$((i+1)); done; exit 1").size() ==
      std::string{"/bin/sh --check-config ended with 1: "}.size() + 2000);
}

TEST_CASE("successor: one that is killed does not accept", "[process][successor]") {
  CHECK(verdict("kill -9 $$") == "/bin/sh --check-config was killed");
}

TEST_CASE("successor: a program that is not there cannot be asked", "[process][successor]") {
  io::Loop loop;
  const service::Program program{"/nowhere/chatd", {"chatd"}};
  SuccessorCheck check{loop, program, [](const Result<>&) { FAIL("nothing was run"); }};
  auto started = check.start("");
  REQUIRE_FALSE(started);
  CHECK(started.error().message == "run /nowhere/chatd: No such file or directory");
  CHECK_FALSE(check.is_under_way());
  run_pending(loop);
}

TEST_CASE("slow close: a descriptor is closed by the time that was waited for it",
          "[process][slow-close]") {
  auto pair = unix_pair();
  SlowClose slow_close;
  slow_close.wait();  // nothing was begun
  slow_close.begin({});
  slow_close.begin(std::move(pair.ours));
  slow_close.wait();
  char byte = 0;
  CHECK(::recv(pair.theirs.get(), &byte, 1, MSG_DONTWAIT) == 0);
}

}  // namespace
}  // namespace chatd::test
