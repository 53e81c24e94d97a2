/// Text as people read it: UTF-8 made well-formed, and characters that could
/// deceive a terminal, a log or a reader made visible. Pure functions that know
/// nothing of messages or sessions. None allocates but for the growth of `out`, and
/// `out` must not be what the text is read from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatd {

/// How many bytes at the end of `bytes` are the beginning of a character that
/// may still become well-formed (0 to 3).
[[nodiscard]] std::size_t incomplete_tail(std::string_view bytes);

/// Whether `bytes` is well-formed UTF-8 (no surrogates, nothing over U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// Whether `text` can stand in a JSON string as it is: well-formed UTF-8 without
/// quotes, backslashes and C0 controls.
[[nodiscard]] bool is_json_text(std::string_view text);

/// Appends `bytes` to `out` with one U+FFFD for each maximal ill-formed part, as
/// Unicode's chapter 3.9 recommends ("substitution of maximal subparts").
void append_repaired(std::string& out, std::string_view bytes);

/// The longest prefix of well-formed `text` with at most `max_bytes` bytes that
/// does not end inside a character; empty if the first character is longer.
[[nodiscard]] std::string_view prefix_of(std::string_view text, std::size_t max_bytes);

/// Takes the first character off `bytes`, which are not empty; U+FFFD for a maximal ill-formed
/// part.
[[nodiscard]] char32_t take_character(std::string_view& bytes);

/// Appends `c`, which is below U+110000.
void append_utf8(std::string& out, char32_t c);

/// Appends `text` to `out` with every deceptive character (kHidden of base/characters.hpp) shown
/// as \xNN (below U+0100), \uNNNN or \UNNNNNNNN, in lower-case hexadecimal; a byte that is not
/// UTF-8 is shown as \xNN too. So is a combining mark that has nothing to stand on, at the
/// beginning of the text, behind a tab or behind an escape; and from a run of marks each one after
/// the first kMostMarks. All else, tab included, passes as it is.
void append_escaped(std::string& out, std::string_view text);
[[nodiscard]] std::string escaped(std::string_view text);

/// Appends `text` to `out` as the inside of a JSON string: quotes, backslashes and
/// controls as JSON demands (\t, \n and \r in short), and everything else that
/// append_escaped() shows as an escape as \uNNNN (a pair of them above U+FFFF), so that a document
/// can be shown in a terminal as it is. What is not UTF-8 becomes U+FFFD, as in
/// append_repaired().
void append_json(std::string& out, std::string_view text);

}  // namespace chatd
