/// Files of this user's alone, on real ones.
#include "base/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace chatd::test {
namespace {

constexpr int kMake = O_RDWR | O_CREAT;

/// What is wrong with the file, by both ways of asking.
std::string refusal(const std::string& path) {
  auto checked = check_private_file(path);
  auto opened = open_private_file(path, kMake);
  CHECK(static_cast<bool>(checked) == static_cast<bool>(opened));
  if (checked || opened) return "";
  CHECK(opened.error().message == "open " + path + ": " + checked.error().message);
  return checked.error().message;
}

TEST_CASE("private file: a new one is for this user alone, whatever the umask",
          "[base][private_file]") {
  const Folder folder;
  const Umask umask{0};
  auto file = open_private_file(folder / "new", kMake);
  REQUIRE(file);
  CHECK_FALSE(file->tightened);
  CHECK(mode_of(folder / "new") == 0600);
  CHECK(write(file->descriptor.get(), "x", 1) == 1);
}

TEST_CASE("private file: a missing one is made only on demand", "[base][private_file]") {
  const Folder folder;
  CHECK(check_private_file(folder / "none"));
  auto file = open_private_file(folder / "none", O_RDWR);
  REQUIRE_FALSE(file);
  CHECK(file.error().code == ENOENT);
}

TEST_CASE("private file: one of ours that others could use is tightened, and that is told",
          "[base][private_file]") {
  const Folder folder;
  for (const mode_t mode : {0644U, 0666U, 0660U, 0640U}) {
    const auto path = make_file(folder / std::to_string(mode), mode, "kept");
    CHECK(check_private_file(path));
    CHECK(mode_of(path) == mode);
    auto file = open_private_file(path, kMake);
    REQUIRE(file);
    CHECK(file->tightened);
    CHECK(mode_of(path) == 0600);
    CHECK(text_of(path) == "kept");
    CHECK_FALSE(open_private_file(path, kMake)->tightened);
  }
  const auto path = make_file(folder / "group", 0664);
  CHECK(open_private_file(path, kMake, 0640)->tightened);
  CHECK(mode_of(path) == 0640);
  CHECK_FALSE(open_private_file(path, kMake, 0640)->tightened);
}

TEST_CASE("private file: what is no file, or has another name, is refused",
          "[base][private_file]") {
  const Folder folder;
  const auto file = make_file(folder / "file", 0600, "not to be touched");
  const auto link = folder / "link";
  REQUIRE(symlink(file.c_str(), link.c_str()) == 0);
  CHECK(refusal(link) == link + " is a symbolic link");
  const auto nowhere = folder / "nowhere";
  REQUIRE(symlink((folder / "made").c_str(), nowhere.c_str()) == 0);
  CHECK(refusal(nowhere) == nowhere + " is a symbolic link");
  CHECK(access((folder / "made").c_str(), F_OK) != 0);
  const auto pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(refusal(pipe) == pipe + " is not a regular file");
  const auto inner = make_folder(folder / "folder", 0700);
  CHECK(refusal(inner) == inner + " is not a regular file");
  const auto second = folder / "second";
  REQUIRE(::link(file.c_str(), second.c_str()) == 0);
  CHECK(refusal(second) == second + " has another name as well (a hard link)");
}

TEST_CASE("private file: one of somebody else is refused, and says whose it is",
          "[base][private_file]") {
  if (!is_root()) return;
  const Folder folder;
  REQUIRE(chmod(folder.path().c_str(), 01777) == 0);
  const auto path = make_file(folder / "theirs", 0644);
  REQUIRE(chown(path.c_str(), kStranger, 0) == 0);
  CHECK(refusal(path) == path + " belongs to uid 54321");
  CHECK(mode_of(path) == 0644);
}

TEST_CASE("private file: one of root's is as good as one's own, if nobody else can write to it",
          "[base][private_file]") {
  if (!is_root()) return;
  const Folder folder;
  REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
  const auto good = make_file(folder / "good", 0644);
  const auto open_to_all = make_file(folder / "open", 0666);
  REQUIRE(seteuid(kStranger) == 0);
  const auto checked = check_private_file(good);
  auto refused = check_private_file(open_to_all);
  REQUIRE(seteuid(0) == 0);
  CHECK(checked);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == open_to_all + " belongs to root and can be written by others");
}

TEST_CASE("private file: the folders above are asked too", "[base][private_file]") {
  const Folder folder;
  const auto inner = make_folder(folder / "open", 0777);
  CHECK(refusal(inner + "/file").find("can be written by others") != std::string::npos);
  CHECK(access((inner + "/file").c_str(), F_OK) != 0);
  CHECK_FALSE(make_folder_of(inner + "/deeper/file"));
  CHECK(access((inner + "/deeper").c_str(), F_OK) != 0);
}

TEST_CASE("private file: folders that are missing are made for this user alone",
          "[base][private_file]") {
  const Folder folder;
  REQUIRE(make_folder_of(folder / "a/b/file"));
  CHECK(mode_of(folder / "a") == 0700);
  CHECK(mode_of(folder / "a/b") == 0700);
  CHECK(make_folder_of(folder / "a/b/file"));
}

}  // namespace
}  // namespace chatd::test
