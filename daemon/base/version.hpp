/// The version of the programs, which is that of the project in CMakeLists.txt.
#pragma once

#include <string_view>

namespace chatd {

/// "0.2.0"; a string literal, so its end is a NUL.
extern const std::string_view kVersion;

}  // namespace chatd
