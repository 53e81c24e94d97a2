/// The folder of the control socket: whoever can write to it, or change the way to it, could
/// put another socket in the place of ours, so all of it must be in trusted hands.
#pragma once

#include <string>

#include "base/result.hpp"

namespace chatd {

/// Makes the folder of the socket `path` if it is missing (0750, and its group
/// `group` unless that is -1), with the folders above it. What exists of them must be as
/// check_folders() wants it, before anything is made. The error says what is not right.
[[nodiscard]] Result<> prepare_control_folder(const std::string& path, int group);

}  // namespace chatd
