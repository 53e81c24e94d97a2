/// What the bytes of a line or telnet client mean, decided a second time: by a reader that sees
/// all of them at once, and looks at one after the other. The framer must agree with it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace chatd::test {

struct Line {
  std::string text;  ///< with U+FFFD for what is not UTF-8
  bool cut = false;  ///< it was longer
};

/// The messages of `bytes`, without commands of telnet: where `telnet`, none of them is IAC.
/// `max` is max_message.
inline std::vector<Line> lines_of(std::string_view bytes, bool telnet, std::size_t max) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kMark)) bytes.remove_prefix(kMark.size());
  std::vector<Line> all;
  std::string line;
  bool after_cr = false;
  bool owed = false;  // telnet: an LF or NUL behind the CR that has ended a line
  bool cut = false;
  const auto add = [&all](std::string_view raw, bool was_cut) {
    if (was_cut) raw.remove_suffix(incomplete_tail(raw));
    all.push_back({{}, was_cut});
    append_repaired(all.back().text, raw);
  };
  const auto end = [&](bool by_file) {
    if (line.ends_with('\r') && (!by_file || after_cr)) line.pop_back();
    while (line.ends_with('\0')) line.pop_back();
    if (!cut) add(line, false);
    line.clear();
    cut = false;
  };
  const auto erase = [&line] {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U) {
      line.pop_back();
    }
    if (!line.empty()) line.pop_back();
  };
  for (const char byte : bytes) {
    if (std::exchange(owed, false) && (byte == '\n' || byte == '\0')) continue;
    const bool ends = byte == '\n' || (telnet && byte == '\r') || (byte == '\0' && after_cr);
    after_cr = !ends && byte == '\r';
    if (ends) {
      end(false);
      owed = byte == '\r';
    } else if (cut || (byte == '\0' && line.empty())) {
      continue;
    } else if (byte == '\b' || byte == '\x7F') {
      erase();
    } else {
      line += byte;
      if (line.size() <= max || (line.size() == max + 1 && byte == '\r')) continue;
      add(std::string_view{line}.substr(0, max), true);
      line.clear();
      cut = true;
    }
  }
  if (!line.empty() || after_cr) end(true);
  return all;
}

}  // namespace chatd::test
