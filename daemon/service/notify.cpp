#include "service/notify.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "service/wait_for.hpp"

namespace chatd::service {

Notify::Notify(std::string_view address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.size() < 2 || address.size() >= sizeof name.sun_path) return;
  std::memcpy(name.sun_path, address.data(), address.size());
  if (address.front() == '@') name.sun_path[0] = '\0';
  UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return;
  // Connected, so that poll() says when the manager's queue has room.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) return;
  socket_ = std::move(socket);
}

bool Notify::say(std::string_view text, Duration patience) const {
  return send(text, -1, patience);
}

bool Notify::store(int fd, std::string_view name, Duration patience) const {
  return send("FDSTORE=1\nFDNAME=" + std::string{name}, fd, patience);
}

bool Notify::forget(std::string_view name, Duration patience) const {
  return send("FDSTOREREMOVE=1\nFDNAME=" + std::string{name}, -1, patience);
}

bool Notify::barrier(Duration patience) const {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  const UniqueFd ours{ends[0]};
  UniqueFd theirs{ends[1]};
  if (!send("BARRIER=1", theirs.get(), patience)) return false;
  theirs.reset();
  // It closes what it got when it comes to it: a hang-up.
  return wait_for(ours.get(), 0, patience);
}

bool Notify::send(std::string_view text, int fd, Duration patience) const {
  if (!socket_) return true;
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  bool waited = false;
  while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    if ((errno != EAGAIN && errno != EWOULDBLOCK) || waited || patience <= Duration{0})
      return false;
    (void)wait_for(socket_.get(), POLLOUT, patience);
    waited = true;
  }
  return true;
}

}  // namespace chatd::service
