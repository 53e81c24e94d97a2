// Text as people compare it.
#include "console/fold.hpp"

#include "support/catch.hpp"

namespace chatd::console {

TEST_CASE("fold: neither case nor the way of writing a mark counts", "[console][fold]") {
  CHECK(folded("Zo\u00cb") == folded("zoe\u0308"));
  CHECK(folded("\u0416") == folded("\u0436"));
  CHECK(folded("a") != folded("b"));
  CHECK(folded("\u00e9").size() == 2);
}

TEST_CASE("fold: a word is found where it stands alone", "[console][fold]") {
  const auto has = [](const char* text, const char* word) {
    return has_word(folded(text), folded(word));
  };
  CHECK(has("is the Printer on?", "printer"));
  CHECK(has("PRINTER", "printer"));
  CHECK_FALSE(has("printers", "printer"));
  CHECK_FALSE(has("sprinter", "printer"));
  CHECK(has("sprinter, printer", "printer"));
  CHECK_FALSE(has("cafe\u0301s", "caf\u00e9"));
  CHECK_FALSE(has("cafe\u0301", "cafe"));
  CHECK(has("caf\u00c9!", "cafe\u0301"));
  CHECK(has("\u8bf7\u5e2e\u5fd9", "\u5e2e"));
  CHECK(has("a C++ question", "c++"));
  CHECK_FALSE(has("anything", ""));
}

}  // namespace chatd::console
