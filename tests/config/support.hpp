/// Configurations for tests: files in a folder that goes with the test, and an
/// environment of its own, so that no test depends on the machine's.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "support/catch.hpp"
#include "support/repository.hpp"

namespace chatd::test {

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "chatd-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + '/' + name; }
  /// Returns its path.
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path(name), std::ios::binary} << text;
    return path(name);
  }

 private:
  std::string path_;
};

using Variables = std::map<std::string, std::string>;

inline Environment environment(Variables variables = {}) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

/// Reads no file but `file`, and no variable but those given.
inline ConfigSources sources(std::optional<std::string> file, Variables variables = {},
                             std::vector<io::Endpoint> listen = {}) {
  return {std::move(file), std::move(listen), environment(std::move(variables)), "/nowhere/at/all"};
}

/// `text` with every `from` made `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// What is said of a file of this text, which is called F; empty if it is good.
inline std::string faults_of(const std::string& text, Variables variables = {}) {
  const Folder folder;
  const std::string file = folder.write("F", text);
  auto loaded = load_config(sources(file, std::move(variables)));
  return loaded ? std::string{} : replaced(to_string(loaded.error()), file, "F");
}

struct FaultRow {
  std::string file;   ///< without its last LF
  std::string lines;  ///< what is said of it; the same
  /// The same with version 4 of toml11, where that is something else.
  std::string lines_with_4 = {};
};

inline void check_faults(const std::vector<FaultRow>& rows) {
  for (const FaultRow& row : rows) {
    INFO(row.file);
    const bool other = CHATD_TOML11_MAJOR >= 4 && !row.lines_with_4.empty();
    CHECK(faults_of(row.file + '\n') == (other ? row.lines_with_4 : row.lines) + '\n');
  }
}

/// The Config of a file of this text, which must be good.
inline LoadedConfig loaded_from(const std::string& text, Variables variables = {}) {
  const Folder folder;
  auto loaded = load_config(sources(folder.write("F", text), std::move(variables)));
  INFO((loaded ? std::string{} : to_string(loaded.error())));
  REQUIRE(loaded);
  return *loaded;
}

}  // namespace chatd::test
