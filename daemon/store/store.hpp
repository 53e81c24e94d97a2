/// Transcripts: one database file, the thread that writes it, the worker, and one that answers
/// questions about it (`Answering`). Records are added on the loop's thread, submitted to the
/// worker once a turn, and written in batches; answers come back through poll(). Knows no loop
/// and no event: whoever makes it says how to be woken.
///
/// Invariant: the loop's thread never waits for the disk, and recording never waits for a question,
/// nor for the index or the end of old events by more than some milliseconds. If the worker cannot
/// keep up, or the disk is full, records wait up to a bound; beyond it those who record most give
/// way (see Backlog), what is lost is counted, and the numbers show the gap.
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
#include "store/answering.hpp"
#include "store/archive.hpp"
#include "store/backlog.hpp"
#include "store/ban.hpp"
#include "store/record.hpp"
#include "store/report.hpp"
#include "store/upkeep.hpp"

namespace chatd::store {

struct Options {
  std::string path;
  /// Called on a thread of this when poll() has something to do.
  std::function<void()> wake;
  /// What is kept.
  Bounds bounds;
  /// Messages that are held for sessions still wait: the sessions go on in this process.
  bool sessions_go_on = false;
  /// Called on the worker's thread; without them, those of the system.
  Upkeep::Clocks clocks;
  /// The most that waits for the worker; beyond it records are dropped.
  std::size_t max_waiting_bytes = 16UL * 1024 * 1024;
  /// Called in submit() for the records that had to go.
  std::function<void(const Dropped& dropped)> dropped;
  /// Records that come within this time are written together; where many come, within four
  /// times that.
  Duration gather{5};
  /// The index follows after this time, or after Index::kBehind events if they come sooner.
  std::chrono::milliseconds index_after{1000};
  /// How long after a failure writing is tried again.
  Duration retry{1000};
  /// How long a question may take, from asking on.
  std::chrono::milliseconds patience{2000};
};

class Store {
 public:
  /// Opens or makes the file, takes its lock, and starts the threads. Errors: another
  /// daemon has it, a newer chatd wrote it, the file is no database, what the system says.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(Options options);
  /// Writes what waits, once, and closes. Waits for the disk. What is asked is not answered.
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
  /// Asks when everything that was added before is written, or could not be.
  void ask(Ask ask);
  void set_bounds(const Bounds& bounds);
  /// Change the bans that are kept, soon.
  void set_bans(const std::vector<Ban>& bans);
  void add_ban(Ban ban);
  void remove_ban(const std::string& address);
  /// Runs what every question that was answered, or was late, has to say. To be called after a
  /// wake.
  void poll();
  /// Sentences for people: recording fails, or works again; the oldest events go. Mostly empty.
  [[nodiscard]] std::vector<std::string> take_notices();
  [[nodiscard]] Counts counts() const;
  /// What waits for the worker.
  [[nodiscard]] Waiting waiting() const;
  /// Everything that was submitted is written, or could not be, and every question is answered.
  [[nodiscard]] bool is_settled() const;
  /// Messages that were unread when the file was opened. They are counted little by little.
  [[nodiscard]] Unread unread() const { return answering_.unread(); }

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Steady = std::chrono::steady_clock;

  Store(Options options, std::unique_ptr<Archive> archive);
  [[nodiscard]] Result<> start();
  [[nodiscard]] bool is_loop_thread() const {
    return std::this_thread::get_id() != worker_.get_id();
  }
  void submit_batch();
  void change_bans(BanChanges changes);

  // On the worker's thread.
  void work();
  void wait_for_work(Lock& lock);
  void write_batch(Lock& lock);
  void keep_up(Lock& lock);
  void tell(Lock& lock);
  [[nodiscard]] bool has_work() const;
  /// Somebody waits for what is not written yet.
  [[nodiscard]] bool hurries() const { return wanted_ > progress_.recorded && !retry_; }

  Options options_;
  std::unique_ptr<Archive> archive_;  ///< the worker's, but for the numbers and what reads

  // Of the loop's thread.
  Batch filling_;

  // Of both, under the mutex; it is never held for longer than a copy in memory.
  mutable std::mutex mutex_;
  std::condition_variable work_;
  Backlog backlog_;
  std::uint64_t submitted_ = 1;  ///< the ticket of what was submitted last
  std::uint64_t wanted_ = 0;     ///< a question waits for what has this ticket
  BanChanges bans_;
  Report report_;
  Bounds bounds_;
  bool bounds_changed_ = true;
  bool idle_ = false;  ///< the worker waits for anything at all
  bool stop_ = false;
  Progress progress_{.recorded = 1};

  // Of the worker's thread.
  Batch batch_;               ///< what is being written
  std::uint64_t ticket_ = 1;  ///< its
  bool is_busy_ = false;      ///< the last one was large
  std::optional<Steady::time_point> retry_;
  Upkeep upkeep_;
  std::thread worker_;

  Answering answering_;  ///< gone before all that it reads
};

}  // namespace chatd::store
