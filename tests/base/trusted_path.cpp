/// The way to a file, through real folders and links.
#include "base/trusted_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace chatd::test {
namespace {

std::string link_to(const std::string& target, const std::string& path) {
  REQUIRE(symlink(target.c_str(), path.c_str()) == 0);
  return path;
}

/// The steps below `folder`, by their names in it.
std::vector<std::string> steps_in(const Folder& folder, const std::string& path) {
  auto steps = steps_to(path);
  REQUIRE(steps);
  CHECK(steps->front().path == "/");
  std::vector<std::string> names;
  for (const auto& step : *steps) {
    if (step.path.starts_with(folder.path() + '/')) {
      names.push_back(step.path.substr(folder.path().size() + 1));
    }
  }
  return names;
}

std::string refusal(const std::string& folder) {
  auto checked = check_folders(folder);
  return checked ? "" : checked.error().message;
}

TEST_CASE("trusted path: the way is the one that the kernel goes", "[base][trusted_path]") {
  using Names = std::vector<std::string>;
  const Folder folder;
  make_folder(folder / "a", 0700);
  make_folder(folder / "a/b", 0700);
  link_to("a/b", folder / "relative");
  link_to(folder / "a", folder / "absolute");
  link_to("../relative", folder / "a/again");
  make_file(folder / "a/file", 0600);
  CHECK(steps_in(folder, folder / "a/b") == Names{"a", "a/b"});
  CHECK(steps_in(folder, folder / "./a//b/../b/") == Names{"a", "a/b", "a", "a/b"});
  CHECK(steps_in(folder, folder / "relative") == Names{"relative", "a", "a/b"});
  CHECK(steps_in(folder, folder / "absolute/b") == Names{"absolute", "a", "a/b"});
  CHECK(steps_in(folder, folder / "a/again") == Names{"a", "a/again", "relative", "a", "a/b"});
  CHECK(steps_in(folder, folder / "a/file") == Names{"a", "a/file"});
  CHECK(steps_in(folder, folder / "a/missing/too") == Names{"a"});
}

TEST_CASE("trusted path: links in a circle, and files in the place of folders, are errors",
          "[base][trusted_path]") {
  const Folder folder;
  link_to("loop", folder / "loop");
  auto steps = steps_to(folder / "loop");
  REQUIRE_FALSE(steps);
  CHECK(steps.error().code == ELOOP);
  make_file(folder / "file", 0600);
  steps = steps_to(folder / "file/more");
  REQUIRE_FALSE(steps);
  CHECK(steps.error().code == ENOTDIR);
  CHECK(check_folders(folder / "file").error().code == ENOTDIR);
}

TEST_CASE("trusted path: what others may write to is refused, wherever it stands",
          "[base][trusted_path]") {
  const Folder folder;
  const auto closed = make_folder(folder / "closed", 0755);
  make_folder(folder / "closed/deep", 0700);
  CHECK(refusal(closed + "/deep").empty());
  CHECK(refusal(closed + "/deep/not/there").empty());
  for (const mode_t mode : {0777U, 0702U}) {
    REQUIRE(chmod(closed.c_str(), mode) == 0);
    const auto why =
        "the folder " + closed + " can be written by others, who could exchange what is in it";
    CHECK(refusal(closed) == why);
    CHECK(refusal(closed + "/deep") == why);
    CHECK(refusal(closed + "/not/there") == why);
  }
  REQUIRE(chmod(closed.c_str(), 01777) == 0);
  CHECK(refusal(closed + "/deep").empty());
  REQUIRE(chmod(closed.c_str(), 0770) == 0);
  REQUIRE(chown(closed.c_str(), static_cast<uid_t>(-1), getegid()) == 0);
  CHECK(refusal(closed).empty());  // the group of this process
}

TEST_CASE("trusted path: what belongs to somebody else is refused, links as well as folders",
          "[base][trusted_path]") {
  if (!is_root()) return;
  const Folder folder;
  const auto theirs = make_folder(folder / "theirs", 01755);
  REQUIRE(chown(theirs.c_str(), kStranger, 0) == 0);
  CHECK(refusal(theirs) ==
        "the folder " + theirs + " belongs to uid 54321, who could exchange what is in it");
  make_folder(folder / "ours", 0700);
  const auto link = link_to("ours", folder / "link");
  CHECK(refusal(link).empty());
  REQUIRE(lchown(link.c_str(), kStranger, 0) == 0);
  CHECK(refusal(link) ==
        "the symbolic link " + link + " belongs to uid 54321, who could let it lead elsewhere");
  // On the way that a link of ours leads.
  CHECK_FALSE(refusal(link_to("theirs", folder / "to-theirs")).empty());
}

TEST_CASE("trusted path: the folder of a path", "[base][trusted_path]") {
  CHECK(folder_of("/run/chatd/control.sock") == "/run/chatd");
  CHECK(folder_of("/control.sock") == "/");
  CHECK(folder_of("control.sock") == ".");
}

}  // namespace
}  // namespace chatd::test
