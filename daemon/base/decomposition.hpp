/// Which characters are another way to write a letter and a mark, or another letter.
#pragma once

namespace chatd {

struct Decomposition {
  char32_t letter;
  char32_t mark;  ///< 0: none
};

/// What `c` is made of, one step (the letter may be made of something itself); `c` and 0 if it is
/// not. By Decomposition_Mapping of Unicode 15, those that are canonical; Hangul syllables by
/// arithmetic. Compatibility ideographs are not taken apart.
[[nodiscard]] Decomposition decompose(char32_t c);

}  // namespace chatd
