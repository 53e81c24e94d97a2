#include "base/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.hpp"
#include "base/trusted_path.hpp"
#include "base/user.hpp"

namespace chatd {

namespace {

constexpr mode_t kModeBits = 07777;

/// What is wrong with such a file at `path`.
Result<> judge(const std::string& path, const struct stat& status) {
  const auto refused = [&path](const std::string& why) { return Error{escaped(path) + why}; };
  if (S_ISLNK(status.st_mode)) return refused(" is a symbolic link");
  if (!S_ISREG(status.st_mode)) return refused(" is not a regular file");
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return refused(" belongs to " + user_name(status.st_uid));
  }
  if (status.st_uid != geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refused(" belongs to root and can be written by others");
  }
  // Where a folder is open to all, somebody may have linked a file of this user to this name.
  if (status.st_nlink > 1) return refused(" has another name as well (a hard link)");
  return {};
}

}  // namespace

Result<> check_private_file(const std::string& path) {
  if (auto checked = check_folders(folder_of(path)); !checked) return checked;
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) return judge(path, status);
  if (errno == ENOENT) return {};
  return Error::from_errno("look at " + escaped(path), errno);
}

Result<PrivateFile> open_private_file(const std::string& path, int flags, mode_t widest) {
  const std::string attempt = "open " + escaped(path);
  // First by its name, for something else may not be fit to be opened at all.
  if (auto checked = check_private_file(path); !checked) {
    return std::move(checked.error()).while_doing(attempt);
  }
  constexpr int kAlways = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  PrivateFile file{UniqueFd{open(path.c_str(), flags | kAlways, 0600)}};
  struct stat status {};
  if (!file.descriptor || fstat(file.descriptor.get(), &status) != 0) {
    return Error::from_errno(attempt, errno);
  }
  if (auto right = judge(path, status); !right) {
    return std::move(right.error()).while_doing(attempt);
  }
  const mode_t mode = status.st_mode & kModeBits;
  if (status.st_uid == geteuid() && (mode & ~widest) != 0) {
    if (fchmod(file.descriptor.get(), mode & widest) != 0) {
      return Error::from_errno("set the mode of " + escaped(path), errno);
    }
    file.tightened = true;
  }
  return file;
}

Result<> make_folder_of(const std::string& path) {
  if (auto checked = check_folders(folder_of(path)); !checked) return checked;
  for (auto end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return Error::from_errno("make the folder " + escaped(folder), errno);
    }
  }
  return {};
}

}  // namespace chatd
