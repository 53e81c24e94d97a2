#include "console/leave_guard.hpp"

#include "support/catch.hpp"

namespace chatd::console {

TEST_CASE("leave guard: a wish has to be repeated, and soon", "[console][leave]") {
  constexpr Time kStart{Duration{1000}};
  LeaveGuard guard;
  CHECK_FALSE(guard.wished(false, kStart));
  CHECK(guard.wished(false, kStart + LeaveGuard::kPatience));
  CHECK_FALSE(guard.wished(false, kStart + 3 * LeaveGuard::kPatience));
}

TEST_CASE("leave guard: any other key withdraws it, but not from who types it again",
          "[console][leave]") {
  constexpr Time kStart{Duration{1000}};
  LeaveGuard guard;
  CHECK_FALSE(guard.wished(false, kStart));
  guard.other_key();
  CHECK_FALSE(guard.wished(false, kStart));
  guard.other_key();
  CHECK(guard.wished(true, kStart));
  guard.other_line();
  CHECK_FALSE(guard.wished(true, kStart));
}

}  // namespace chatd::console
