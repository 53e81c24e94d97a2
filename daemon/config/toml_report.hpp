/// toml11's report of an error, which is a drawing of several lines, as one line and
/// a place. Knows how toml11 draws and words, not how it parses.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatd {

struct TomlReport {
  std::size_t line = 0;  ///< from 1; 0 if the report names no place
  std::size_t byte = 0;  ///< in that line, from 1
  std::string what;      ///< for a person
};

/// The place is that of the report's last caret: the one that toml11's exceptions
/// hold is often just the beginning of the line.
[[nodiscard]] TomlReport read_report(std::string_view report);

}  // namespace chatd
