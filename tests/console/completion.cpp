// What the word before the cursor may become.
#include "console/completion.hpp"

#include <algorithm>

#include "console/command_table.hpp"
#include "support/catch.hpp"

namespace chatd::console {

namespace {

Roster people() {
  Roster roster;
  roster.replace({{1, "", "", "", "", "", "", 0, 0, 0},
                  {12, "anna", "", "", "", "", "", 0, 0, 0},
                  {2, "albert", "", "", "", "", "", 0, 0, 0}});
  return roster;
}

Roster team() {
  Roster roster = people();
  OperatorInfo anna;
  anna.name = "anna";
  anna.state = "present";
  OperatorInfo bob = anna;
  bob.name = "bob";
  roster.set_operators({anna, bob});
  return roster;
}

std::vector<std::string> inserts(std::string_view before) {
  std::vector<std::string> words;
  for (const Candidate& each : complete(before, people()).candidates) words.push_back(each.insert);
  return words;
}

std::string grown(std::string_view before) {
  const Completion completion = complete(before, people());
  return completion.common(before.substr(completion.begin));
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("completion: whom a client may be given to", "[console][completion]") {
  const auto words = [](std::string_view before) {
    std::vector<std::string> all;
    for (const Candidate& each : complete(before, team()).candidates) all.push_back(each.insert);
    return all;
  };
  CHECK(words("/give ") == Words{"1", "2", "12"});
  CHECK(words("/give 2 ") == Words{"anna", "bob"});
  CHECK(words("/give 2 B") == Words{"bob"});
  CHECK(words("/give 2 bob ").empty());
  CHECK(words("/name 2 b").empty());
}

TEST_CASE("completion: commands, ids, and names that become ids", "[console][completion]") {
  CHECK(inserts("/k") == Words{"/kick"});
  CHECK(inserts("/rel") == Words{"/release", "/reload"});
  CHECK(inserts("/st") == Words{"/stats"});
  CHECK(inserts("/").size() == static_cast<std::size_t>(std::count_if(
                                   commands().begin(), commands().end(),
                                   [](const CommandSpec& each) { return each.typed(); })));
  CHECK(inserts("/zz").empty());
  CHECK(inserts("/K") == Words{"/kick"});
  CHECK(inserts("@AN") == Words{"@12"});
  CHECK(inserts("/foc AL") == Words{"2"});
  CHECK(inserts("/help ki") == Words{"kick"});
  CHECK(inserts("@") == Words{"@1", "@2", "@12"});
  CHECK(inserts("@1") == Words{"@1", "@12"});
  CHECK(inserts("@an") == Words{"@12"});
  CHECK(inserts("@a") == Words{"@2", "@12"});
  CHECK(inserts("/focus ") == Words{"1", "2", "12"});
  CHECK(inserts("/focus an") == Words{"12"});
  CHECK(inserts("/kick 2") == Words{"2"});
  CHECK(inserts("/ban ::1 --") == Words{"--now"});
  CHECK(inserts("/bye  al") == Words{"2"});
  CHECK(inserts("/name 1") == Words{"1", "12"});
  CHECK(inserts("/claim --") == Words{"--force"});
  CHECK(inserts("/claim --force a") == Words{"2", "12"});
  CHECK(inserts("/history a") == Words{"all", "2", "12"});
  CHECK(inserts("/history 1") == Words{"1", "12"});
}

TEST_CASE("completion: in text for a client there is nothing to complete",
          "[console][completion]") {
  for (const char* before : {"", "hello", "//k", "@1 an", "/kick 1 an", "/all an", "/list ",
                             "/nothing a", "/name 1 a", "/bye --", "/history 1 a"}) {
    INFO(before);
    CHECK(complete(before, people()).in_text);
    CHECK(inserts(before).empty());
  }
}

TEST_CASE("completion: a word grows only to what all candidates share", "[console][completion]") {
  CHECK(grown("/k") == "/kick");
  CHECK(grown("@an") == "@12");
  CHECK(grown("/focus al") == "2");
  CHECK(grown("@a").empty());
  CHECK(grown("@1").empty());
  CHECK(grown("/zz").empty());
  CHECK(complete("/focus al", people()).begin == 7);
}

}  // namespace chatd::console
