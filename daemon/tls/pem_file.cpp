#include "tls/pem_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.hpp"

namespace chatd::tls {

namespace {

constexpr off_t kMostBytes = off_t{1024} * 1024;

}  // namespace

Result<PemFile> read_pem_file(const std::string& path) {
  const auto refused = [&] { return Error::from_errno(path, errno); };
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return refused();
  if (!S_ISREG(status.st_mode)) return Error{path + ": it is not a file"};
  if (status.st_size > kMostBytes) return Error{path + ": it is longer than 1 MiB"};
  PemFile read;
  read.is_public = (status.st_mode & S_IROTH) != 0;
  read.text = CleansedText{static_cast<std::size_t>(status.st_size)};
  std::size_t size = 0;
  while (size < read.text.view().size()) {
    const auto more = ::read(file.get(), read.text.data() + size, read.text.view().size() - size);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return refused();
    if (more == 0) break;  // it became shorter
    size += static_cast<std::size_t>(more);
  }
  read.text.shrink(size);
  return read;
}

}  // namespace chatd::tls
