/// Lines of text as rows of a terminal. A terminal continues a line that is too long in the first
/// column, where only we write; so whoever pads a text with blanks to the terminal's width would
/// write a line of somebody else. Here such a line is broken before, and what follows hangs under
/// it. Pure.
/// Invariant: of one line, only the first row begins in the first column, and no row is wider
/// than the terminal, however wide the terminal draws it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatd {

/// The most columns that a terminal may give to a character that is not hidden
/// (base/characters.hpp): 1 or 2. Terminals differ, and so do versions of Unicode: what some draw
/// wide counts as wide, and a mark as 1. `wide_letters`: Latin, Greek and Cyrillic letters and
/// their punctuation may be wide as well, which they are where a terminal draws East Asian
/// Ambiguous characters so.
[[nodiscard]] std::size_t most_columns(char32_t c, bool wide_letters);

/// The same of a text without colours.
[[nodiscard]] std::size_t most_columns(std::string_view text, bool wide_letters);

/// Whether the locale of the user is Chinese, Japanese or Korean: only there do people let their
/// terminal draw ambiguous letters wide.
[[nodiscard]] bool has_wide_letters();

struct RowShape {
  std::size_t columns = 0;    ///< of the terminal; below 4 there are no rows, only lines
  std::size_t hang = 0;       ///< where rows after the first one begin, if there is room: 1 to half
  bool wide_letters = false;  ///< see most_columns()
};

/// Appends `line`, which is escaped, to `out` as rows with `end` after each of them. It should have
/// no LF; if it has one, a row that hangs begins there.
/// The only control sequences in it are those of colours (ESC [ ... m); each row closes what it
/// opened. Words stay whole where a row has room for them. Tabs become blanks, and the end of a row
/// stands for one blank that has no room in it; nothing else is dropped or changed.
void append_rows(std::string& out, std::string_view line, const RowShape& shape,
                 std::string_view end);

}  // namespace chatd
