/// Descriptors that the service manager passed to this process: sockets of a socket
/// unit, and those that an earlier process put into the descriptor store. The order means
/// nothing, it changes from start to start: a descriptor is known by its name and by
/// what it is. libsystemd is used here.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace chatd::service {

struct PassedDescriptor {
  UniqueFd fd;       ///< closed on exec
  std::string name;  ///< FDNAME; where a socket unit sets none, the name of the unit
};

/// Takes them, once: a second call finds none, and neither does a child.
[[nodiscard]] std::vector<PassedDescriptor> take_passed_descriptors();

/// Whether `fd` is a socket that listens.
[[nodiscard]] bool is_listening(int fd);

}  // namespace chatd::service
