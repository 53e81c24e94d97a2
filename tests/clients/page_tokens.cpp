// Which tokens of a session are good.
#include "clients/page_tokens.hpp"

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

using Hashes = std::vector<PageTokens::Hash>;

TEST_CASE("page tokens: the newest, and the one before it until the newest has arrived",
          "[clients][page]") {
  PageTokens tokens;
  CHECK(tokens.good().empty());
  const auto first = PageTokens::hashed(tokens.offer().view());
  CHECK(tokens.good() == Hashes{first});
  CHECK_FALSE(tokens.newest_is_unsure());
  tokens.used(first);
  CHECK(tokens.good() == Hashes{first});
  const auto second = PageTokens::hashed(tokens.offer().view());
  CHECK(tokens.good() == Hashes{first, second});
  CHECK(tokens.newest_is_unsure());
  SECTION("it is used") {
    tokens.used(second);
    CHECK(tokens.good() == Hashes{second});
  }
  SECTION("the former is used again") {
    tokens.used(first);
    CHECK(tokens.good() == Hashes{first});
  }
  SECTION("it has arrived") {
    tokens.arrived();
    CHECK(tokens.good() == Hashes{second});
    CHECK_FALSE(tokens.newest_is_unsure());
  }
}

TEST_CASE("page tokens: those that are good are good in the next process", "[clients][page]") {
  PageTokens tokens;
  const auto hand_over = [&tokens] {
    ByteWriter out;
    tokens.save(out);
    ByteReader in{out.bytes()};
    PageTokens next;
    next.restore(in);
    return in.finished() && next.good() == tokens.good();
  };
  CHECK_FALSE(hand_over());  // nobody could come back
  const auto first = PageTokens::hashed(tokens.offer().view());
  CHECK(hand_over());
  tokens.used(first);
  CHECK(hand_over());
  (void)tokens.offer();
  CHECK(hand_over());
  tokens.arrived();
  CHECK(hand_over());
}

}  // namespace
}  // namespace chatd::test
