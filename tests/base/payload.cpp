/// Bytes that are shared, and how many of them there are.
#include "base/payload.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using chatd::Payload;

TEST_CASE("payload: bytes that live are counted once, but for those that are not to be",
          "[base][payload]") {
  const auto before = Payload::live_bytes();
  const auto more = [before] { return Payload::live_bytes() - before; };
  {
    const Payload one{std::string(1000, 'x'), 3};
    std::vector<Payload> both{one, one};
    CHECK(both.back().weight() == 3);
    CHECK(more() == 1000);
    const auto answer = Payload::uncounted(std::string(500, 'y'));
    CHECK(answer.view() == std::string(500, 'y'));
    CHECK(answer.size() == 500);
    CHECK(more() == 1000);
  }
  CHECK(more() == 0);
}
