/// The folder of the control socket: whoever can write to it could put another socket in the
/// place of ours, so it must be in trusted hands.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

namespace chatd {

/// Makes the folder of the socket `path` if it is missing (0750, and its group
/// `group` unless that is -1), with the folders above it. An existing one is taken
/// if it belongs to root or to this user, and nobody outside this user's group may
/// write to it (or it is sticky, as /tmp is). The error says what is not right.
[[nodiscard]] Result<> prepare_control_folder(const std::string& path, int group);

/// The gid of a group by name.
[[nodiscard]] Result<gid_t> find_group(const std::string& name);

/// The name of a user, or "uid N".
[[nodiscard]] std::string user_name(uid_t uid);

}  // namespace chatd
