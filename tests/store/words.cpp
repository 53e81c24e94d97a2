/// Which words a text has.
#include "store/words.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "store/letters.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

void check(const Rows& rows) {
  for (const auto& [text, words] : rows) {
    INFO(text);
    CHECK(words_of(text) == words);
  }
}

TEST_CASE("words: case, accents and width do not count", "[store][words]") {
  check({{"", ""},
         {" ,;\n", ""},
         {"The invoice is WRONG, no. 42!", "the invoice is wrong no 42"},
         {"caf\u00E9 cafe\u0301 CAF\u00C9", "cafe cafe cafe"},
         {"Ti\u1EBFng Vi\u1EC7t, \u0111ang \u0110ANG", "tieng viet dang dang"},
         {"Tie\u0302\u0301ng Vie\u0323\u0302t", "tieng viet"},
         {"Stra\u00DFe STRASSE \u1E9E", "strasse strasse ss"},
         {"\u00D8re \u0142\u00F3d\u017A \u00C6r\u00F8 \u0130stanbul \u0131",
          "ore lodz aero istanbul i"},
         {"\u039A\u03B1\u03BB\u03B7\u03BC\u03AD\u03C1\u03B1\u03C2",
          "\u03BA\u03B1\u03BB\u03B7\u03BC\u03B5\u03C1\u03B1\u03C3"},
         // Yo is written as ye, but short i and yi are letters of their own.
         {"\u0415\u0429\u0401 \u0435\u0449\u0435", "\u0435\u0449\u0435 \u0435\u0449\u0435"},
         {"\u041C\u041E\u0419 \u043C\u043E\u0438\u0306 \u043C\u043E\u0438",
          "\u043C\u043E\u0439 \u043C\u043E\u0439 \u043C\u043E\u0438"},
         {"\u0431\u043E\u0301\u043B\u044C\u0448\u0435", "\u0431\u043E\u043B\u044C\u0448\u0435"},
         {"\u05E9\u05B8\u05DC\u05D5\u05B9\u05DD", "\u05E9\u05DC\u05D5\u05DD"},
         {"\u0623\u064E\u0647\u0652\u0644\u0627\u064B", "\u0627\u0647\u0644\u0627"},
         {"\uFF28\uFF45\uFF4C\uFF4C\uFF4F\uFF11", "hello1"},
         {"\U0001D407\U0001D41E\U0001D425\U0001D425\U0001D428", "hello"},
         {"\uFB01n", "fin"},
         {"soft\u00ADhyphen", "softhyphen"},
         {"a_b c-d l'\u00E9t\u00E9", "a b c d l ete"}});
}

TEST_CASE("words: where they stand without blanks each character is one", "[store][words]") {
  check(
      {{"\u65B0\u5E74\u5FEB\u4E50", "\u65B0 \u5E74 \u5FEB \u4E50"},
       {"2024\u5E74Linux\u597D", "2024 \u5E74 linux \u597D"},
       {"\u5FEB\uFF0C\u4E50", "\u5FEB \u00B7 \u4E50"},
       {"\u5FEB\n\u4E50 a b.", "\u5FEB \u00B7 \u4E50 \u00B7 a b"},
       {"\u30E1\u30E2\u30EA\u30FC", "\u30E1 \u30E2 \u30EA \u30FC"},
       {"\uFF76\uFF9E\u30AB\u3099\u30AC", "\u30AC \u30AC \u30AC"},  // half as wide, in two, in one
       {"\u304B\u3099\u306F\u309A", "\u304C \u3071"},
       {"\uD55C\uAE00", "\uD55C \uAE00"},
       {"\u1112\u1161\u11AB\u1100\u1173\u11AF", "\uD55C \uAE00"},
       {"\u0E14\u0E35\u0E49", "\u0E14 \u0E35 \u0E49"},
       {"\u0E19\u0E33", "\u0E19 \u0E4D \u0E32"},
       // Scripts of India have blanks, and their vowels are no accents.
       {"\u0939\u093F\u0928\u094D\u0926\u0940 \u0958",
        "\u0939\u093F\u0928\u094D\u0926\u0940 \u0915\u093C"}});
}

TEST_CASE("words: a symbol is one, however it is dressed", "[store][words]") {
  check({{"\U0001F680", "\U0001F680"},
         {"go\U0001F680now", "go \U0001F680 now"},
         {"go \U0001F680", "go \u00B7 \U0001F680"},
         {"\u2764\uFE0F \u2764", "\u2764 \u00B7 \u2764"},
         {"\U0001F44D\U0001F3FD", "\U0001F44D"},
         {"\U0001F468\u200D\U0001F469\u200D\U0001F467",
          "\U0001F468 \u200D \U0001F469 \u200D \U0001F467"},
         {"\U0001F1E9\U0001F1EA\U0001F1EA\U0001F1F8", "\U0001F1E9\U0001F1EA \U0001F1EA\U0001F1F8"},
         {"\U0001F3F4\U000E0067\U000E0062", "\U0001F3F4\U000E0067\U000E0062"},
         {"5\u20AC \u00B0C", "5 \u20AC \u00B7 \u00B0 c"},
         {"1\uFE0F\u20E3", "1"},
         {"a\u200Db \u200D", "ab"}});
}

TEST_CASE("words: any bytes will do", "[store][words]") {
  check({{std::string("a\0b", 3), "a b"}, {"\x80\xFF\xC3", ""}, {"a\xF0\x9F\x9A", "a"}});
  CHECK(words_of("a\xED\xA0\x80z").ends_with(" z"));
}

TEST_CASE("words: the words of words are the same", "[store][words]") {
  for (char32_t c = 0; c < 0x110000; ++c) {
    const auto folded = letters::fold(c);
    for (std::uint8_t i = 0; i < folded.count; ++i) {
      const auto again = letters::fold(folded.letters[i]);
      if (again.count == 1 && again.letters[0] == folded.letters[i]) continue;
      FAIL_CHECK("U+" << std::hex << static_cast<std::uint32_t>(c));
    }
  }
}

}  // namespace
}  // namespace chatd::store::test
