/// Descriptors that the service manager passed to this process: sockets of a socket
/// unit, and what an earlier process put into its descriptor store. The order means
/// nothing, it changes from start to start: a descriptor is known by its name and by
/// what it is. libsystemd is used here.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace chatd::service {

struct Passed {
  UniqueFd fd;       ///< closed on exec
  std::string name;  ///< FDNAME: that of the socket unit if it does not say another
};

/// Takes them, once: a second call finds none, and neither does a child.
[[nodiscard]] std::vector<Passed> take_passed();

/// Whether `fd` is a socket that listens.
[[nodiscard]] bool is_listening(int fd);

}  // namespace chatd::service
