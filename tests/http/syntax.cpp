#include "http/syntax.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace chatd::http {

TEST_CASE("syntax: tokens are of the characters of RFC 9110", "[http][syntax]") {
  static constexpr std::string_view kGood =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int i = 0; i < 256; ++i) {
    const auto c = static_cast<char>(i);
    if (is_token_character(c) != (kGood.find(c) != std::string_view::npos)) FAIL(i);
  }
  CHECK(is_token("a"));
  CHECK_FALSE(is_token(""));
  CHECK_FALSE(is_token("a b"));
}

TEST_CASE("syntax: a field value has no control but the tab", "[http][syntax]") {
  for (int i = 0; i < 256; ++i) {
    const auto c = static_cast<char>(i);
    const bool good = i == '\t' || (i >= 0x20 && i != 0x7F);
    if (is_field_value({&c, 1}) != good) FAIL(i);
  }
}

TEST_CASE("syntax: elements of a list", "[http][syntax]") {
  std::string_view list = " a ,,\tb c\t, ,d,";
  CHECK(take_element(list) == "a");
  CHECK(take_element(list) == "b c");
  CHECK(take_element(list) == "d");
  CHECK(take_element(list).empty());
  CHECK(list_has("x, UPgrade ,y", "upgrade"));
  CHECK_FALSE(list_has("upgraded, up grade", "upgrade"));
  CHECK_FALSE(list_has("", "upgrade"));
  // Only letters have an upper case: '@' and '`', '[' and '{' do not.
  CHECK_FALSE(is_same_word("@[", "`{"));
  CHECK_FALSE(is_same_word("a", "ab"));
  CHECK(trimmed(" \t ").empty());
}

}  // namespace chatd::http
