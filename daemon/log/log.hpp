/// The daemon's log: spdlog, written by a thread of its own (LogBatch), so that nothing waits
/// for a line to be written. A line that cannot be written in time is lost and counted.
///
/// Invariant: whoever logs a text escapes it; spdlog passes control characters through.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "io/async.hpp"
#include "io/loop.hpp"

namespace chatd {

class LogFile;

/// Lines that go to an interactive console in the same terminal, so that they do not
/// destroy what is being typed. Filled by the logging thread, emptied on the loop.
class ConsoleLines {
 public:
  ConsoleLines(io::Loop& loop, std::function<void(const std::string& line)> show);

  /// Any thread. While a thousand lines wait, further ones are dropped.
  void add(std::string line);

 private:
  void show_all();

  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::function<void(const std::string&)> show_;
  io::Async async_;
};

/// The subject of a line, for a log that keeps it beside the text.
struct LogFields {
  std::uint64_t session = 0;  ///< 0: none
  std::string_view peer;      ///< its address; empty: none
  std::string_view event;     ///< its word, as operators get it; empty: none
};

/// The log is open as long as this exists.
class Log {
 public:
  /// Lines go to `console`, if there is one and the target is the terminal; only
  /// warnings and errors then, because the console shows the rest in its own way.
  static Result<std::unique_ptr<Log>> open(const Config::Log& config, ConsoleLines* console);
  /// Writes the lines that wait. What nobody takes within a second is lost.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// If the target is a file: goes on with what is at its path now, which is made if it is
  /// missing. If that cannot be opened, everything stays as it is.
  [[nodiscard]] Result<> reopen();

  static void set_level(LogLevel level);

  /// Whether a line of that level is kept.
  static bool keeps(LogLevel level);
  /// Logs one line. A line that is logged by spdlog's own calls has no fields.
  static void line(LogLevel level, const LogFields& fields, std::string_view text);

 private:
  explicit Log(std::shared_ptr<LogFile> file);
  void tell_mode() const;

  std::shared_ptr<LogFile> file_;  ///< null if the target is something else
};

}  // namespace chatd
