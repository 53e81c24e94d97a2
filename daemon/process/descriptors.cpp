#include "process/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace chatd {

namespace {

/// Logs, a configuration that is read again, new listeners, a connection that is
/// accepted only to be refused.
constexpr std::size_t kReserve = 8;
/// The number that is assumed to be open where it cannot be found out.
constexpr std::size_t kUnknown = 32;

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

/// Not by listing /proc/self/fd: for each of thousands the kernel would make an entry, and
/// the service manager would wait while they are unmade at the end of the process.
std::size_t open_descriptors() {
  std::ifstream status{"/proc/self/status"};
  int table = 0;
  for (std::string line; table == 0 && std::getline(status, line);) {
    if (line.starts_with("FDSize:")) table = std::atoi(line.c_str() + sizeof "FDSize:");
  }
  status.close();
  if (table == 0) return kUnknown;
  std::size_t count = 0;
  for (int fd = 0; fd < table; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

std::size_t operators_that_fit(std::size_t limit, std::size_t open, std::size_t operators) {
  const std::size_t taken = open + kReserve;
  return limit <= taken ? 0 : std::min(operators, (limit - taken) / 4);
}

std::size_t sessions_that_fit(std::size_t limit, std::size_t open, std::size_t operators) {
  const std::size_t taken = open + kReserve + operators_that_fit(limit, open, operators);
  return limit <= taken ? 1 : limit - taken;
}

}  // namespace chatd
