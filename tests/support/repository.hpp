/// Where the files of the repository are, for tests that read one.
#pragma once

#include <filesystem>
#include <string_view>

namespace chatd::test {

/// `path` is relative to the top of the repository.
std::filesystem::path in_repository(std::string_view path);

}  // namespace chatd::test
