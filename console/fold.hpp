/// Text as people compare it: whether a letter is a capital, and in which of several ways a letter
/// with a mark is written, does not count. Pure.
#pragma once

#include <string>
#include <string_view>

namespace chatd::console {

/// Small letters, each taken apart into the letter and its marks. Of text that is not UTF-8 each
/// wrong part becomes U+FFFD.
[[nodiscard]] std::u32string folded(std::string_view text);

/// Whether `text`, folded, has the word `word`, folded, with no letter or digit before or behind
/// it. An empty word is in no text.
[[nodiscard]] bool has_word(std::u32string_view text, std::u32string_view word);

}  // namespace chatd::console
