#include "process/call_filter.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHATD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHATD_SANITIZED 1
#endif
#endif

// The list is by names, but which of them another kind of machine needs has been tried nowhere.
#if defined(__x86_64__) && defined(__LP64__) && !defined(CHATD_SANITIZED)

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace chatd {

namespace {

// Calls that are younger than the kernel headers of Debian 12.
constexpr std::uint32_t kFchmodat2 = 452;

/// Allowed whatever their arguments are. Those that are made most often stand first: kernels
/// before 5.11 go through the list at each call. A call that only a Debian 13 makes is here too,
/// and so are those of the dynamic linker, since another process may take over.
constexpr std::array<std::uint32_t, 170> kAllowed{
    // each turn of the loop
    __NR_epoll_wait, __NR_recvfrom, __NR_sendto, __NR_read, __NR_write, __NR_futex,
    __NR_epoll_pwait, __NR_accept4, __NR_close, __NR_epoll_ctl, __NR_clock_gettime, __NR_sendmsg,
    __NR_recvmsg, __NR_pread64, __NR_pwrite64, __NR_fdatasync, __NR_getsockopt, __NR_setsockopt,
    // descriptors
    __NR_readv, __NR_writev, __NR_preadv, __NR_pwritev, __NR_lseek, __NR_fcntl, __NR_dup, __NR_dup2,
    __NR_dup3, __NR_pipe, __NR_pipe2, __NR_close_range, __NR_fsync, __NR_ftruncate, __NR_fallocate,
    __NR_fadvise64, __NR_sync_file_range, __NR_flock, __NR_poll, __NR_ppoll, __NR_select,
    __NR_pselect6, __NR_epoll_create, __NR_epoll_create1, __NR_epoll_pwait2, __NR_eventfd2,
    __NR_signalfd4, __NR_timerfd_create, __NR_timerfd_settime, __NR_timerfd_gettime,
    __NR_memfd_create, __NR_sendfile, __NR_copy_file_range,
    // files
    __NR_open, __NR_openat, __NR_openat2, __NR_stat, __NR_lstat, __NR_fstat, __NR_newfstatat,
    __NR_statx, __NR_statfs, __NR_fstatfs, __NR_access, __NR_faccessat, __NR_faccessat2,
    __NR_getdents64, __NR_getcwd, __NR_chdir, __NR_fchdir, __NR_readlink, __NR_readlinkat,
    __NR_mkdir, __NR_mkdirat, __NR_rmdir, __NR_unlink, __NR_unlinkat, __NR_rename, __NR_renameat,
    __NR_renameat2, __NR_link, __NR_linkat, __NR_symlink, __NR_symlinkat, __NR_chmod, __NR_fchmod,
    __NR_fchmodat, kFchmodat2, __NR_chown, __NR_fchown, __NR_lchown, __NR_fchownat, __NR_utimensat,
    __NR_umask,
    // sockets; socket() itself is looked at below
    __NR_socketpair, __NR_bind, __NR_listen, __NR_connect, __NR_accept, __NR_shutdown,
    __NR_getsockname, __NR_getpeername, __NR_sendmmsg, __NR_recvmmsg,
    // memory and threads; mmap(), mprotect() and clone() are looked at below
    __NR_brk, __NR_munmap, __NR_mremap, __NR_madvise, __NR_membarrier, __NR_set_robust_list,
    __NR_get_robust_list, __NR_set_tid_address, __NR_rseq, __NR_arch_prctl, __NR_exit, __NR_gettid,
    __NR_getcpu, __NR_sched_yield, __NR_sched_getaffinity, __NR_sched_getparam,
    __NR_sched_getscheduler, __NR_sched_get_priority_min, __NR_sched_get_priority_max,
    // signals and processes
    __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_rt_sigsuspend,
    __NR_rt_sigpending, __NR_rt_sigtimedwait, __NR_rt_sigqueueinfo, __NR_sigaltstack,
    __NR_restart_syscall, __NR_pause, __NR_kill, __NR_tkill, __NR_tgkill, __NR_fork, __NR_vfork,
    __NR_execve, __NR_wait4, __NR_waitid, __NR_exit_group, __NR_getpid, __NR_getppid, __NR_getpgrp,
    __NR_getpgid, __NR_setpgid, __NR_getsid, __NR_setsid, __NR_getuid, __NR_geteuid, __NR_getgid,
    __NR_getegid, __NR_getresuid, __NR_getresgid, __NR_getgroups, __NR_capget, __NR_seccomp,
    // what there is
    __NR_prlimit64, __NR_getrlimit, __NR_setrlimit, __NR_getrusage, __NR_times, __NR_sysinfo,
    __NR_uname, __NR_getrandom, __NR_getpriority,
    // time
    __NR_clock_getres, __NR_clock_nanosleep, __NR_nanosleep, __NR_gettimeofday, __NR_time};

/// The prctl() that nobody has: "chat". The filter answers it with an error of its own, by
/// which the next process knows that it is there; every kernel answers EINVAL.
constexpr std::uint32_t kQuestion = 0x63686174;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;

constexpr std::uint32_t refuse_with(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

/// Where the low half of argument `number` lies. The kernel, too, looks at no more of those that
/// are asked for here.
constexpr std::uint32_t argument(std::uint32_t number) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) + number * 8;
}

/// A filter, as instructions for the kernel (Documentation/networking/filter.rst).
class Program {
 public:
  /// `mark`: the error that answers kQuestion.
  explicit constexpr Program(int mark) {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0);
    end(SECCOMP_RET_KILL_PROCESS);  // a 32-bit call, whose numbers mean something else
    load(offsetof(seccomp_data, nr));
    for (const auto call : kAllowed) {
      jump(BPF_JEQ, call, 0, 1);
      end(kAllow);
    }

    auto after = begin_call(__NR_socket);
    load(argument(0));
    for (const std::uint32_t family : {AF_UNIX, AF_INET, AF_INET6}) {
      jump(BPF_JEQ, family, 0, 1);
      end(kAllow);
    }
    end_call(after, refuse_with(EAFNOSUPPORT));

    // The terminal's own input cannot be forged.
    after = begin_call(__NR_ioctl);
    load(argument(1));
    for (const std::uint32_t request : {TIOCSTI, TIOCLINUX}) {
      jump(BPF_JEQ, request, 0, 1);
      end(refuse_with(EPERM));
    }
    end_call(after, kAllow);

    // No memory that can be written to is, or becomes, code.
    after = begin_call(__NR_mmap);
    load(argument(2));
    add(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC);
    jump(BPF_JEQ, PROT_WRITE | PROT_EXEC, 0, 1);
    end(refuse_with(EPERM));
    end_call(after, kAllow);
    after = begin_call(__NR_mprotect);
    load(argument(2));
    jump(BPF_JSET, PROT_EXEC, 0, 1);
    end(refuse_with(EPERM));
    end_call(after, kAllow);

    // Threads and processes, without namespaces. clone3(), whose arguments a filter cannot see,
    // is not in the list; the C library then calls this.
    after = begin_call(__NR_clone);
    load(argument(0));
    jump(BPF_JSET, kNamespaces, 0, 1);
    end(refuse_with(EPERM));
    end_call(after, kAllow);

    after = begin_call(__NR_prctl);
    load(argument(0));
    jump(BPF_JEQ, kQuestion, 0, 1);
    end(refuse_with(mark));
    end_call(after, kAllow);

    end(refuse_with(ENOSYS));
  }

  [[nodiscard]] constexpr std::uint32_t checksum() const {
    std::uint32_t sum = 2166136261U;  // FNV-1a
    for (std::size_t i = 0; i < size_; ++i) {
      for (const std::uint32_t part : {std::uint32_t{code_[i].code}, std::uint32_t{code_[i].jt},
                                       std::uint32_t{code_[i].jf}, code_[i].k}) {
        sum = (sum ^ part) * 16777619U;
      }
    }
    return sum;
  }

  [[nodiscard]] sock_fprog program() const {
    // The kernel only reads it.
    return {static_cast<unsigned short>(size_), const_cast<sock_filter*>(code_.data())};
  }

 private:
  static constexpr std::uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                               CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                               CLONE_NEWNET;

  constexpr void add(unsigned code, std::uint32_t value, unsigned if_so = 0, unsigned if_not = 0) {
    code_[size_++] = {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_so),
                      static_cast<std::uint8_t>(if_not), value};
  }
  constexpr void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  /// How many instructions are passed over if the comparison holds, and if it does not.
  constexpr void jump(unsigned comparison, std::uint32_t value, unsigned if_so, unsigned if_not) {
    add(BPF_JMP | comparison | BPF_K, value, if_so, if_not);
  }
  constexpr void end(std::uint32_t action) { add(BPF_RET | BPF_K, action); }

  /// What comes until end_call() is for one call alone; all ways in it end.
  constexpr std::size_t begin_call(std::uint32_t call) {
    jump(BPF_JEQ, call, 0, 0);
    return size_ - 1;
  }
  constexpr void end_call(std::size_t began, std::uint32_t action) {
    end(action);
    code_[began].jf = static_cast<std::uint8_t>(size_ - began - 1);
  }

  std::array<sock_filter, 512> code_{};
  std::size_t size_ = 0;
};

/// Differs where the list differs, apart from one chance in a few thousand. Above every error
/// that there is, and not above the largest that the kernel hands out.
constexpr int kMark = 1000 + static_cast<int>(Program{0}.checksum() % 3000);

constexpr Program kFilter{kMark};

}  // namespace

bool has_call_filter() {
  return true;
}

bool is_call_filter_on() {
  return ::prctl(static_cast<int>(kQuestion), 0, 0, 0, 0) == -1 && errno == kMark;
}

Result<> put_call_filter_on() {
  if (is_call_filter_on()) return {};
  // Without it only root may put a filter on.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Error::from_errno("give up new privileges", errno);
  }
  const auto filter = kFilter.program();
  // The flag about speculation: this process runs no code of strangers, and older kernels would
  // make every call of it slower.
  const auto done = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                              SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter);
  if (done == 0) return {};
  return Error::from_errno("filter system calls", done > 0 ? EBUSY : errno);
}

}  // namespace chatd

#else

#include <cassert>

namespace chatd {

bool has_call_filter() {
  return false;
}

bool is_call_filter_on() {
  return false;
}

Result<> put_call_filter_on() {
  assert(false);
  return {};
}

}  // namespace chatd

#endif
