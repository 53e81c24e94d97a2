/// Whether the way to a file is in trusted hands: whoever may change a folder or a symbolic
/// link on it could put another file in the place of the one that is meant.
///
/// Invariant: nothing is changed, and nothing that a path leads to is opened.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace chatd {

/// Something that a path leads through.
struct PathStep {
  std::string path;  ///< without symbolic links
  struct stat status;
};

/// Every folder and every symbolic link through which `path` leads, in the order in which the
/// kernel meets them, and at the end what it leads to. The first one is the root. Where
/// something is missing they end before it. A path that is not absolute begins in the working
/// folder.
[[nodiscard]] Result<std::vector<PathStep>> steps_to(const std::string& path);

/// Whether the folder `folder`, all above it and all symbolic links on the way belong to root
/// or to this user, and nobody outside this user's group may write to the folders, or they are
/// sticky, as /tmp is. Folders that are missing are no fault. Whoever owns the root folder is
/// root here: where a user namespace does not know root it has another number.
[[nodiscard]] Result<> check_folders(const std::string& folder);

/// The folder in which `path` lies.
[[nodiscard]] std::string folder_of(const std::string& path);

}  // namespace chatd
