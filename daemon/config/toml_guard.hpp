/// Finds beforehand what toml11 does not survive: deep nesting overflows its stack, a long
/// line takes it minutes, and it accepts bytes that are not text. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chatd {

struct TomlDanger {
  std::size_t offset;  ///< in bytes
  std::string what;    ///< for a person
};

struct TomlLimits {
  std::size_t depth;       ///< of tables, arrays and parts of a dotted key
  std::size_t line_bytes;  ///< toml11's time grows with the square of a line's length
};

/// The first byte that is not UTF-8; else the first control character, which TOML allows
/// nowhere; else the first place that is beyond a limit.
[[nodiscard]] std::optional<TomlDanger> find_danger(std::string_view text,
                                                    const TomlLimits& limits);

}  // namespace chatd
