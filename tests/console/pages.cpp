// Pages of earlier messages, put together.
#include "console/pages.hpp"

#include "support/catch.hpp"

namespace chatd::console {

using nlohmann::json;

namespace {

// The messages from `newest` down to `oldest`, the newest first, as `search` gives them.
json page_of(std::uint64_t newest, std::uint64_t oldest, bool more) {
  json messages = json::array();
  for (std::uint64_t seq = newest; seq >= oldest; --seq) {
    messages.push_back({{"seq", seq}, {"session", 1}, {"direction", "in"}, {"text", "x"}});
  }
  return {{"messages", messages}, {"more", more}};
}

}  // namespace

TEST_CASE("pages: they go back from the newest until there are enough", "[console][pages]") {
  Pages pages{250};
  CHECK(pages.next().before == 0);
  CHECK(pages.next().limit == 200);
  CHECK(pages.add(page_of(500, 301, true)));
  CHECK(pages.next().before == 301);
  CHECK(pages.next().limit == 50);
  CHECK_FALSE(pages.add(page_of(300, 251, true)));
  REQUIRE(pages.messages().size() == 250);
  REQUIRE(pages.documents().size() == 250);
  for (std::size_t i = 0; i < 250; ++i) {
    CHECK(pages.messages()[i].seq == 251 + i);
    CHECK(pages.documents()[i]["seq"] == 251 + i);
  }
}

TEST_CASE("pages: they end where there is nothing older", "[console][pages]") {
  Pages pages{1000};
  CHECK(pages.add(page_of(8, 5, true)));
  CHECK_FALSE(pages.add(page_of(4, 1, false)));
  CHECK(pages.messages().size() == 8);
  // A daemon that promises more and sends none is not asked for ever.
  CHECK_FALSE(pages.add({{"messages", json::array()}, {"more", true}}));
  CHECK_FALSE(pages.add(json::object()));
  CHECK(pages.messages().size() == 8);
}

TEST_CASE("pages: messages that are malformed break nothing", "[console][pages]") {
  Pages pages{10};
  CHECK_FALSE(pages.add({{"messages", {1, "two", {{"seq", "three"}}}}, {"more", false}}));
  CHECK(pages.messages().size() == 3);
}

}  // namespace chatd::console
