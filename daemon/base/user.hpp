/// Users and groups of this machine, as its databases know them (nsswitch.conf(5)). Asking may
/// wait for a server on the network, where a machine has its users there.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.hpp"

namespace chatd {

/// The name of a user, or "uid N".
[[nodiscard]] std::string user_name(uid_t uid);

/// The gid of a group by name.
[[nodiscard]] Result<gid_t> find_group(const std::string& name);

/// Whether the databases have `uid` in that group now; what groups its processes have is
/// another question. A user whom they do not know is in none. Nothing if they cannot be asked.
[[nodiscard]] std::optional<bool> is_member(uid_t uid, gid_t group);

}  // namespace chatd
