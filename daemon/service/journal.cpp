#include "service/journal.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/environment.hpp"
#include "service/wait_for.hpp"

namespace chatd::service {

void Journal::append_field(std::string& entry, std::string_view name, std::string_view value) {
  entry += name;
  if (value.find('\n') == std::string_view::npos) {
    entry += '=';
  } else {  // then its length says where it ends, little-endian
    entry += '\n';
    for (unsigned shift = 0; shift < 64; shift += 8) {
      entry += static_cast<char>((static_cast<std::uint64_t>(value.size()) >> shift) & 0xffU);
    }
  }
  entry += value;
  entry += '\n';
}

bool Journal::has_standard_error() {
  const std::string named = environment("JOURNAL_STREAM");
  struct stat found {};
  return ::fstat(STDERR_FILENO, &found) == 0 &&
         named == std::to_string(found.st_dev) + ':' + std::to_string(found.st_ino);
}

bool Journal::connect() {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path_.size() >= sizeof name.sun_path) return false;
  std::memcpy(name.sun_path, path_.data(), path_.size());
  socket_ = UniqueFd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  // Connected, so that poll() says when its queue has room.
  return socket_ &&
         ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

bool Journal::exists() {
  return socket_ || connect();
}

bool Journal::send(std::string_view entry, Duration patience) {
  bool waited = false;
  bool again = false;  // the socket is a new one: the one before was a journal's that has gone
  while (true) {
    if (!socket_ && !connect()) {
      socket_.reset();
      return false;
    }
    if (::send(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (waited || patience <= Duration{0}) return false;
      (void)wait_for(socket_.get(), POLLOUT, patience);
      waited = true;
    } else if (errno == EMSGSIZE || again) {
      return false;
    } else {
      socket_.reset();
      again = true;
    }
  }
}

}  // namespace chatd::service
