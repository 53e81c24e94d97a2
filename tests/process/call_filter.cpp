/// What the kernel refuses once the filter is on. It never goes off again, so that each test
/// puts it on in a child.
#include "process/call_filter.hpp"

#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/valgrind.hpp"

namespace chatd::test {
namespace {

/// What `ask` says in a child that has the filter, if it was not asked before.
std::string in_child(const std::function<std::string()>& ask) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const UniqueFd out{ends[0]};
  UniqueFd in{ends[1]};
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string said = ask();
    ::_exit(::write(in.get(), said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0
                                                                                             : 1);
  }
  in.reset();
  std::string said;
  std::array<char, 4096> some{};
  for (ssize_t count = 0; (count = ::read(out.get(), some.data(), some.size())) > 0;) {
    said.append(some.data(), static_cast<std::size_t>(count));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return said;
}

/// The value of a field of /proc/self/task/TASK/status.
std::string status_of(const std::string& task, const std::string& field) {
  std::ifstream status{"/proc/self/task/" + task + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  }
  return "?";
}

std::string own_status(const std::string& field) {
  return status_of(std::to_string(::gettid()), field);
}

/// "" if it went well, else the number of the error.
std::string outcome(long result) {
  return result >= 0 ? "" : std::to_string(errno);
}

std::string tries() {
  std::string said;
  const auto add = [&](const char* what, long result) {
    said += std::string{what} + ' ' + outcome(result) + '\n';
  };
  add("ptrace", ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
  add("mount", ::mount("none", "/nowhere", "tmpfs", 0, nullptr));
  add("unshare", ::unshare(CLONE_NEWUSER));
  add("namespace", ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0));
  add("clone3", ::syscall(SYS_clone3, nullptr, 0));
  add("bpf", ::syscall(SYS_bpf, 0, nullptr, 0));
  add("userfaultfd", ::syscall(SYS_userfaultfd, 0));
  add("io_uring", ::syscall(SYS_io_uring_setup, 1, nullptr));
  add("packet", ::socket(AF_PACKET, SOCK_RAW, 0));
  add("netlink", ::socket(AF_NETLINK, SOCK_RAW, 0));
  add("paste", ::ioctl(STDIN_FILENO, TIOCSTI, "x"));
  return said;
}

std::string error(int code) {
  return ' ' + std::to_string(code) + '\n';
}

std::string refusals() {
  const auto nothing = error(ENOSYS);
  return "ptrace" + nothing + "mount" + nothing + "unshare" + nothing + "namespace" + error(EPERM) +
         "clone3" + nothing + "bpf" + nothing + "userfaultfd" + nothing + "io_uring" + nothing +
         "packet" + error(EAFNOSUPPORT) + "netlink" + error(EAFNOSUPPORT) + "paste" + error(EPERM);
}

bool cannot_be_tried() {
  if (has_call_filter() && !under_valgrind()) return false;
  WARN("NOT TESTED: this build or this machine has no filter");
  return true;
}

TEST_CASE("call filter: what is not in the list fails, on a thread that was there before too",
          "[process][call-filter]") {
  if (cannot_be_tried()) return;
  CHECK(in_child([] {
          std::promise<void> on;
          auto before = std::async(std::launch::async, [&] {
            on.get_future().wait();
            return own_status("Seccomp") + own_status("NoNewPrivs") + '\n' + tries();
          });
          if (auto put = put_call_filter_on(); !put) return put.error().message;
          on.set_value();
          return before.get() + tries();
        }) == "21\n" + refusals() + refusals());
}

TEST_CASE("call filter: no memory is written to and run", "[process][call-filter]") {
  if (cannot_be_tried()) return;
  CHECK(in_child([] {
          if (auto put = put_call_filter_on(); !put) return put.error().message;
          constexpr std::size_t kPage = 4096;
          const auto map = [](int how) {
            return ::mmap(nullptr, kPage, how, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          };
          std::string said;
          said += map(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED ? outcome(-1) : "code";
          void* written = map(PROT_READ | PROT_WRITE);
          said += ' ' + outcome(::mprotect(written, kPage, PROT_READ | PROT_EXEC));
          said += ' ' + outcome(::mprotect(written, kPage, PROT_READ));
          // A library's code, as the dynamic linker maps it.
          said += map(PROT_READ | PROT_EXEC) == MAP_FAILED ? " no library" : "";
          return said;
        }) == std::to_string(EPERM) + ' ' + std::to_string(EPERM) + ' ');
}

TEST_CASE("call filter: threads, programs and sockets go on", "[process][call-filter]") {
  if (cannot_be_tried()) return;
  CHECK(in_child([] {
          if (auto put = put_call_filter_on(); !put) return put.error().message;
          std::string said = std::async(std::launch::async, [] { return "a thread, "; }).get();
          for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
            const UniqueFd socket{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            if (!socket && errno != EAFNOSUPPORT) said += outcome(-1);
          }
          if (::if_nametoindex("lo") == 0) said += "no interface";
          // Programs start others: the dynamic linker, a shell, a pipe.
          if (std::system("test \"$(echo x | cat)\" = x") != 0) said += "no shell";
          return said;
        }) == "a thread, ");
}

TEST_CASE("call filter: it is put on once, and a program that is started knows it",
          "[process][call-filter]") {
  if (cannot_be_tried()) return;
  CHECK_FALSE(is_call_filter_on());
  CHECK(in_child([] {
          const auto before = std::stoi(own_status("Seccomp_filters"));
          std::string said;
          for (int i = 0; i < 3; ++i) {
            if (auto put = put_call_filter_on(); !put) said += put.error().message;
            said += is_call_filter_on() ? "on " : "off ";
          }
          return said + std::to_string(std::stoi(own_status("Seccomp_filters")) - before);
        }) == "on on on 1");
}

}  // namespace
}  // namespace chatd::test
