/// The file that the log is appended to, and another one in its place when somebody has moved
/// it away, as logrotate does. Two threads know it: one writes, one opens it again.
///
/// Invariant: there is always a file to write to, and no line is cut by the change.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd {

class LogFile {
 public:
  /// Opens or makes the file (0600), as open_private_file() does, and its folder, if that is
  /// missing (0700); its group may read a file that is there already.
  [[nodiscard]] static Result<std::shared_ptr<LogFile>> open(std::string path);

  /// Opens what is at the path now, to be written to from the next write on. If it cannot be
  /// opened, the file before it goes on.
  [[nodiscard]] Result<> reopen();
  /// Appends `text`; returns how many of its bytes were written. The thread that logs, alone.
  [[nodiscard]] std::size_t write(std::string_view text);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Whether others could do more with the file that was opened last than they can now.
  [[nodiscard]] bool was_tightened() const { return tightened_; }

 private:
  explicit LogFile(std::string path) : path_{std::move(path)} {}

  std::string path_;
  bool tightened_ = false;
  UniqueFd file_;  ///< of the thread that logs
  std::mutex mutex_;
  UniqueFd next_;  ///< under the mutex: to be written to instead
};

}  // namespace chatd
