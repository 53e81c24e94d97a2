#include "io/unix_file.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/unique_fd.hpp"
#include "io/endpoint.hpp"

namespace chatd::io {
namespace {

constexpr mode_t kModeBits = 07777;

/// The same file, and not another one that got the same inode number later.
bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

Error in_use() {
  return {"the path is in use by another process", EADDRINUSE};
}

/// 0 if somebody listens at `path`, else why one cannot connect: ECONNREFUSED says
/// that the socket was left behind.
int probe(const std::string& path) {
  sockaddr_storage address{};
  auto length = Endpoint{"unix:" + path, 0}.to_socket_address(address);
  if (!length) return length.error().code;
  const UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return errno;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), *length) == 0) return 0;
  // EAGAIN: its backlog is full. EPROTOTYPE: it is a socket of another type. Both live.
  return errno == EAGAIN || errno == EPROTOTYPE ? 0 : errno;
}

/// Removes the socket at `path` if nobody listens on it. Two processes may do this
/// at once, and between asking and removing the path may come to lead to a live
/// socket. So the file is first renamed, which only one can do, and looked at again
/// under the name that nobody else knows.
Result<> remove_stale(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return Error::from_errno("look at the path", errno);
  }
  if (!S_ISSOCK(found.st_mode)) return Error{"the path exists and is not a socket", ENOTSOCK};
  const int refusal = probe(path);
  if (refusal == ENOENT) return {};
  if (refusal == 0) return in_use();
  if (refusal != ECONNREFUSED) return Error::from_errno("ask who listens at the path", refusal);

  const std::string aside =
      path.substr(0, path.rfind('/') + 1) + "." + std::to_string(::getpid()) + ".stale";
  if (::rename(path.c_str(), aside.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return Error::from_errno("remove the socket that was left behind", errno);
  }
  struct stat moved {};
  const bool is_same = ::lstat(aside.c_str(), &moved) == 0 && same_file(found, moved);
  // The new name may be too long to connect to; that it is the same must do then.
  const int second_refusal = probe(aside);
  if (is_same && (second_refusal == ECONNREFUSED || second_refusal == ENAMETOOLONG)) {
    ::unlink(aside.c_str());
    return {};
  }
  // Put back; should yet another process have taken the path meanwhile, that one stays.
  [[maybe_unused]] const int put_back = ::link(aside.c_str(), path.c_str());
  ::unlink(aside.c_str());
  return in_use();
}

}  // namespace

Result<UnixFile> UnixFile::bind(int socket, std::string path, unsigned mode) {
  sockaddr_storage address{};
  auto length = Endpoint{"unix:" + path, 0}.to_socket_address(address);
  if (!length) return std::move(length.error());
  // Linux makes the file with the mode of the socket, less the umask.
  if (::fchmod(socket, mode) != 0) return Error::from_errno("set the mode", errno);

  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(socket, name, *length) != 0) {
    if (errno != EADDRINUSE) return Error{std::strerror(errno), errno};
    if (auto removed = remove_stale(path); !removed) return std::move(removed.error());
    if (::bind(socket, name, *length) != 0) {
      if (errno == EADDRINUSE) return in_use();
      return Error{std::strerror(errno), errno};
    }
  }
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return Error::from_errno("look at the path", errno);
  UnixFile file{std::move(path), made};
  if ((made.st_mode & kModeBits) != mode &&
      ::fchmodat(AT_FDCWD, file.path_.c_str(), mode, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno("set the mode", errno);
  }
  return file;
}

UnixFile::Identity UnixFile::identity() const {
  return {made_.st_dev, made_.st_ino, static_cast<std::uint64_t>(made_.st_mtim.tv_sec),
          static_cast<std::uint64_t>(made_.st_mtim.tv_nsec)};
}

std::optional<UnixFile> UnixFile::take_over(std::string path, const Identity& identity) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  UnixFile file{std::move(path), found};
  if (file.identity() == identity) return file;
  file.path_.clear();
  return std::nullopt;
}

UnixFile::UnixFile(std::string path, const struct stat& made)
    : path_{std::move(path)}, made_{made} {}

UnixFile::UnixFile(UnixFile&& other) noexcept
    : path_{std::exchange(other.path_, {})}, made_{other.made_} {}

UnixFile::~UnixFile() {
  if (!path_.empty() && is_ours()) ::unlink(path_.c_str());
}

bool UnixFile::is_ours() const {
  struct stat found {};
  return ::lstat(path_.c_str(), &found) == 0 && same_file(found, made_);
}

}  // namespace chatd::io
