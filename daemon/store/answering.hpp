/// Answers questions about a transcript, one at a time, on a thread and a connection of their own:
/// nothing that is asked keeps the worker from recording, and nothing that one asks keeps others
/// from their answers for long. What was recorded before a question was asked is in its answer.
///
/// Invariant: each question is answered, or not in time; never both.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "store/archive.hpp"
#include "store/question_queue.hpp"

namespace chatd::store {

class Answering {
 public:
  using Steady = std::chrono::steady_clock;

  struct Options {
    /// From asking on. Whatever takes longer is not answered.
    std::chrono::milliseconds patience;
    /// Called on the thread of this when there is something to take.
    std::function<void()> wake;
  };

  /// Uses what reads in `archive`, and counts what is unread when nobody asks.
  Answering(Archive& archive, Options options);
  ~Answering();
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  /// Starts the thread. Only once.
  [[nodiscard]] Result<> start();

  /// Any thread. The answer comes when the records up to `ticket` are in the file, and in the
  /// index if it is asked; or will not be.
  void ask(Ask ask, std::uint64_t ticket);
  /// So much is recorded by now.
  void has(const Progress& progress);
  /// What was answered, or not in time.
  [[nodiscard]] std::vector<Done> take_done();
  /// Nothing is asked that take_done() does not have.
  [[nodiscard]] bool is_idle() const;
  /// Messages that were unread when the file was opened.
  [[nodiscard]] Unread unread() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void work();
  void answer(Lock& lock, QuestionQueue::Waiting question);
  void count(Lock& lock);
  static bool goes_on(void* self);

  Archive& archive_;
  Options options_;

  mutable std::mutex mutex_;
  std::condition_variable asked_;
  QuestionQueue queue_;
  Progress progress_;
  std::vector<Done> done_;
  Unread unread_;
  bool stop_ = false;
  std::optional<std::uint64_t> answers_;  ///< whom, while it does

  // What is being answered; asked for by SQLite, which holds no lock.
  std::atomic<bool> others_wait_{false};
  std::atomic<bool> stopping_{false};
  Steady::time_point until_{};      // whatever waits
  Steady::time_point slice_end_{};  // if others wait
  bool interrupted_ = false;

  std::thread thread_;
};

}  // namespace chatd::store
