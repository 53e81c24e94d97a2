/// Variables of the environment. Nobody sets one while the programs run, so that reading
/// them is safe on every thread.
#pragma once

#include <cstdlib>
#include <string>

namespace chatd {

/// The value of a variable; empty if it is unset.
[[nodiscard]] inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

/// The first folder of a list that is separated by colons, as systemd's RUNTIME_DIRECTORY
/// and STATE_DIRECTORY are (systemd.exec(5)); the first one is ours. Empty if there is none.
[[nodiscard]] inline std::string first_folder_of(const char* name) {
  const std::string all = environment(name);
  return all.substr(0, all.find(':'));
}

}  // namespace chatd
