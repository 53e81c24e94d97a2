// Names by what is seen of them.
#include "base/names.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace chatd {

TEST_CASE("names: good ones", "[base][names]") {
  for (const std::string_view name :
       {"", "anna", "Anna B.", "Zo\u00EB", "Zoe\u0308", "\u5F20\u4F1F",
        "\u0391\u03BB\u03AD\u03BE\u03B7\u03C2", "Ade\u0301bayo\u0323\u0300", "\uD55C\uAE00",
        "a-b_c", "\U0001F98A", "Nguy\u1EC5n V\u0103n A"}) {
    CAPTURE(name);
    CHECK(fault_of_name(name).empty());
  }
}

TEST_CASE("names: what is wrong with one", "[base][names]") {
  constexpr std::string_view kInvisible = "must not hold control or invisible characters";
  constexpr std::string_view kEnds = "must not begin or end with a blank";
  constexpr std::string_view kOther = "must not hold another blank than U+0020";
  constexpr std::string_view kMark =
      "must not hold a mark without a letter, nor more than 8 marks on one";
  const std::vector<std::pair<std::string, std::string_view>> table{
      {"a\tb", kInvisible},
      {"a\nb", kInvisible},
      {"an\u200Bna", kInvisible},
      {"anna\uFE0F", kInvisible},
      {"anna\U000E0101", kInvisible},
      {"anna\u180B", kInvisible},
      {"anna\u3164", kInvisible},
      {"anna\u2800", kInvisible},
      {"anna\uFDD0", kInvisible},
      {"\u00ADanna", kInvisible},
      {" anna", kEnds},
      {"anna ", kEnds},
      {"anna  b", "must not hold two blanks in a row"},
      {" ", "must not be blank"},
      {"   ", "must not be blank"},
      {"anna\u00A0b", kOther},
      {"anna\u2003b", kOther},
      {"anna\u3000", kOther},
      {"\u202F", kOther},
      {"\u0301anna", kMark},
      {"anna \u0301", kMark},
      {"e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", kMark},
      {"an\xFFna", "must not hold bytes that are no text"},
  };
  for (const auto& [name, fault] : table) {
    CAPTURE(name);
    CHECK(fault_of_name(name) == fault);
  }
}

TEST_CASE("names: those that look the same are the same", "[base][names]") {
  const std::vector<std::pair<std::string, std::string>> same{
      {"anna", "anna"},
      {"Zo\u00EB", "Zoe\u0308"},
      {"\u1EAD", "a\u0323\u0302"},  // with two marks, in either order, and half composed
      {"\u1EAD", "a\u0302\u0323"},
      {"\u1EAD", "\u1EA1\u0302"},
      {"\u1EAD", "\u00E2\u0323"},
      {"o\u0323\u0301", "\u00F3\u0323"},  // no single character for both
      {"\u212B", "\u00C5"},               // the unit and the letter
      {"\u212A", "K"},
      {"\uD55C\uAE00", "\u1112\u1161\u11AB\u1100\u1173\u11AF"},
      {"\u304C", "\u304B\u3099"},
      {"\u0439", "\u0438\u0306"},
      {"\u1F71", "\u03AC"},
  };
  for (const auto& [one, other] : same) {
    CAPTURE(one, other);
    CHECK(is_same_name(one, other));
    CHECK(is_same_name(other, one));
    CHECK(look_of(one) == look_of(other));
  }
  const std::vector<std::pair<std::string, std::string>> different{
      {"anna", "Anna"},     {"anna", "ann"}, {"Zoe", "Zo\u00EB"},      {"K", "k"},
      {"\u00E9", "\u00E8"}, {"", "a"},       {"a\u0301e", "ae\u0301"}, {"\uD55C", "\uD558"},
  };
  for (const auto& [one, other] : different) {
    CAPTURE(one, other);
    CHECK_FALSE(is_same_name(one, other));
    CHECK(look_of(one) != look_of(other));
  }
}

}  // namespace chatd
