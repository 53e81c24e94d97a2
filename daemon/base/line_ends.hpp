/// The line ends of a text that comes from a file: those of Windows are LF here.
#pragma once

#include <string>
#include <string_view>

namespace chatd {

/// `text` with LF in place of each CR LF. Any other CR stays: it is a character like others, and
/// escaped where it is shown.
[[nodiscard]] inline std::string with_lf(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends_line = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!ends_line) out += text[i];
  }
  return out;
}

}  // namespace chatd
