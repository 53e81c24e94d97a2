#include "io/descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

namespace chatd::io {
namespace {

// What one write to a descriptor in blocking mode may hold once poll() has said
// that it is writable: a pipe then has room for PIPE_BUF, a terminal for less.
constexpr std::size_t kSharedPipeWrite = 4096;
constexpr std::size_t kSharedTerminalWrite = 128;
// The front of the queue is thrown away when this much of it has been taken.
constexpr std::size_t kCompactBytes = 256 * 1024;
// Nobody tells a process that its terminal is its own again: a shell's fg sends
// SIGCONT only to a job that was stopped.
constexpr Duration kBackgroundLook{250};

bool ready_now(int fd, short events) {
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

}  // namespace

DescriptorKind kind_of(int fd) {
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) return DescriptorKind::kMissing;
  if (S_ISREG(status.st_mode)) return DescriptorKind::kFile;
  if (S_ISDIR(status.st_mode)) return DescriptorKind::kFolder;
  if (S_ISFIFO(status.st_mode)) return DescriptorKind::kPipe;
  if (S_ISSOCK(status.st_mode)) return DescriptorKind::kSocket;
  // A terminal that has hung up answers EIO instead of its settings.
  if (S_ISCHR(status.st_mode) && (::isatty(fd) == 1 || errno == EIO)) {
    return DescriptorKind::kTerminal;
  }
  return DescriptorKind::kOther;
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col == 0 ? kUsualColumns : size.ws_col;
}

std::size_t terminal_rows(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

bool in_background(int fd) {
  const pid_t owner = ::tcgetpgrp(fd);
  return owner >= 0 && owner != ::getpgrp();
}

UniqueFd open_again(int fd, int access_mode, bool& shared) {
  shared = true;
  const DescriptorKind kind = kind_of(fd);
  if (kind == DescriptorKind::kMissing) return {};
  if (kind == DescriptorKind::kTerminal || kind == DescriptorKind::kPipe) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    UniqueFd own{::open(path.c_str(), access_mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
    if (own) {
      shared = false;
      return own;
    }
  }
  return UniqueFd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
}

Readiness::Readiness(Loop& loop, int fd, Events wanted, std::function<void()> on_ready)
    : Watcher{loop.poller()},
      fd_{fd},
      wanted_{wanted},
      on_ready_{std::move(on_ready)},
      possible_{fd >= 0 && watch(fd, {}, now_, wanted) == 0} {
  if (possible_) {
    stop();
    return;
  }
  int status = 0;
  idle_ = make_handle<uv_idle_t>([&](uv_idle_t* node) { return uv_idle_init(loop.raw(), node); },
                                 status);
  require(status, "make an idle handle");
  idle_->data = this;
}

Readiness::~Readiness() {
  stop();  // closing will not do: the giver has a duplicate
}

void Readiness::start() {
  if (possible_) {
    require(-watch(fd_, {}, now_, wanted_), "watch a descriptor");
  } else {
    uv_idle_start(idle_.get(),
                  [](uv_idle_t* handle) { static_cast<Readiness*>(handle->data)->on_ready_(); });
  }
}

void Readiness::stop() {
  if (possible_) {
    (void)watch(fd_, {}, now_, kNothing);
  } else if (idle_ != nullptr) {
    uv_idle_stop(idle_.get());
  }
}

void Readiness::on_ready(Tag, Events) {
  if (now_ != kNothing) on_ready_();
}

Reader::Reader(Loop& loop, int fd, ReadCallback on_read, EndCallback on_end)
    : kind_{kind_of(fd)},
      fd_{open_again(fd, O_RDONLY, shared_)},
      on_read_{std::move(on_read)},
      on_end_{std::move(on_end)},
      readiness_{loop, fd_.get(), kReadable, [this] { step(); }},
      background_{loop, [this] { resume(); }} {
  resume();
}

void Reader::pause() {
  background_.stop();
  readiness_.stop();
}

void Reader::resume() {
  if (!ended_) readiness_.start();
}

void Reader::step() {
  if (!fd_) return end(EBADF);
  if (waits_in_background()) return;
  if (shared_ && readiness_.possible() && !ready_now(fd_.get(), POLLIN)) return;
  std::array<char, kChunk> buffer;
  const ssize_t got = kind_ == DescriptorKind::kSocket
                          ? ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)
                          : ::read(fd_.get(), buffer.data(), buffer.size());
  if (got > 0) return on_read_({buffer.data(), static_cast<std::size_t>(got)});
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const int error = got == 0 ? 0 : errno;
  // Another job has got it just now.
  if (error == EIO && waits_in_background()) return;
  end(error);
}

bool Reader::waits_in_background() {
  if (kind_ != DescriptorKind::kTerminal || !in_background(fd_.get())) return false;
  pause();
  background_.start(kBackgroundLook);
  return true;
}

void Reader::end(int error) {
  pause();
  ended_ = true;
  on_end_(error);
}

Writer::Writer(Loop& loop, int fd, DrainedCallback on_drained, BrokenCallback on_broken)
    : loop_{loop},
      kind_{kind_of(fd)},
      fd_{open_again(fd, O_WRONLY, shared_)},
      on_drained_{std::move(on_drained)},
      on_broken_{std::move(on_broken)},
      readiness_{loop, fd_.get(), kWritable, [this] { step(); }},
      turn_end_{loop, [this] {
                  if (fresh_) step();
                }} {}

Writer::~Writer() {
  flush();
}

void Writer::write(std::string_view bytes) {
  if (error_ != 0 || bytes.empty()) return;
  queue_.append(bytes);
  if (waiting_) return;
  fresh_ = true;
  loop_.turn_again();  // this may be the end of the turn, and its own be past
}

long Writer::write_some(std::string_view bytes) const {
  if (kind_ == DescriptorKind::kSocket) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (shared_ && readiness_.possible()) {
    if (!ready_now(fd_.get(), POLLOUT)) {
      errno = EAGAIN;
      return -1;
    }
    bytes =
        bytes.substr(0, kind_ == DescriptorKind::kPipe ? kSharedPipeWrite : kSharedTerminalWrite);
  }
  return ::write(fd_.get(), bytes.data(), bytes.size());
}

void Writer::flush() {
  assert(written_ <= queue_.size());
  while (queued_bytes() > 0 && error_ == 0) {
    const long taken = fd_ ? write_some(std::string_view{queue_}.substr(written_)) : -1;
    if (taken > 0) {
      written_ += static_cast<std::size_t>(taken);
      continue;
    }
    if (fd_ && taken < 0 && errno == EINTR) continue;
    if (fd_ && (taken == 0 || errno == EAGAIN)) break;
    error_ = fd_ ? errno : EBADF;
  }
  if (error_ != 0 || queued_bytes() == 0) {
    queue_.clear();
    written_ = 0;
  } else if (written_ >= kCompactBytes) {
    queue_.erase(0, written_);
    written_ = 0;
  }
}

void Writer::step() {
  fresh_ = false;
  flush();
  waiting_ = queued_bytes() > 0;
  if (waiting_) {
    readiness_.start();
    return;
  }
  readiness_.stop();
  if (error_ == 0) return on_drained_();
  if (!std::exchange(broken_, true)) on_broken_(error_);
}

}  // namespace chatd::io
