/// Log lines on their way to where they are written. Any thread adds one at the cost of a
/// copy; a thread of its own gives those that came within a few milliseconds to another sink,
/// together. So a busy daemon wakes that thread, and makes a system call, for many lines and
/// not for each.
///
/// Invariant: lines are passed on in the order in which they came. A line
/// beyond those that may wait is dropped and counted, and another line says so.
#pragma once

#include <spdlog/sinks/sink.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace chatd {

class LogBatch final : public spdlog::sinks::sink {
 public:
  /// `target` is used by the thread alone. It is flushed after each batch.
  explicit LogBatch(spdlog::sink_ptr target);
  /// Passes on the lines that wait.
  ~LogBatch() override;
  LogBatch(const LogBatch&) = delete;
  LogBatch& operator=(const LogBatch&) = delete;

  void log(const spdlog::details::log_msg& message) override;
  /// Waits until all lines that were logged before are passed on.
  void flush() override;
  /// To be set before the first line.
  void set_pattern(const std::string& pattern) override;
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override;

 private:
  struct Line {
    spdlog::log_clock::time_point time;
    spdlog::level::level_enum level;
    std::size_t size;
  };
  struct Lines {
    std::vector<Line> lines;
    std::string text;  ///< of all lines, one after the other
    std::size_t dropped = 0;
  };

  void run();
  void give(Lines& batch);
  bool give(const Line& line, std::string_view text);

  spdlog::sink_ptr sink_;
  std::mutex mutex_;
  std::condition_variable wake_;   ///< the thread
  std::condition_variable given_;  ///< those who wait in flush()
  Lines waiting_;
  bool resting_ = false;  ///< the thread waits for a first line
  bool urgent_ = false;   ///< somebody waits in flush()
  bool ending_ = false;
  std::uint64_t taken_batches_ = 0;
  std::uint64_t given_batches_ = 0;
  std::size_t dropped_ = 0;  ///< the thread's own: lines of which no line has told yet
  std::thread thread_;       ///< last: it uses all the others
};

}  // namespace chatd
