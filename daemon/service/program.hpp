/// The program that runs, and the path at which its successor will be found: a package
/// upgrade puts a new file there, and a link may lead to a new version.
#pragma once

#include <string>
#include <vector>

namespace chatd::service {

struct Program {
  std::string path;                    ///< absolute
  std::vector<std::string> arguments;  ///< all of them, its name first
};

/// From the name by which it was called: as a path, or found in $PATH. Only if $PATH has no
/// such program, from /proc/self/exe: that is the file of today, whatever links led to it.
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace chatd::service
