/// Transcripts: one database file and the thread that works on it, the worker. Records are
/// added on the loop's thread, submitted to the worker once a turn, and written in batches;
/// the worker answers questions, too, and the answers come back through poll(). Knows no loop
/// and no event: whoever makes it says how to be woken.
///
/// Invariant: the loop's thread never waits for the disk. If the worker cannot keep up,
/// or the disk is full, records wait up to a bound; beyond it whole batches are dropped and
/// counted, and the numbers show the gap.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "store/archive.hpp"
#include "store/backlog.hpp"
#include "store/ban.hpp"
#include "store/reader.hpp"
#include "store/record.hpp"
#include "store/report.hpp"
#include "store/upkeep.hpp"

namespace chatd::store {

struct Options {
  std::string path;
  /// Called on the worker's thread when poll() has something to do.
  std::function<void()> wake;
  /// Older events are forgotten; zero: never.
  Duration keep{0};
  /// Messages that are held for sessions still wait: the sessions go on in this process.
  bool sessions_go_on = false;
  /// Milliseconds since 1970, UTC. Called on the worker's thread.
  std::function<std::int64_t()> clock;
  /// The most that waits for the worker; beyond it batches are dropped.
  std::size_t max_waiting_bytes = 16UL * 1024 * 1024;
  /// Records that come within this time are written together.
  Duration gather{5};
  /// The index follows after this time, or after Index::kBehind events if they come sooner.
  std::chrono::milliseconds index_after{1000};
  /// How long after a failure writing is tried again.
  Duration retry{1000};
};

class Store {
 public:
  /// Called on the loop's thread when a job is done.
  using Done = std::function<void()>;
  /// Runs on the worker's thread.
  using Job = std::function<Done(Reader& reader)>;

  /// Opens or makes the file, takes its lock, and starts the worker. Errors: another
  /// daemon has it, a newer chatd wrote it, the file is no database, what the system says.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(Options options);
  /// Writes what waits, once, and closes. Waits for the disk.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const Opened& opened() const { return archive_->opened; }

  // On the loop's thread alone.

  /// Adds an event to the batch of this turn.
  void record(const Record& record) {
    archive_->numbers.use_seq(record.seq);
    archive_->numbers.use_session(record.session);
    filling_.add(record);
  }
  /// At the end of a turn: gives the worker what was added.
  void submit() {
    if (!filling_.empty()) submit_batch();
  }
  /// Gives back the memory that is kept for the next batch, if none has begun.
  void release_memory() { filling_.release_memory(); }
  [[nodiscard]] std::size_t retained_bytes() const { return filling_.retained_bytes(); }
  /// The next process leaves no number out if this one ends now.
  void close_gap() { archive_->numbers.close_gap(); }
  /// Runs `job` when everything that was added before is written, or could not be.
  void ask(Job job);
  void set_keep(Duration keep);
  /// Replaces all bans, soon.
  void set_bans(std::vector<Ban> bans);
  /// Runs the Done of every job that is done. To be called after a wake.
  void poll();
  /// Sentences for people: recording fails, or works again. Mostly empty.
  [[nodiscard]] std::vector<std::string> take_notices();
  [[nodiscard]] Counts counts() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  using Steady = std::chrono::steady_clock;

  Store(Options options, std::unique_ptr<Archive> archive);
  [[nodiscard]] bool is_loop_thread() const {
    return std::this_thread::get_id() != worker_.get_id();
  }
  void submit_batch();

  // On the worker's thread.
  void work();
  void wait_for_work(Lock& lock);
  void write_batch(Lock& lock);
  void run_jobs(Lock& lock, std::vector<Job> jobs);
  void keep_up(Lock& lock);
  [[nodiscard]] bool has_work() const;

  Options options_;
  std::unique_ptr<Archive> archive_;  ///< the worker's, but for the numbers

  // Of the loop's thread.
  Batch filling_;

  // Of both, under the mutex; it is never held for longer than a copy in memory.
  mutable std::mutex mutex_;
  std::condition_variable work_;
  Backlog backlog_;
  std::vector<Job> jobs_;
  std::vector<Done> done_;
  std::optional<std::vector<Ban>> bans_;
  Report report_;
  Duration keep_;
  bool keep_changed_ = false;
  bool idle_ = false;  ///< the worker waits for anything at all
  bool stop_ = false;

  // Of the worker's thread.
  Batch batch_;  ///< what is being written
  std::optional<Steady::time_point> retry_;
  Upkeep upkeep_;
  std::thread worker_;
};

}  // namespace chatd::store
