#include "base/user.hpp"

#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("user: groups and users by name", "[base][user]") {
  auto root = find_group("root");
  REQUIRE(root);
  CHECK(*root == 0);
  auto none = find_group("no-such-group-here");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "there is no group no-such-group-here");
  CHECK(user_name(0) == "root");
  CHECK(user_name(54'321) == "uid 54321");
}

TEST_CASE("user: root is in its own group, and nobody in one that is not there", "[base][user]") {
  CHECK(is_member(0, 0) == true);
  CHECK(is_member(0, 54'321) == false);
  CHECK(is_member(54'321, 0) == false);  // there is no such user
}

}  // namespace
}  // namespace chatd::test
