/// Whether another chatd of this user serves operators already: what is said to somebody who
/// starts a second one by mistake.
#pragma once

#include <string>

namespace chatd {

/// "chatd runs already (pid 4711); its console is chatctl", if a process of this user listens at
/// `control_path`; else empty. Also empty where this process may be there to take over from that
/// one.
[[nodiscard]] std::string already_running(const std::string& control_path);

}  // namespace chatd
