/// The folder of the control socket, on real files in a folder of the test's own.
#include "operators/control_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace chatd::test {
namespace {

TEST_CASE("control folder: a missing one is made 0750, whatever the umask",
          "[operators][control_folder]") {
  for (const mode_t mask : {0U, 022U, 077U}) {
    const Folder folder;
    const Umask umask{mask};
    REQUIRE(prepare_control_folder(folder / "run/control.sock", -1));
    CHECK(mode_of(folder / "run") == 0750);
  }
}

TEST_CASE("control folder: the folders above are made too, and others may enter them",
          "[operators][control_folder]") {
  const Folder folder;
  const Umask umask{022};
  REQUIRE(prepare_control_folder(folder / "a/b/c/control.sock", -1));
  CHECK(mode_of(folder / "a") == 0755);
  CHECK(mode_of(folder / "a/b") == 0755);
  CHECK(mode_of(folder / "a/b/c") == 0750);
}

TEST_CASE("control folder: an existing one that is ours stays as it is",
          "[operators][control_folder]") {
  const Folder folder;
  for (const mode_t mode : {0700U, 0750U, 0755U}) {
    const auto path = make_folder(folder / std::to_string(mode), mode);
    CHECK(prepare_control_folder(path + "/control.sock", 0));
    CHECK(mode_of(path) == mode);
  }
}

TEST_CASE("control folder: one that others may write to is refused, unless it is sticky",
          "[operators][control_folder]") {
  const Folder folder;
  const auto open_to_all = make_folder(folder / "open", 0777);
  auto refused = prepare_control_folder(open_to_all + "/control.sock", -1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(open_to_all) != std::string::npos);
  CHECK(refused.error().message.find("written by others") != std::string::npos);
  CHECK(prepare_control_folder(make_folder(folder / "sticky", 01777) + "/control.sock", -1));
  CHECK_FALSE(prepare_control_folder(make_folder(folder / "others", 0702) + "/control.sock", -1));
}

TEST_CASE("control folder: one that another group may write to is refused",
          "[operators][control_folder]") {
  if (!is_root()) return;
  const Folder folder;
  const auto path = make_folder(folder / "group", 0770);
  REQUIRE(chown(path.c_str(), 0, kStranger) == 0);
  REQUIRE(chmod(path.c_str(), 0770) == 0);
  CHECK_FALSE(prepare_control_folder(path + "/control.sock", -1));
  REQUIRE(chmod(path.c_str(), 0750) == 0);
  CHECK(prepare_control_folder(path + "/control.sock", -1));
}

TEST_CASE("control folder: one that belongs to somebody else is refused, and says to whom",
          "[operators][control_folder]") {
  if (!is_root()) return;
  const Folder folder;
  const auto path = make_folder(folder / "theirs", 0755);
  REQUIRE(chown(path.c_str(), kStranger, 0) == 0);
  auto refused = prepare_control_folder(path + "/control.sock", -1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("uid 54321") != std::string::npos);
  // Sticky does not help: the owner may still remove what is in it.
  REQUIRE(chmod(path.c_str(), 01777) == 0);
  CHECK_FALSE(prepare_control_folder(path + "/control.sock", -1));
}

TEST_CASE("control folder: one of root's is as good as one's own", "[operators][control_folder]") {
  if (!is_root()) return;
  const Folder folder;
  REQUIRE(chmod((folder / "").c_str(), 0755) == 0);
  const auto path = make_folder(folder / "roots", 0755);
  REQUIRE(seteuid(kStranger) == 0);
  const auto prepared = prepare_control_folder(path + "/control.sock", -1);
  REQUIRE(seteuid(0) == 0);
  CHECK(prepared);
}

TEST_CASE("control folder: a new one is given to the group, an old one is not",
          "[operators][control_folder]") {
  if (!is_root()) return;
  const Folder folder;
  REQUIRE(prepare_control_folder(folder / "new/control.sock", kStranger));
  CHECK(status_of(folder / "new").st_gid == kStranger);
  CHECK(mode_of(folder / "new") == 0750);
  const auto old = make_folder(folder / "old", 0750);
  REQUIRE(prepare_control_folder(old + "/control.sock", kStranger));
  CHECK(status_of(old).st_gid != kStranger);
}

TEST_CASE("control folder: what is not a folder is an error that names it",
          "[operators][control_folder]") {
  const Folder folder;
  const auto file = folder / "file";
  REQUIRE(mknod(file.c_str(), S_IFREG | 0600, 0) == 0);
  for (const auto& path : {file + "/control.sock", file + "/deeper/control.sock"}) {
    auto refused = prepare_control_folder(path, -1);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find(file) != std::string::npos);
    CHECK(refused.error().code == ENOTDIR);
  }
}

TEST_CASE("control folder: a link to a folder is judged by the folder",
          "[operators][control_folder]") {
  const Folder folder;
  const auto open_to_all = make_folder(folder / "open", 0777);
  REQUIRE(symlink(open_to_all.c_str(), (folder / "link").c_str()) == 0);
  CHECK_FALSE(prepare_control_folder(folder / "link/control.sock", -1));
  const auto closed = make_folder(folder / "closed", 0700);
  REQUIRE(symlink(closed.c_str(), (folder / "good").c_str()) == 0);
  CHECK(prepare_control_folder(folder / "good/control.sock", -1));
}

TEST_CASE("control folder: all folders above it are asked as well, before anything is made",
          "[operators][control_folder]") {
  const Folder folder;
  const auto open_to_all = make_folder(folder / "open", 0777);
  const auto ours = make_folder(folder / "open/ours", 0700);
  auto refused = prepare_control_folder(ours + "/control.sock", -1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("the folder " + open_to_all + " can be") == 0);
  CHECK_FALSE(prepare_control_folder(open_to_all + "/a/b/control.sock", -1));
  CHECK(access((open_to_all + "/a").c_str(), F_OK) != 0);
  if (!is_root()) return;
  const auto theirs = make_folder(folder / "theirs", 0755);
  REQUIRE(chown(theirs.c_str(), kStranger, 0) == 0);
  CHECK_FALSE(prepare_control_folder(make_folder(theirs + "/ours", 0700) + "/control.sock", -1));
}

}  // namespace
}  // namespace chatd::test
