#include "operators/control_folder.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/unique_fd.hpp"

namespace chatd {

namespace {

Result<> make_folders(const std::string& folder, mode_t mode) {
  if (mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return {};
  const auto slash = folder.rfind('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) {
    return Error::from_errno("make the folder " + folder, errno);
  }
  if (auto made = make_folders(folder.substr(0, slash), 0755); !made) return made;
  if (mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return {};
  return Error::from_errno("make the folder " + folder, errno);
}

}  // namespace

Result<> prepare_control_folder(const std::string& path, int group) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  struct stat before {};
  const bool missing = stat(folder.c_str(), &before) != 0 && errno == ENOENT;
  if (missing) {
    if (auto made = make_folders(folder, 0750); !made) return made;
  }
  const UniqueFd opened{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  struct stat status {};
  if (!opened || fstat(opened.get(), &status) != 0) {
    return Error::from_errno("open the folder " + folder, errno);
  }
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return Error{"the folder " + folder + " belongs to " + user_name(status.st_uid) +
                 ", who could put another socket in this one's place"};
  }
  const bool others_write = (status.st_mode & S_IWOTH) != 0 ||
                            ((status.st_mode & S_IWGRP) != 0 && status.st_gid != getegid());
  if (others_write && (status.st_mode & S_ISVTX) == 0) {
    return Error{"the folder " + folder +
                 " can be written by others, who could put another socket in this one's place"};
  }
  if (missing && fchmod(opened.get(), 0750) != 0) {  // whatever the umask was
    return Error::from_errno("set the mode of " + folder, errno);
  }
  const auto gid = static_cast<gid_t>(group);
  if (missing && group >= 0 && fchown(opened.get(), static_cast<uid_t>(-1), gid) != 0) {
    return Error::from_errno("give the folder " + folder + " to control.group", errno);
  }
  return {};
}

Result<gid_t> find_group(const std::string& name) {
  std::vector<char> memory(64 * 1024);
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  if (error != 0) return Error::from_errno("look up the group " + name, error);
  return Error{"there is no group " + name};
}

std::string user_name(uid_t uid) {
  std::vector<char> memory(64 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, memory.data(), memory.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return "uid " + std::to_string(uid);
}

}  // namespace chatd
