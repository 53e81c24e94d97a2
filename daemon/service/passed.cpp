#include "service/passed.hpp"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace chatd::service {

std::vector<PassedDescriptor> take_passed_descriptors() {
  std::vector<PassedDescriptor> all;
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    all.push_back({UniqueFd{SD_LISTEN_FDS_START + i}, names[i]});
    std::free(names[i]);
  }
  std::free(names);
  return all;
}

bool is_listening(int fd) {
  int listening = 0;
  socklen_t length = sizeof listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

}  // namespace chatd::service
