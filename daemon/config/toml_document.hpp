/// A TOML file as a tree in which every key and value knows its place. It knows TOML and not
/// chatd's keys; it keeps from toml11 what toml11 does not survive.
/// Invariant: whatever the file holds, both functions return, soon, with a bounded use of
/// memory and stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/fault.hpp"

namespace chatd {

/// Larger files are refused: a configuration has a page or two.
inline constexpr std::size_t kMaxTomlBytes = 1024 * 1024;

/// Deeper nesting is refused: toml11 recurses, and the keys of chatd need three.
inline constexpr std::size_t kMaxTomlDepth = 64;

/// Longer lines are refused: toml11's time grows with the square of their length, and
/// the longest value of chatd, a path, has 4 KiB.
inline constexpr std::size_t kMaxTomlLine = 8UL * 1024;

struct TomlNode {
  enum class Type : std::uint8_t { kBoolean, kInteger, kFloat, kString, kTime, kArray, kTable };

  Type type = Type::kTable;
  std::string name;     ///< of a member of a table; empty for elements of an array
  Position key;         ///< where the name stands
  Position value;       ///< where the value begins; of a [table], its header
  std::string literal;  ///< of a scalar: its value as it is written
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;             ///< of a string; well-formed UTF-8
  std::vector<TomlNode> items;  ///< members of a table, elements of an array, in file order

  /// Null if this is not a table or has no such member.
  [[nodiscard]] const TomlNode* find(std::string_view member) const;
  /// "a string", "an integer", ...
  [[nodiscard]] std::string_view type_name() const;
};

/// The text of the file at `path`, at most kMaxTomlBytes. Never waits: a pipe is refused.
Result<std::string, Fault> read_toml_text(const std::string& path);

/// The tree of a text; `source` is its name in a Fault. Errors: one Fault; TOML is given up at
/// the first error of syntax.
Result<TomlNode, Fault> parse_toml(std::string_view text, const std::string& source);

}  // namespace chatd
