/// The words of a text, as the index keeps them and a search asks for them. People find what
/// they can write: case, accents, width and the way in which a letter was put together do not
/// count, and where words stand without blanks each character is found wherever it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatd::store {

/// Appends the words of `text`, with one blank between them, and returns how many they are. A
/// word is a run of letters and digits, or one character of a script without blanks between
/// words, or a symbol. What stands side by side in `text` does so here: where anything stands
/// between two words of which one is a single character, there is a word that says so. Each
/// word is of lower-case letters and digits of ASCII and of bytes above it. Any bytes will do.
std::size_t append_words(std::string& out, std::string_view text);

[[nodiscard]] std::string words_of(std::string_view text);

}  // namespace chatd::store
