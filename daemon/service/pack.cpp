#include "service/pack.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace chatd::service {

namespace {

/// The most that the kernel takes in one message (SCM_MAX_FD).
constexpr std::size_t kInMessage = 253;
/// No process has more.
constexpr std::size_t kMost = 1UL << 24U;

/// What is sent with them: the place of the first.
using Place = std::uint32_t;

union Control {
  cmsghdr align;
  std::array<char, CMSG_SPACE(kInMessage * sizeof(int))> bytes;
};

bool send_some(int end, Place first, const int* descriptors, std::size_t count) {
  iovec part{&first, sizeof first};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  return ::sendmsg(end, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof first;
}

}  // namespace

Result<std::vector<UniqueFd>> pack(const std::vector<int>& descriptors) {
  std::vector<UniqueFd> ends;
  std::size_t done = 0;
  bool fresh = false;  // nothing is in the last pair yet
  while (done < descriptors.size()) {
    const auto count = std::min(kInMessage, descriptors.size() - done);
    if (!ends.empty() &&
        send_some(ends.back().get(), static_cast<Place>(done), descriptors.data() + done, count)) {
      done += count;
      fresh = false;
      continue;
    }
    if (!ends.empty() && (fresh || errno != EAGAIN)) {
      return Error::from_errno("pack descriptors", errno);
    }
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
      return Error::from_errno("pack descriptors", errno);
    }
    ends.emplace_back(pair[0]);
    ends.emplace_back(pair[1]);
    fresh = true;
  }
  assert(ends.size() % 2 == 0);
  return ends;
}

void unpack(int end, std::vector<UniqueFd>& descriptors) {
  while (true) {
    Place first = 0;
    iovec part{&first, sizeof first};
    Control control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const auto size = ::recvmsg(end, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        UniqueFd taken{fd};
        const auto place = first + i;
        if (size != sizeof first || place >= kMost) continue;
        if (place >= descriptors.size()) descriptors.resize(place + 1);
        descriptors[place] = std::move(taken);
      }
    }
  }
}

}  // namespace chatd::service
