// replay FOLDER...: runs a fuzz target over every file of the folders, and over every
// beginning of each, where there is no fuzzer. So the corpus is a test like others.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace {

/// For a long file a few hundred beginnings are enough.
constexpr std::size_t kBeginnings = 300;

void run(const std::string& bytes, std::size_t size) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator{argv[i]}) {
      std::ifstream file{entry.path(), std::ios::binary};
      const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
      std::fprintf(stderr, "%s\n", entry.path().c_str());
      const std::size_t step = std::max<std::size_t>(1, bytes.size() / kBeginnings);
      for (std::size_t size = 0; size < bytes.size(); size += step) run(bytes, size);
      run(bytes, bytes.size());
      ++files;
    }
  }
  if (files == 0) {
    std::fputs("replay: there is no corpus\n", stderr);
    return 1;
  }
  return 0;
}
