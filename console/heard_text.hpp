/// What a chat server sends, as rows for a screen: its lines, and what it says without a
/// line end once nothing more comes for a while. Pure: the time of quiet is told. What it
/// keeps is at most kLongestRow and what one push() brought.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace chatd::console {

class HeardText {
 public:
  /// In bytes; a longer line becomes several rows, cut between characters.
  static constexpr std::size_t kLongestRow = 64UL * 1024;

  /// The rows that `bytes` completes, without CR LF or LF, not escaped.
  [[nodiscard]] std::vector<std::string> push(std::string_view bytes);
  /// Nothing has come for a while: what has no line end yet is a row, but for a character of
  /// which bytes are missing. A line end that comes next belongs to that row.
  [[nodiscard]] std::vector<std::string> quiet();
  /// Nothing will come any more: all that is left.
  [[nodiscard]] std::vector<std::string> end();

  /// A row as a terminal shows it: escaped, behind "< ", under which it hangs.
  [[nodiscard]] static std::string shown(std::string_view row);
  static constexpr std::size_t kHang = 2;
  /// What the server says without a line end is shown when nothing has followed for this long.
  static constexpr Duration kQuiet{50};

  /// Whether there is something for quiet() to show.
  [[nodiscard]] bool unfinished() const;

 private:
  std::string partial_;        // the line that has not ended yet
  std::size_t searched_ = 0;   // how much of it is known to have no LF
  bool shown_before_ = false;  // a row that has no line end yet was shown by quiet()
};

}  // namespace chatd::console
