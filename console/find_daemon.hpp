/// Which daemon chatctl means: the one at the socket that was named, or the first place where
/// there is one that lets this user in.
#pragma once

#include <string>
#include <variant>

#include "base/time.hpp"
#include "base/unique_fd.hpp"
#include "console/arguments.hpp"

namespace chatd::console {

struct FoundDaemon {
  UniqueFd control;
  std::string path;  ///< of its socket
};

/// Connects to the daemon at `socket` or, if that is empty, at $CHATD_SOCKET: a place that was
/// named is the only one. Without either, a place where there is no daemon, or one that refuses
/// this user, is followed by the next; each may take `patience` to answer. Complains itself.
[[nodiscard]] std::variant<FoundDaemon, Exit> find_daemon(const std::string& socket,
                                                          Duration patience);

}  // namespace chatd::console
