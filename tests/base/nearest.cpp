/// What somebody most likely meant.
#include "base/nearest.hpp"
#include "support/catch.hpp"

#include <array>
#include <string>

namespace chatd::test {
namespace {

TEST_CASE("nearest: a slip is one left out, one too many, one wrong or two swapped",
          "[base][nearest]") {
  CHECK(edit_distance("settle", "settle") == 0);
  CHECK(edit_distance("setle", "settle") == 1);
  CHECK(edit_distance("setttle", "settle") == 1);
  CHECK(edit_distance("sattle", "settle") == 1);
  CHECK(edit_distance("settel", "settle") == 1);
  CHECK(edit_distance("SETTLE", "settle") == 0);
  CHECK(edit_distance("", "settle") == 6);
  CHECK(edit_distance("settle", "") == 6);
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("ca", "abc") == 3);  // no part is changed twice
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("nearest: of the known words it is the one with the fewest slips", "[base][nearest]") {
  constexpr std::array<std::string_view, 7> kKnown{"list", "focus",   "kick",        "name",
                                                   "bye",  "history", "idle_timeout"};
  CHECK(nearest("lsit", kKnown) == "list");
  CHECK(nearest("fcous", kKnown) == "focus");
  CHECK(nearest("Kik", kKnown) == "kick");
  CHECK(nearest("by", kKnown) == "bye");
  CHECK(nearest("hsitroy", kKnown) == "history");
  CHECK(nearest("idletimeout", kKnown) == "idle_timeout");
  // Begun, or continued.
  CHECK(nearest("hist", kKnown) == "history");
  CHECK(nearest("listeners", kKnown) == "list");
}

TEST_CASE("nearest: nothing is better than a far-fetched guess", "[base][nearest]") {
  constexpr std::array<std::string_view, 4> kKnown{"ban", "bans", "unban", "a"};
  CHECK(nearest("colour", kKnown).empty());
  CHECK(nearest("", kKnown).empty());
  CHECK(nearest("x", kKnown).empty());
  CHECK(nearest("un", kKnown).empty());
  CHECK(nearest("bans", kKnown) == "bans");
  constexpr std::array<std::string_view, 2> kAlike{"message_one", "message_two"};
  CHECK(nearest("message", kAlike).empty());
  CHECK(nearest("word", {}).empty());
  CHECK(nearest(std::string(1'000'000, 'x'), kKnown).empty());
}

}  // namespace
}  // namespace chatd::test
