/// What would be dangerous to hand to toml11, found beforehand: it overflows the
/// stack on deep nesting, takes minutes for a long line, and takes bytes that are no
/// text. Pure functions.
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

/// The first of: what is not UTF-8; a control character, which TOML allows nowhere;
/// what is beyond the limits.
[[nodiscard]] std::optional<TomlDanger> find_danger(std::string_view text,
                                                    const TomlLimits& limits);

}  // namespace chatd
