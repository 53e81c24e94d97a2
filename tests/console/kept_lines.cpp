#include "console/kept_lines.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

namespace chatd::console {

namespace {

struct Folder {
  Folder() { path = ::mkdtemp(path.data()); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path = "/tmp/chatd-lines-XXXXXX";
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("kept lines: what one console keeps the next one reads", "[console][lines]") {
  const Folder folder;
  const std::string path = folder.path + "/state/chatd/lines";
  CHECK(read_kept_lines(path, 10).empty());
  const Lines lines{"one", "two\nlines", "back\\slash \\n", "", "grüß 🦊"};
  REQUIRE(keep_lines(path, lines, 10));
  CHECK(read_kept_lines(path, 10) == Lines{"one", "two\nlines", "back\\slash \\n", "grüß 🦊"});
  CHECK(read_kept_lines(path, 2) == Lines{"back\\slash \\n", "grüß 🦊"});
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("kept lines: those of others stay, and the last ones of all", "[console][lines]") {
  const Folder folder;
  const std::string path = folder.path + "/lines";
  REQUIRE(keep_lines(path, {"a", "b"}, 4));
  REQUIRE(keep_lines(path, {"b", "c", "d", "e"}, 4));
  CHECK(read_kept_lines(path, 10) == Lines{"b", "c", "d", "e"});
}

TEST_CASE("kept lines: a file that cannot be read is not replaced", "[console][lines]") {
  const Folder folder;
  const std::string path = folder.path + "/lines";
  std::filesystem::create_directory(path);
  CHECK_FALSE(keep_lines(path, {"x"}, 4));
  CHECK(std::filesystem::is_directory(path));
  std::filesystem::remove(path);
  std::ofstream{folder.path + "/elsewhere"} << "theirs\n";
  std::filesystem::create_hard_link(folder.path + "/elsewhere", path);
  CHECK_FALSE(keep_lines(path, {"x"}, 4));
  CHECK(std::filesystem::hard_link_count(path) == 2);
}

TEST_CASE("kept lines: of a file that grew too long the last lines are read", "[console][lines]") {
  const Folder folder;
  const std::string path = folder.path + "/lines";
  {
    std::ofstream file{path};
    for (int i = 0; i < 100; ++i) file << std::string(60'000, 'x') << i << '\n';
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  CHECK(read_kept_lines(path, 1) == Lines{std::string(60'000, 'x') + "99"});
  CHECK(read_kept_lines(path, 1000).size() < 100);
}

TEST_CASE("kept lines: a file that is nobody's to trust is left alone", "[console][lines]") {
  const Folder folder;
  std::ofstream{folder.path + "/elsewhere"} << "secret\n";
  std::filesystem::create_symlink(folder.path + "/elsewhere", folder.path + "/lines");
  CHECK(read_kept_lines(folder.path + "/lines", 10).empty());
  CHECK(read_kept_lines("/proc/nowhere/lines", 10).empty());
  CHECK_FALSE(keep_lines("/proc/nowhere/lines", {"x"}, 10));
}

}  // namespace chatd::console
