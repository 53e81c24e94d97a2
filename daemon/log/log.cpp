#include "log/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/memory.hpp"
#include "base/rows.hpp"
#include "base/text.hpp"
#include "base/wall_time.hpp"
#include "io/descriptor.hpp"
#include "log/log_batch.hpp"
#include "log/log_file.hpp"
#include "service/journal.hpp"

namespace chatd {

namespace {

constexpr std::size_t kConsoleLines = 1000;
/// A pipe that poll() calls writable takes this much without blocking.
constexpr std::size_t kPart = 4096;
/// The memory that is kept for the next lines, in bytes.
constexpr std::size_t kKept = 16UL * 1024;
constexpr int kPatienceMs = 1000;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// `2026-11-23T06:50:00.123Z info: text`; spdlog's formatter for a pattern takes four times
/// as long.
class LineFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    time_.clear();
    append_rfc3339(time_, std::chrono::floor<std::chrono::milliseconds>(message.time));
    const auto level = spdlog::level::to_string_view(message.level);
    const auto append = [&](const auto& text) {
      out.append(text.data(), text.data() + text.size());
    };
    append(time_);
    out.push_back(' ');
    append(level);
    append(std::string_view{": "});
    append(message.payload);
    out.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>();
  }

 private:
  std::string time_;
};

/// Lines of text. What is not taken is dropped, until something is taken again; then it says
/// how many lines that were. A line of which only the beginning was taken is one of them.
/// Writes when it is flushed.
class TextSink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  /// How many bytes of `text` were taken; `lost`: some were not taken the last time.
  virtual std::size_t put(std::string_view text, bool lost) = 0;
  /// Of the terminal that they go to, on which a line becomes rows; 0: it is none.
  [[nodiscard]] virtual std::size_t columns() const { return 0; }

  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    // Rows hang under the text, behind the time and the level.
    const std::string_view whole{line.data(), line.size() - 1};
    const RowShape shape{columns(), whole.size() - message.payload.size(), wide_letters_};
    append_rows(text_, whole, shape, "\n");
  }

  void flush_() override {
    if (text_.empty()) return;
    std::string before = cut_ ? "\n" : "";
    if (lost_ > 0) {
      before += std::to_string(lost_);
      before += lost_ == 1 ? " log line was lost here\n" : " log lines were lost here\n";
    }
    text_.insert(0, before);
    const auto taken = put(text_, lost_ > 0);
    // The notice goes out with the first part or, like that, not at all.
    auto rest = std::string_view{text_}.substr(before.size());
    if (taken > 0) {
      lost_ = 0;
      cut_ = text_[taken - 1] != '\n';
      rest = std::string_view{text_}.substr(std::max(taken, before.size()));
    }
    lost_ += lines_of(rest);
    empty_out(text_, kKept);
  }

 private:
  /// How many lines end there. A row that hangs under another one begins with a blank.
  static std::size_t lines_of(std::string_view text) {
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos;) {
      if (++at == text.size() || text[at] != ' ') ++lines;
    }
    return lines;
  }

  bool wide_letters_ = has_wide_letters();
  std::string text_;  ///< to be written next
  std::size_t lost_ = 0;
  bool cut_ = false;  ///< the last thing that was written is the beginning of a line
};

/// A file. A disk that is full takes nothing.
class FileSink final : public TextSink {
 public:
  explicit FileSink(std::shared_ptr<LogFile> file) : file_{std::move(file)} {}

 protected:
  std::size_t put(std::string_view text, bool) override { return file_->write(text); }

 private:
  std::shared_ptr<LogFile> file_;
};

/// Standard error, which may be a pipe that nobody reads: waits a second once.
class StderrSink final : public TextSink {
 protected:
  std::size_t put(std::string_view text, bool lost) override {
    int patience_ms = lost ? 0 : kPatienceMs;
    std::size_t taken = 0;
    while (taken < text.size() && ready(patience_ms)) {
      const auto rest = text.substr(taken);
      const auto count = ::write(STDERR_FILENO, rest.data(), part(rest));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      taken += static_cast<std::size_t>(count);
      patience_ms = kPatienceMs;  // somebody reads
    }
    return taken;
  }
  [[nodiscard]] std::size_t columns() const override { return width_.columns(); }

 private:
  static bool ready(int patience_ms) {
    pollfd wait{STDERR_FILENO, POLLOUT, 0};
    int count = 0;
    do {
      count = ::poll(&wait, 1, patience_ms);
    } while (count < 0 && errno == EINTR);
    return count == 1 && (wait.revents & POLLOUT) != 0;
  }

  /// How much of `text` is written next: whole lines if they fit, so that they stay whole
  /// where others write too.
  static std::size_t part(std::string_view text) {
    if (text.size() <= kPart) return text.size();
    const auto end = text.rfind('\n', kPart - 1);
    return end == std::string_view::npos ? kPart : end + 1;
  }

  io::TerminalWidth width_{STDERR_FILENO};
};

/// Separates the fields of a line and its text, for the journal alone: a text that is logged
/// holds no control characters.
constexpr char kField = '\x1f';
/// A longer entry is cut there: the journal's socket may not take it.
constexpr std::size_t kMaxText = 32UL * 1024;

