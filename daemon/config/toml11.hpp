/// toml11, whichever of its versions is installed: 3 on Debian 12, 4 on Debian 13. They
/// differ in their headers, in what they know of places, and in how they word an error;
/// all of that is in toml11.cpp and nowhere else.
#pragma once

#include <string>

#include "base/result.hpp"
#include "config/text_lines.hpp"
#include "config/toml_document.hpp"
#include "config/toml_report.hpp"

namespace chatd {

/// The tree of `text`, which is empty or ends with LF and in which find_danger() finds
/// nothing; `lines` are the lines of it. The error is about the first fault of syntax.
[[nodiscard]] Result<TomlNode, TomlReport> parse_with_toml11(const std::string& text,
                                                             const TextLines& lines);

}  // namespace chatd
