/// Says in our own words what toml11 reports of an error. It knows how both versions of
/// toml11 word an error and how version 3 draws its place, but not how they parse.
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

/// The parts of a report by toml11.
struct TomlComplaint {
  std::string_view message;    ///< "toml::parse_table: invalid line format"
  std::string_view comment{};  ///< beside the place
  std::size_t line = 0;        ///< as in TomlReport
  std::size_t byte = 0;
  std::size_t other_line = 0;  ///< where the same name is defined already; 0: nowhere
  bool at_line_end = false;    ///< as far as is known, the line ends at that place
};

[[nodiscard]] TomlReport worded(const TomlComplaint& complaint);

/// The same for the report of version 3, which is a drawing of several lines. The place is
/// that of its last caret: the one that toml11's exceptions hold is often just the beginning
/// of the line.
[[nodiscard]] TomlReport read_report(std::string_view report);

}  // namespace chatd
