#include "log/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/private_file.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

constexpr mode_t kWidest = 0640;

}  // namespace

Result<std::shared_ptr<LogFile>> LogFile::open(std::string path) {
  std::shared_ptr<LogFile> file{new LogFile{std::move(path)}};
  if (auto opened = file->reopen(); !opened) return std::move(opened.error());
  return file;
}

Result<> LogFile::reopen() {
  if (auto made = make_folder_of(path_); !made) {
    return std::move(made.error()).while_doing("open " + escaped(path_));
  }
  auto opened = open_private_file(path_, O_WRONLY | O_APPEND | O_CREAT, kWidest);
  if (!opened) return std::move(opened.error());
  tightened_ = opened->tightened;
  const std::lock_guard lock{mutex_};
  next_ = std::move(opened->descriptor);
  return {};
}

std::size_t LogFile::write(std::string_view text) {
  {
    const std::lock_guard lock{mutex_};
    if (next_) {
      file_ = std::move(next_);
      next_.reset();  // the file before it
    }
  }
  std::size_t done = 0;
  while (done < text.size()) {
    const auto rest = text.substr(done);
    const auto count = ::write(file_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace chatd
