// Prepared texts.
#include "console/canned.hpp"

#include "support/catch.hpp"

namespace chatd::console {

TEST_CASE("canned: a reply is found by its name or its beginning, whatever the case",
          "[console][canned]") {
  Canned replies;
  replies.configure({{"hours", "nine to five"}, {"hold", "one moment"}, {"ho", "ho"}});
  const auto text = [&](std::string_view name) {
    const auto found = replies.find(name);
    const auto* refusal = std::get_if<Refusal>(&found);
    return refusal != nullptr ? refusal->message : std::get<std::string>(found);
  };
  CHECK(text("hours") == "nine to five");
  CHECK(text(" HOU ") == "nine to five");
  CHECK(text("ho") == "ho");
  CHECK(text("HO") == "ho");
  CHECK(text("h") == "'h' may mean several replies: ho, hold, hours");
  CHECK(text("x\x1b") == "no reply is called 'x\\x1b'; /reply shows them all");
}

TEST_CASE("canned: what is put in is not looked through again", "[console][canned]") {
  CHECK(filled("Dear {name}, {operator} here. {other} {name", "{operator}", "root") ==
        "Dear {operator}, root here. {other} {name");
  CHECK(filled("", "a", "b").empty());
}

}  // namespace chatd::console
