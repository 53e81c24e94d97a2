/// Rows of text as a table, aligned by the width that a terminal gives them. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::console {

/// How many columns of a terminal `text` takes: two for wide characters, none for
/// combining ones. The text is UTF-8 without controls.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The longest beginning of `text` that takes at most `columns`, with U+2026 as its
/// last character if something is missing.
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t columns);

struct Column {
  std::string title;
  bool right = false;  ///< numbers
  /// If there is not room for all, columns are first made narrower, down to `narrow`, and
  /// then left out, the highest `rank` first; rank 0 stays. Before a column that has a
  /// `least` is left out, all such columns are made narrower, down to that.
  int rank = 0;
  std::size_t narrow = 0;  ///< 0: as wide as its cells
  std::size_t least = 0;   ///< 0: as `narrow`
};

/// A line for the titles and one for each row; every row has as many cells as there
/// are columns. No line is wider than `width` (0: no limit), provided that the columns
/// that must stay have room.
[[nodiscard]] std::vector<std::string> format_table(
    std::vector<Column> columns, const std::vector<std::vector<std::string>>& rows,
    std::size_t width);

}  // namespace chatd::console
