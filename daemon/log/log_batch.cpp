#include "log/log_batch.hpp"

#include <cassert>
#include <chrono>
#include <exception>
#include <utility>

#include "base/memory.hpp"
#include "base/signals_blocked.hpp"

namespace chatd {
namespace {

/// How long a line may wait for others to go with it.
constexpr std::chrono::milliseconds kGather{5};
/// The most that may wait; the rest is dropped.
constexpr std::size_t kMaxLines = 2048;
constexpr std::size_t kMaxBytes = 1024UL * 1024;
/// The most bytes that an empty batch keeps; see base/memory.hpp.
constexpr std::size_t kMostKept = 16UL * 1024;

}  // namespace

LogBatch::LogBatch(spdlog::sink_ptr target) : sink_{std::move(target)} {
  const SignalsBlocked blocked;
  thread_ = std::thread{[this] { run(); }};
}

LogBatch::~LogBatch() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LogBatch::log(const spdlog::details::log_msg& message) {
  const std::string_view text{message.payload.data(), message.payload.size()};
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    if (waiting_.lines.size() >= kMaxLines || waiting_.text.size() + text.size() > kMaxBytes) {
      ++waiting_.dropped;
    } else {
      waiting_.lines.push_back({message.time, message.level, text.size()});
      waiting_.text += text;
    }
    wake = std::exchange(resting_, false);
  }
  if (wake) wake_.notify_one();
}

void LogBatch::flush() {
  std::unique_lock lock{mutex_};
  const bool nothing = waiting_.lines.empty() && waiting_.dropped == 0;
  const auto upto = taken_batches_ + (nothing ? 0 : 1);
  urgent_ = true;
  wake_.notify_one();
  given_.wait(lock, [&] { return given_batches_ >= upto; });
}

void LogBatch::set_pattern(const std::string& pattern) {
  sink_->set_pattern(pattern);
}

void LogBatch::set_formatter(std::unique_ptr<spdlog::formatter> formatter) {
  sink_->set_formatter(std::move(formatter));
}

void LogBatch::run() {
  const auto nothing = [this] { return waiting_.lines.empty() && waiting_.dropped == 0; };
  Lines batch;
  std::unique_lock lock{mutex_};
  for (;;) {
    resting_ = nothing();
    wake_.wait(lock, [&] { return ending_ || !nothing(); });
    resting_ = false;
    wake_.wait_for(lock, kGather, [&] { return ending_ || urgent_; });
    urgent_ = false;
    if (nothing()) return;  // ending
    std::swap(batch, waiting_);
    ++taken_batches_;
    lock.unlock();
    give(batch);
    empty_out(batch.lines, kMostKept);
    empty_out(batch.text, kMostKept);
    batch.dropped = 0;
    lock.lock();
    ++given_batches_;
    assert(given_batches_ == taken_batches_);
    given_.notify_all();
  }
}

void LogBatch::give(Lines& batch) {
  std::string_view rest = batch.text;
  for (const Line& line : batch.lines) {
    if (!give(line, rest.substr(0, line.size))) ++batch.dropped;
    rest.remove_prefix(line.size);
  }
  assert(rest.empty());
  dropped_ += batch.dropped;
  if (dropped_ > 0) {
    const auto notice = std::to_string(dropped_) + " log lines were lost before this one";
    if (give({spdlog::log_clock::now(), spdlog::level::warn, 0}, notice)) dropped_ = 0;
  }
  try {
    sink_->flush();
  } catch (const std::exception&) {
    dropped_ += batch.lines.size();
  }
}

/// False if the sink could not write it: a full disk.
bool LogBatch::give(const Line& line, std::string_view text) {
  try {
    sink_->log({line.time, {}, "chatd", line.level, {text.data(), text.size()}});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace chatd
