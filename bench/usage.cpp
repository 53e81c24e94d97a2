#include "usage.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "sockets.hpp"

namespace chatd::bench {
namespace {

std::string folder(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

}  // namespace

std::uint64_t cpu_ns(pid_t pid) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator{folder(pid) + "/task", error}) {
    std::uint64_t ran = 0;
    std::ifstream{task.path() / "schedstat"} >> ran;
    sum += ran;
  }
  if (error) give_up("look at the server's process");
  return sum;
}

std::uint64_t memory_bytes(pid_t pid) {
  std::ifstream rollup{folder(pid) + "/smaps_rollup"};
  for (std::string word; rollup >> word;) {
    std::uint64_t kib = 0;
    if (word == "Pss:" && rollup >> kib) return kib * 1024;
  }
  give_up("read the server's memory");
}

std::uint64_t clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace chatd::bench
