#include "descriptors.hpp"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>

namespace chatd {

namespace {

/// Logs, a configuration that is read again, new listeners, a connection that is
/// accepted only to be refused.
constexpr std::size_t kReserve = 8;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const auto before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 30U));
}

std::size_t open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 32;
  std::size_t count = 0;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count - 1;  // the folder itself
}

std::size_t sessions_that_fit(std::size_t limit, std::size_t open, std::size_t max_operators) {
  const std::size_t taken = open + kReserve;
  if (limit <= taken) return 1;
  const std::size_t left = limit - taken;
  return std::max<std::size_t>(1, left - std::min(max_operators, left / 4));
}

}  // namespace chatd
