#include "console/kept_lines.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/private_file.hpp"

namespace chatd::console {
namespace {

// A longer line is not worth its place in every console that begins.
constexpr std::size_t kLongestKept = 64UL * 1024;
// What is read of a longer file: its end.
constexpr std::size_t kMostRead = 4UL * 1024 * 1024;

std::string written(std::string_view line) {
  std::string out;
  for (const char c : line) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out + '\n';
}

std::string unwritten(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      out += line[i] == 'n' ? '\n' : line[i];
    } else if (line[i] != '\0') {
      out += line[i];
    }
  }
  return out;
}

Result<std::vector<std::string>> lines_of(int file) {
  const auto failed = [] { return Error::from_errno("read the lines that were typed", errno); };
  struct stat status {};
  if (::fstat(file, &status) != 0) return failed();
  const auto size = static_cast<std::size_t>(status.st_size);
  const std::size_t begin = size > kMostRead ? size - kMostRead : 0;
  if (::lseek(file, static_cast<off_t>(begin), SEEK_SET) < 0) return failed();
  std::string all;
  std::array<char, 64 * 1024> buffer;
  while (all.size() <= kMostRead) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  std::vector<std::string> lines;
  std::string_view rest = all;
  // The end of a line is none.
  if (begin > 0) rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) lines.push_back(unwritten(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

void leave_last(std::vector<std::string>& lines, std::size_t most) {
  if (lines.size() > most) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  }
}

Result<> write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error::from_errno("write the lines that were typed", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace

std::string kept_lines_path() {
  constexpr const char* kName = "/chatd/lines";
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string{state} + kName;
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string{home} + "/.local/state" + kName;
  return {};
}

std::vector<std::string> read_kept_lines(const std::string& path, std::size_t most) {
  auto file = open_private_file(path, O_RDONLY);
  if (!file) return {};
  auto lines = lines_of(file->descriptor.get());
  if (!lines) return {};
  leave_last(*lines, most);
  return std::move(*lines);
}

Result<> keep_lines(const std::string& path, const std::vector<std::string>& lines,
                    std::size_t most, int attempts) {
  if (auto made = make_folder_of(path); !made) return made;
  // Whoever holds the lock file is the only one to write; the file itself is replaced as a whole.
  auto lock = open_private_file(path + ".lock", O_RDWR | O_CREAT);
  if (!lock) return std::move(lock.error());
  // Nobody holds it for longer than it takes to write a file; who comes in between adds nothing.
  for (int attempt = 0; ::flock(lock->descriptor.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (attempt + 1 >= attempts) return Error::from_errno("lock " + path, errno);
    ::usleep(10'000);
  }
  std::vector<std::string> all;
  if (auto before = open_private_file(path, O_RDONLY); before) {
    auto read = lines_of(before->descriptor.get());
    if (!read) return std::move(read.error());
    all = std::move(*read);
  } else if (before.error().code != ENOENT) {
    return std::move(before.error());
  }
  for (const std::string& line : lines) {
    if (line.size() <= kLongestKept && (all.empty() || all.back() != line)) all.push_back(line);
  }
  leave_last(all, most);
  const std::string made = path + ".new";
  auto file = open_private_file(made, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return std::move(file.error());
  std::string bytes;
  for (const std::string& line : all) bytes += written(line);
  if (auto put = write_all(file->descriptor.get(), bytes); !put) return put;
  if (::rename(made.c_str(), path.c_str()) != 0) {
    return Error::from_errno("put the lines that were typed into " + path, errno);
  }
  return {};
}

}  // namespace chatd::console
