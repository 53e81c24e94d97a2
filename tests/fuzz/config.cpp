// The configuration: whatever a file holds, loading it ends soon, with a configuration
// that is the same when it is printed and loaded again, or with faults, each of them one
// line that names a place in the file.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "config/load.hpp"
#include "config/toml_document.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using chatd::fuzz::must;

/// A file in memory.
class MemoryFile {
 public:
  MemoryFile() : fd_{memfd_create("chatd.toml", MFD_CLOEXEC)} {}
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  void hold(std::string_view text) const {
    must(ftruncate(fd_, 0) == 0, "ftruncate");
    must(pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "pwrite");
  }

 private:
  int fd_;
};

chatd::Result<chatd::LoadedConfig, chatd::Faults> load(std::string_view text) {
  static const MemoryFile kFile;
  kFile.hold(text);
  chatd::ConfigSources sources;
  sources.file = kFile.path();
  sources.environment = [](const std::string&) { return std::nullopt; };
  return chatd::load_config(sources);
}

void check_faults(std::string_view text, const chatd::Faults& faults) {
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  must(!faults.empty(), "refused, and nothing is wrong");
  for (const auto& fault : faults) {
    must(fault.where.line >= 0 && fault.where.line <= lines + 1, "a fault behind the end");
    const std::string line = fault.to_string();
    must(!line.empty() && chatd::escaped(line) == line, "a fault is not one clean line");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  auto loaded = load(text);
  if (!loaded) {
    check_faults(text, loaded.error());
    return 0;
  }
  const std::string printed = chatd::print_config(loaded->config, loaded->origins);
  auto again = load(printed);
  must(static_cast<bool>(again), "what is printed cannot be loaded");
  must(again->config == loaded->config, "printed and loaded it is another one");
  must(chatd::diff(loaded->config, again->config) == chatd::ConfigChange{}, "a change of nothing");
  return 0;
}
