#include "io/descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
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

Handle<uv_idle_t> make_idle(Loop& loop, void* owner) {
  int status = 0;
  auto idle = make_handle<uv_idle_t>(
      [&](uv_idle_t* node) { return uv_idle_init(loop.raw(), node); }, status);
  if (idle != nullptr) idle->data = owner;
  return idle;
}

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

Readiness::Readiness(Loop& loop, int fd, unsigned events, std::function<void()> on_ready)
    : loop_{loop}, on_ready_{std::move(on_ready)} {
  if (fd < 0) return;
  UniqueFd set{::epoll_create1(EPOLL_CLOEXEC)};
  epoll_event wanted{};
  wanted.events = events;
  if (!set || ::epoll_ctl(set.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) return;
  int status = 0;
  handle_ = make_handle<uv_poll_t>(
      [&](uv_poll_t* node) { return uv_poll_init(loop.raw(), node, set.get()); }, status);
  if (handle_ == nullptr) return;
  handle_->data = this;
  epoll_ = std::move(set);
}

void Readiness::start() {
  if (handle_ == nullptr || active_) return;
  active_ = true;
  uv_poll_start(handle_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* readiness = static_cast<Readiness*>(handle->data);
    readiness->loop_.note_turn();
    readiness->on_ready_();
  });
}

void Readiness::stop() {
  if (handle_ == nullptr || !active_) return;
  active_ = false;
  uv_poll_stop(handle_.get());
}

Reader::Reader(Loop& loop, int fd, ReadCallback on_read, EndCallback on_end)
    : kind_{kind_of(fd)},
      fd_{open_again(fd, O_RDONLY, shared_)},
      on_read_{std::move(on_read)},
      on_end_{std::move(on_end)},
      readiness_{loop, fd_.get(), EPOLLIN, [this] { step(); }},
      background_{loop, [this] { resume(); }} {
  if (!readiness_.possible()) idle_ = make_idle(loop, this);
  resume();
}

void Reader::pause() {
  background_.stop();
  readiness_.stop();
  if (idle_ != nullptr) uv_idle_stop(idle_.get());
}

void Reader::resume() {
  if (ended_) return;
  readiness_.start();
  if (idle_ != nullptr) {
    uv_idle_start(idle_.get(),
                  [](uv_idle_t* handle) { static_cast<Reader*>(handle->data)->step(); });
  }
}

void Reader::step() {
  if (!fd_) return end(EBADF);
  if (kind_ == DescriptorKind::kTerminal && in_background(fd_.get())) {
    pause();
    background_.start(kBackgroundLook);
    return;
  }
  if (shared_ && readiness_.possible() && !ready_now(fd_.get(), POLLIN)) return;
  std::array<char, kChunk> buffer;
  const ssize_t got = kind_ == DescriptorKind::kSocket
                          ? ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)
                          : ::read(fd_.get(), buffer.data(), buffer.size());
  if (got > 0) return on_read_({buffer.data(), static_cast<std::size_t>(got)});
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  end(got == 0 ? 0 : errno);
}

void Reader::end(int error) {
  pause();
  ended_ = true;
  on_end_(error);
}

Writer::Writer(Loop& loop, int fd, DrainedCallback on_drained, BrokenCallback on_broken)
    : kind_{kind_of(fd)},
      fd_{open_again(fd, O_WRONLY, shared_)},
      on_drained_{std::move(on_drained)},
      on_broken_{std::move(on_broken)},
      readiness_{loop, fd_.get(), EPOLLOUT, [this] { step(); }} {
  if (!readiness_.possible()) idle_ = make_idle(loop, this);
}

Writer::~Writer() {
  flush();
}

void Writer::write(std::string_view bytes) {
  if (error_ != 0 || bytes.empty()) return;
  queue_.append(bytes);
  readiness_.start();
  if (idle_ != nullptr) {
    uv_idle_start(idle_.get(),
                  [](uv_idle_t* handle) { static_cast<Writer*>(handle->data)->step(); });
  }
}

long Writer::put(std::string_view bytes) const {
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
  while (queued_bytes() > 0 && error_ == 0) {
    const long taken = fd_ ? put(std::string_view{queue_}.substr(written_)) : -1;
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
  flush();
  if (queued_bytes() > 0) return;
  readiness_.stop();
  if (idle_ != nullptr) uv_idle_stop(idle_.get());
  if (error_ == 0) return on_drained_();
  if (!std::exchange(broken_, true)) on_broken_(error_);
}

}  // namespace chatd::io
