#include "io/unacknowledged.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace chatd::io {

std::size_t unacknowledged(int socket) {
  int size = 0;
  if (::ioctl(socket, SIOCOUTQ, &size) != 0) return 0;  // no stream socket
  return static_cast<std::size_t>(size);
}

std::size_t unread(int socket) {
  int size = 0;
  if (::ioctl(socket, SIOCINQ, &size) != 0) return 0;  // no stream socket
  return static_cast<std::size_t>(size);
}

bool counts_bytes(int socket) {
  int domain = AF_UNSPEC;
  socklen_t length = sizeof domain;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length);
  return domain == AF_INET || domain == AF_INET6;
}

}  // namespace chatd::io
