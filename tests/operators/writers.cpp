/// How often it is told who is writing.
#include "operators/writers.hpp"

#include <string>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("writers: of one operator and session it is told once in a while",
          "[operators][writers]") {
  Writers writers;
  const Time start{Duration{1'000'000}};
  CHECK(writers.may_tell("ann", 1, start));
  CHECK_FALSE(writers.may_tell("ann", 1, start));
  CHECK(writers.may_tell("ann", 2, start + Duration{1}));
  CHECK(writers.may_tell("bob", 1, start + Duration{1}));
  CHECK_FALSE(writers.may_tell("ann", 1, start + Writers::kOnceIn - Duration{1}));
  CHECK(writers.may_tell("ann", 1, start + Writers::kOnceIn));
  CHECK_FALSE(writers.may_tell("ann", 2, start + Writers::kOnceIn));
  CHECK_FALSE(writers.may_tell("ann", 1, start + 2 * Writers::kOnceIn - Duration{1}));
  CHECK(writers.may_tell("ann", 2, start + 2 * Writers::kOnceIn - Duration{1}));
}

TEST_CASE("writers: however many are written to, little is remembered", "[operators][writers]") {
  Writers writers;
  const Time start{Duration{1'000'000}};
  for (core::SessionId id = 1; id <= Writers::kMost; ++id) {
    CHECK(writers.may_tell("ann", id, start));
  }
  CHECK_FALSE(writers.may_tell("ann", Writers::kMost + 1, start));
  CHECK_FALSE(writers.may_tell("bob", 1, start + Writers::kOnceIn - Duration{1}));
  CHECK(writers.may_tell("bob", 1, start + Writers::kOnceIn));
}

}  // namespace
}  // namespace chatd::test
