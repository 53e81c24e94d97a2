/// Names that people tell others apart by, those of clients as of operators: which are good, and
/// which are the same. What counts is what is seen. Pure.
///
/// Not promised: letters of other scripts that look alike (Latin a, Cyrillic а), compatibility
/// ideographs and width variants are different letters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatd {

/// What is wrong with `name`, as the end of a sentence about it ("must not ..."); empty: nothing,
/// or it is empty. Good is what is seen as a whole: no control or invisible character, no tab, no
/// blank but U+0020, and that one alone and inside; marks only on a letter, and at most kMostMarks.
/// How long a name may be is for the caller to say.
[[nodiscard]] std::string_view fault_of_name(std::string_view name);

/// What is verified by a certificate is such a name, of at most so many bytes.
inline constexpr std::size_t kVerifiedNameBytes = 128;

/// The same of a name for a client: it must not stand for another session, or for all of them.
[[nodiscard]] std::string_view fault_of_client_name(std::string_view name);

/// Whether two names, which are good, look the same: letters with marks are the same in whatever
/// way they are written, as one character or as several (Unicode's canonical equivalence; that the
/// order of marks above a letter can be seen is ignored). Upper and lower case differ.
[[nodiscard]] bool is_same_name(std::string_view one, std::string_view other);

/// The same bytes for names that look the same, and for no others.
[[nodiscard]] std::string look_of(std::string_view name);

}  // namespace chatd
