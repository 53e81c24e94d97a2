// A library for LD_PRELOAD that makes calls of a program fail when a test wants that. A page
// of shared memory says what fails, also while the program runs. It is in the file that
// FAULTY names: 64-bit numbers, as in Page below (tests/faults/faulty.py writes them).
// Knows nothing of chatd.
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

struct Page {
  std::atomic<std::int64_t> allocations;    ///< counted by us
  std::atomic<std::int64_t> failing;        ///< the allocation of that number fails; 0: none
  std::atomic<std::int64_t> failed;         ///< how many have failed
  std::atomic<std::int64_t> clock_shift_s;  ///< added to the time of day
  std::atomic<std::int64_t> accept_error;   ///< what accept4() fails with; 0: it does not
  std::atomic<std::int64_t> accepts_failed;
  /// TCP's times, and timers of more than 15 s, are divided by it; 0: they are not
  std::atomic<std::int64_t> keepalive_divisor;
  std::atomic<std::int64_t> threads;         ///< counted by us
  std::atomic<std::int64_t> failing_thread;  ///< the thread of that number is refused; 0: none
  std::atomic<std::int64_t> watch_error;     ///< with that epoll_ctl() adds nothing; 0: it does
};

Page* page = nullptr;

void begin() {
  const char* path = std::getenv("FAULTY");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* place = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (place != MAP_FAILED) page = static_cast<Page*>(place);
}

/// glibc's lookups of users and groups assert that memory is there: they abort by themselves.
thread_local bool exempt = false;

bool fails() {
  if (page == nullptr || exempt || ++page->allocations != page->failing) return false;
  ++page->failed;
  errno = ENOMEM;
  return true;
}

std::int64_t shift() {
  return page == nullptr ? 0 : page->clock_shift_s.load();
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  return fails() ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  return fails() ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  return fails() ? nullptr : __libc_realloc(old, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}

int posix_memalign(void** place, std::size_t alignment, std::size_t size) {
  *place = aligned_alloc(alignment, size);
  return *place == nullptr ? ENOMEM : 0;
}

/// Allocations of libraries before the program begins do not count.
int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(),
                      void (*fini)(), void (*rtld_fini)(), void* stack_end) {
  static auto* const real = next<int(int (*)(int, char**, char**), int, char**, void (*)(),
                                     void (*)(), void (*)(), void*)>("__libc_start_main");
  begin();
  return real(main, argc, argv, init, fini, rtld_fini, stack_end);
}

/// So does glibc itself, where a thread has something to destroy at its end.
int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* library) {
  using Register = int(void (*)(void*), void*, void*);
  static auto* const real = next<Register>("__cxa_thread_atexit_impl");
  exempt = true;
  const int failed = real(destroy, object, library);
  exempt = false;
  return failed;
}

struct passwd* getpwuid(uid_t uid) {
  static auto* const real = next<struct passwd*(uid_t)>("getpwuid");
  exempt = true;
  auto* const found = real(uid);
  exempt = false;
  return found;
}

int getpwuid_r(uid_t uid, struct passwd* place, char* memory, std::size_t size,
               struct passwd** found) {
  static auto* const real =
      next<int(uid_t, struct passwd*, char*, std::size_t, struct passwd**)>("getpwuid_r");
  exempt = true;
  const int error = real(uid, place, memory, size, found);
  exempt = false;
  return error;
}

int getgrnam_r(const char* name, struct group* place, char* memory, std::size_t size,
               struct group** found) {
  static auto* const real =
      next<int(const char*, struct group*, char*, std::size_t, struct group**)>("getgrnam_r");
  exempt = true;
  const int error = real(name, place, memory, size, found);
  exempt = false;
  return error;
}

int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  static auto* const real = next<int(clockid_t, struct timespec*)>("clock_gettime");
  const int result = real(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval* now, void* zone) noexcept {
  static auto* const real = next<int(struct timeval*, void*)>("gettimeofday");
  const int result = real(now, zone);
  now->tv_sec += shift();
  return result;
}

time_t time(time_t* place) noexcept {
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME, &now);
  if (place != nullptr) *place = now.tv_sec;
  return now.tv_sec;
}

int accept4(int socket, struct sockaddr* address, socklen_t* length, int flags) {
  static auto* const real = next<int(int, struct sockaddr*, socklen_t*, int)>("accept4");
  if (page != nullptr && page->accept_error != 0) {
    ++page->accepts_failed;
    errno = static_cast<int>(page->accept_error);
    return -1;
  }
  return real(socket, address, length, flags);
}

int epoll_ctl(int set, int how, int fd, struct epoll_event* event) noexcept {
  static auto* const real = next<int(int, int, int, struct epoll_event*)>("epoll_ctl");
  if (page != nullptr && how == EPOLL_CTL_ADD && page->watch_error != 0) {
    errno = static_cast<int>(page->watch_error);
    return -1;
  }
  return real(set, how, fd, event);
}

int pthread_create(pthread_t* place, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  static auto* const real =
      next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  if (page != nullptr && ++page->threads == page->failing_thread) return EAGAIN;
  return real(place, attributes, run, argument);
}

/// A function of libuv. The type of its handle does not matter here.
int uv_timer_start(void* timer, void (*run)(void*), std::uint64_t delay, std::uint64_t repeat) {
  static auto* const real =
      next<int(void*, void (*)(void*), std::uint64_t, std::uint64_t)>("uv_timer_start");
  const bool is_shorter = page != nullptr && page->keepalive_divisor != 0 && delay > 15'000;
  const auto divisor = is_shorter ? static_cast<std::uint64_t>(page->keepalive_divisor) : 1;
  return real(timer, run, delay / divisor, repeat);
}

int setsockopt(int socket, int level, int option, const void* value, socklen_t size) noexcept {
  static auto* const real = next<int(int, int, int, const void*, socklen_t)>("setsockopt");
  const bool is_time = level == IPPROTO_TCP && (option == TCP_KEEPIDLE || option == TCP_KEEPINTVL);
  if (page == nullptr || page->keepalive_divisor == 0 || !is_time || size != sizeof(int)) {
    return real(socket, level, option, value, size);
  }
  const int seconds = *static_cast<const int*>(value);
  const int less = std::max(1, seconds / static_cast<int>(page->keepalive_divisor));
  return real(socket, level, option, &less, size);
}
}
