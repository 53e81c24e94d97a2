/// A line for people to read, on its way to a screen.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace chatd::console {

/// Where the rows of a line hang that says nothing else: further in than any mark that the console
/// begins a line with.
constexpr std::size_t kUsualHang = 4;

struct Line {
  std::string text;               ///< escaped, without LF; it may have colours
  std::size_t hang = kUsualHang;  ///< the columns of its prefix, under which further rows hang
};

/// Writes a line to standard output or standard error: as rows (base/rows.hpp) on a terminal, and
/// as one line elsewhere.
void put_line(std::FILE* to, std::string_view line, std::size_t hang = kUsualHang);

}  // namespace chatd::console
