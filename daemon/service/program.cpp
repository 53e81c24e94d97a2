#include "service/program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

namespace chatd::service {

std::string find_program(const std::string& name) {
  std::error_code failed;
  if (name.find('/') != std::string::npos) {
    return std::filesystem::absolute(name, failed).lexically_normal().string();
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders{path == nullptr ? "" : path};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto found = std::filesystem::absolute(folder + '/' + name, failed);
    if (!failed && ::access(found.c_str(), X_OK) == 0) return found.string();
  }
  return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

}  // namespace chatd::service
