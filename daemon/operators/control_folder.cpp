#include "operators/control_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/trusted_path.hpp"
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
  const std::string folder = folder_of(path);
  struct stat before {};
  const bool missing = stat(folder.c_str(), &before) != 0 && errno == ENOENT;
  if (auto checked = check_folders(folder); !checked) return checked;
  if (!missing) return {};
  if (auto made = make_folders(folder, 0750); !made) return made;
  // Somebody else may have been faster where one of them is open to all.
  if (auto checked = check_folders(folder); !checked) return checked;
  const UniqueFd opened{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!opened) return Error::from_errno("open the folder " + folder, errno);
  if (fchmod(opened.get(), 0750) != 0) {  // whatever the umask was
    return Error::from_errno("set the mode of " + folder, errno);
  }
  const auto gid = static_cast<gid_t>(group);
  if (group >= 0 && fchown(opened.get(), static_cast<uid_t>(-1), gid) != 0) {
    return Error::from_errno("give the folder " + folder + " to control.group", errno);
  }
  return {};
}

}  // namespace chatd
