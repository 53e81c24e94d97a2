/// What a process was left by the one before it, until it is used.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace chatd {

struct Inherited {
  std::vector<UniqueFd> descriptors;  ///< the last one is the control socket
  std::vector<int> kept;              ///< numbers of what it is told of beside the document
  bool stored = false;                ///< it came from the service manager's store
  UniqueFd records;                   ///< of the lifeboat
  std::string events;
  std::string operators;
  std::string clients;
  std::string why;  ///< it cannot be used; empty: it can
};

}  // namespace chatd
