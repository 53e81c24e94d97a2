/// A file of this user's alone: what is written there is for nobody else, and nobody else may
/// decide where it goes or what is read.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd {

struct PrivateFile {
  UniqueFd descriptor;
  /// It could be used by more than the widest mode allows, and cannot be any more.
  bool tightened = false;
};

/// Whether `path`, if it is there, is a regular file with one name, and not a symbolic link;
/// belongs to this user, or to root and can be written by nobody else; and lies behind folders
/// that check_folders() accepts. Changes nothing. The error says what is not right.
[[nodiscard]] Result<> check_private_file(const std::string& path);

/// Opens a file that check_private_file() accepts with the `flags` of open(2). With O_CREAT
/// among them a missing one is made, for this user alone. If the mode of this user's file has
/// bits that `widest` has not, they are taken from it.
[[nodiscard]] Result<PrivateFile> open_private_file(const std::string& path, int flags,
                                                    mode_t widest = 0600);

/// Makes the folders that are missing on the way to the file `path`, which is absolute, for
/// this user alone, where check_folders() accepts what is there.
[[nodiscard]] Result<> make_folder_of(const std::string& path);

}  // namespace chatd
