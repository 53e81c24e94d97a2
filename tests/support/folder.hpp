/// A folder of a test's own, in the temporary folder, and what is asked of files in it.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/catch.hpp"

namespace chatd::test {

/// Removed when it goes.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "chatd-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline struct stat status_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status;
}

inline unsigned mode_of(const std::string& path) {
  return status_of(path).st_mode & 07777U;
}

/// Makes a folder.
inline std::string make_folder(const std::string& path, mode_t mode) {
  REQUIRE(mkdir(path.c_str(), 0700) == 0);
  REQUIRE(chmod(path.c_str(), mode) == 0);
  return path;
}

inline std::string make_file(const std::string& path, mode_t mode, const std::string& text = "") {
  std::ofstream{path} << text;
  REQUIRE(chmod(path.c_str(), mode) == 0);
  return path;
}

inline std::string text_of(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The umask for as long as this exists.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_{umask(mask)} {}
  ~Umask() { umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

/// Whether the test may do what only root can.
inline bool is_root() {
  if (geteuid() == 0) return true;
  WARN("not checked: it needs root");
  return false;
}

inline constexpr uid_t kStranger = 54'321;  // a uid is a number; nobody has to have it

}  // namespace chatd::test