/// The journal, which gets the subject of a line as fields of their own. It waits as
/// StderrSink does, and counts the lines that were lost.
class JournalSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit JournalSink(service::Journal journal) : journal_{std::move(journal)} {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (lost_ > 0) {
      const auto notice = std::to_string(lost_) +
                          (lost_ == 1 ? " log line was lost here" : " log lines were lost here");
      if (!journal_.send(entry(notice, spdlog::level::warn), Duration{0})) {
        ++lost_;
        return;
      }
      lost_ = 0;
    }
    const std::string_view text{message.payload.data(), message.payload.size()};
    if (!journal_.send(entry(text, message.level), Duration{kPatienceMs})) ++lost_;
  }
  void flush_() override {}

 private:
  static std::string_view priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::critical:
        return "2";
      case spdlog::level::err:
        return "3";
      case spdlog::level::warn:
        return "4";
      case spdlog::level::info:
        return "6";
      default:
        return "7";
    }
  }

  static std::string entry(std::string_view text, spdlog::level::level_enum level) {
    std::string made;
    using service::Journal;
    Journal::append_field(made, "PRIORITY", priority(level));
    Journal::append_field(made, "SYSLOG_IDENTIFIER", "chatd");
    for (const char* name : {"CHATD_SESSION", "CHATD_PEER", "CHATD_EVENT"}) {
      const auto end = text.find(kField);
      if (end == std::string_view::npos) break;
      if (end > 0) Journal::append_field(made, name, text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    Journal::append_field(made, "MESSAGE", text.substr(0, kMaxText));
    return made;
  }

  service::Journal journal_;
  std::size_t lost_ = 0;
};

bool to_journal(LogTarget target) {
  return target == LogTarget::kJournal ||
         (target == LogTarget::kAuto && service::Journal::has_standard_error());
}

std::atomic<bool> with_fields{false};

class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ConsoleSink(ConsoleLines& lines) : lines_{lines} {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (message.level < spdlog::level::warn) return;
    lines_.add({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  ConsoleLines& lines_;
};

}  // namespace

ConsoleLines::ConsoleLines(io::Loop& loop, std::function<void(const std::string&)> show)
    : show_{std::move(show)}, async_{loop, [this] { show_all(); }} {}

void ConsoleLines::add(std::string line) {
  {
    const std::lock_guard lock{mutex_};
    if (lines_.size() >= kConsoleLines) return;
    lines_.push_back(std::move(line));
  }
  async_.wake();
}

void ConsoleLines::show_all() {
  std::vector<std::string> lines;
  {
    const std::lock_guard lock{mutex_};
    lines.swap(lines_);
  }
  for (const auto& line : lines) show_(line);
}

Result<std::unique_ptr<Log>> Log::open(const Config::Log& config, ConsoleLines* console) {
  try {
    spdlog::sink_ptr sink;
    std::shared_ptr<LogFile> file;
    if (to_journal(config.target)) {
      service::Journal journal;
      if (journal.exists()) {
        sink = std::make_shared<JournalSink>(std::move(journal));
      } else if (config.target == LogTarget::kJournal) {
        return Error{"log.target: there is no journal at " +
                     std::string{service::Journal::kSocket}};
      }
    }
    with_fields = sink != nullptr;
    if (sink != nullptr) {
      // It is the journal.
    } else if (config.target == LogTarget::kFile) {
      auto opened = LogFile::open(config.file);
      if (!opened) return std::move(opened.error()).while_doing("open the log");
      file = std::move(*opened);
      sink = std::make_shared<FileSink>(file);
    } else if (console != nullptr && isatty(STDERR_FILENO) == 1) {
      sink = std::make_shared<ConsoleSink>(*console);
    } else {
      sink = std::make_shared<StderrSink>();
    }
    auto logger =
        std::make_shared<spdlog::logger>("chatd", std::make_shared<LogBatch>(std::move(sink)));
    logger->set_level(to_spdlog(config.level));
    spdlog::set_default_logger(std::move(logger));
    spdlog::set_formatter(std::make_unique<LineFormatter>());
    std::unique_ptr<Log> log{new Log{std::move(file)}};
    log->tell_mode();
    return log;
  } catch (const std::exception& error) {
    return Error{"open the log: " + std::string{error.what()}};
  }
}

Log::Log(std::shared_ptr<LogFile> file) : file_{std::move(file)} {}

Result<> Log::reopen() {
  if (!file_) return {};
  if (auto opened = file_->reopen(); !opened) return opened;
  tell_mode();
  return {};
}

void Log::tell_mode() const {
  if (!file_ || !file_->was_tightened()) return;
  spdlog::warn("others could read or write {}; its mode has been tightened",
               escaped(file_->path()));
}

Log::~Log() {
  spdlog::shutdown();
  // What is logged from here on goes nowhere, instead of to a logger that is gone.
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("chatd"));
}

bool Log::keeps(LogLevel level) {
  return spdlog::should_log(to_spdlog(level));
}

void Log::line(LogLevel level, const LogFields& fields, std::string_view text) {
  if (!with_fields) {
    spdlog::log(to_spdlog(level), text);
    return;
  }
  const auto session = fields.session == 0 ? "" : std::to_string(fields.session);
  spdlog::log(to_spdlog(level), "{}{}{}{}{}{}{}", session, kField, fields.peer, kField,
              fields.event, kField, text);
}

void Log::set_level(LogLevel level) {
  spdlog::set_level(to_spdlog(level));
}

}  // namespace chatd
