// The only file that is compiled with the path of the repository. __FILE__ would not do: a
// compiler cache may make that relative to the folder of the build.
#include "support/repository.hpp"

namespace chatd::test {

std::filesystem::path in_repository(std::string_view path) {
  return std::filesystem::path{CHATD_SOURCE_DIR} / path;
}

}  // namespace chatd::test
