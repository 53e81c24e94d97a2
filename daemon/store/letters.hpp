/// What the search makes of one character: a part of a word or a word by itself, and which
/// letter it is without case and accents. Pure functions over tables of Unicode's.
#pragma once

#include <cstdint>
#include <string_view>

namespace chatd::store::letters {

enum class Kind : std::uint8_t {
  kWord,       ///< of a word, with those beside it: letters and digits of most scripts
  kSingle,     ///< a word by itself: of a script without blanks between words, and Hangul
  kSymbol,     ///< a word by itself: emoji, currencies, arrows
  kFlag,       ///< a regional indicator: two of them are a word
  kTag,        ///< a part of the symbol before it
  kJoiner,     ///< ZWJ: between symbols a word by itself, else nothing
  kMark,       ///< an accent, which may make another letter of the one before it
  kIgnored,    ///< nothing: variation selectors, tones of skin, soft hyphens
  kSeparator,  ///< ends a word
};

/// Of a character that fold() has given.
[[nodiscard]] Kind kind_of(char32_t c);

/// `c` without case, accents and width. At most three characters, none for a mark that stands
/// for nothing.
struct Folded {
  char32_t letters[3]{};
  std::uint8_t count = 1;
};
[[nodiscard]] Folded fold(char32_t c);

/// The letter that `letter` is with `mark` behind it, both folded: those that are letters of
/// their own, as in Cyrillic, kana and Hangul. 0 if there is none.
[[nodiscard]] char32_t compose(char32_t letter, char32_t mark);

}  // namespace chatd::store::letters
