#include "service/program.hpp"

#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/environment.hpp"

namespace chatd::service {

std::string find_program(const std::string& name) {
  std::error_code failed;
  if (name.find('/') != std::string::npos) {
    return std::filesystem::absolute(name, failed).lexically_normal().string();
  }
  std::istringstream folders{environment("PATH")};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto found = std::filesystem::absolute(folder + '/' + name, failed);
    if (!failed && ::access(found.c_str(), X_OK) == 0) return found.string();
  }
  return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

}  // namespace chatd::service
