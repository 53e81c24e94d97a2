/// A fault of a configuration, as one line for a person.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chatd {

/// A place in a file, counted from 1; columns count characters, not bytes.
struct Position {
  int line = 0;  ///< 0: no place
  int column = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Fault {
  std::string source;  ///< the file, or "environment"
  Position where;      ///< none for the environment and for a file as a whole
  std::string key;     ///< "session.settle", or the variable's name; may be empty
  std::string what;    ///< what is wrong and what would be right

  /// "FILE:LINE:COLUMN: key: what", without the parts that are not there.
  [[nodiscard]] std::string to_string() const;
};

using Faults = std::vector<Fault>;

/// All faults, one a line, in their order.
[[nodiscard]] std::string to_string(const Faults& faults);

/// Text of a configuration in quotation marks, fit to be shown: escaped, and cut
/// where it grows long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace chatd
