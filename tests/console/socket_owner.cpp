/// Who may serve chatctl: real sockets, listened to by a process that is somebody else.
#include "console/socket_owner.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/control_path.hpp"
#include "base/unique_fd.hpp"
#include "console/control_client.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"

namespace chatd::console::test {
namespace {

using chatd::test::Folder;
using chatd::test::is_root;
using chatd::test::kStranger;
using chatd::test::make_folder;

/// A socket that listens at `path` for a process of `user`: the kernel keeps who called
/// listen(2), so it can be this one, as somebody else for a moment.
UniqueFd listen_as(uid_t user, const std::string& path) {
  UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(seteuid(user) == 0);
  const int listening = ::listen(socket.get(), 1);
  REQUIRE(seteuid(0) == 0);
  REQUIRE(listening == 0);
  return socket;
}

void give(const std::string& path, uid_t user) {
  REQUIRE(chown(path.c_str(), user, static_cast<gid_t>(-1)) == 0);
}

TEST_CASE("socket owner: one's own daemon is trusted, wherever its socket is",
          "[console][socket_owner]") {
  const Folder folder;
  if (!is_root()) return;
  const auto open_to_all = make_folder(folder / "open", 0777);
  const auto server = listen_as(0, open_to_all + "/sock");
  CHECK(connect_control(open_to_all + "/sock"));
}

TEST_CASE("socket owner: a stranger's is not, and is named", "[console][socket_owner]") {
  if (!is_root()) return;
  const Folder folder;  // in /tmp, where everybody can make one
  const auto path = folder / "sock";
  const auto server = listen_as(kStranger, path);
  give(folder.path(), kStranger);
  auto refused = connect_control(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EPERM);
  CHECK(refused.error().message ==
        path +
            " is served by uid 54321, who is neither root nor you and did not get its folder "
            "from root");
}

TEST_CASE("socket owner: a folder in /tmp that has a user's number is that user's",
          "[console][socket_owner]") {
  if (!is_root()) return;
  const auto path = detail::temporary_control_path(kStranger);
  const auto folder = path.substr(0, path.rfind('/'));
  if (access(folder.c_str(), F_OK) == 0) return;
  make_folder(folder, 0755);
  {
    const auto server = listen_as(kStranger, path);
    CHECK(connect_control(path));
  }
  unlink(path.c_str());
  {
    const auto server = listen_as(kStranger + 1, path);
    CHECK_FALSE(connect_control(path));
  }
  unlink(path.c_str());
  rmdir(folder.c_str());
}

TEST_CASE("socket owner: the user to whom root gave the folder is trusted, as in /run/chatd",
          "[console][socket_owner]") {
  if (!is_root()) return;
  std::string root = "/run/chatd-test-XXXXXX";
  if (mkdtemp(root.data()) == nullptr) return;  // no folder of root's own here
  REQUIRE(chmod(root.c_str(), 0755) == 0);
  const auto theirs = make_folder(root + "/theirs", 0755);
  const auto inner = make_folder(theirs + "/inner", 0777);
  give(theirs, kStranger);
  const auto path = inner + "/sock";
  {
    const auto server = listen_as(kStranger, path);
    CHECK(connect_control(path));
    // Not where others could have made it.
    REQUIRE(chmod(root.c_str(), 01777) == 0);
    CHECK_FALSE(connect_control(path));
    REQUIRE(chmod(root.c_str(), 0775) == 0);
    CHECK_FALSE(connect_control(path));
    REQUIRE(chmod(root.c_str(), 0755) == 0);
    // Nor by way of a link that others have made.
    const Folder folder;
    const auto link = folder / "link";
    REQUIRE(symlink(inner.c_str(), link.c_str()) == 0);
    CHECK_FALSE(connect_control(link + "/sock"));
  }
  unlink(path.c_str());
  {
    const auto server = listen_as(kStranger + 1, path);
    CHECK_FALSE(connect_control(path));
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace chatd::console::test
