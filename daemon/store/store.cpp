#include "store/store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/memory.hpp"
#include "base/signals_blocked.hpp"
#include "store/schema.hpp"

namespace chatd::store {

namespace {

/// Where the oldest event is due far ahead, it is looked at again after this long:
/// the wall clock may be set.
constexpr std::chrono::hours kLookAgain{1};
/// It is not worth waking up for fewer.
constexpr std::chrono::seconds kForgetEvery{1};

/// Memory is given back once for all steps of the index within so long.
constexpr std::chrono::seconds kTrimAfter{1};

/// Records are written in transactions of this size: where there is little room on the disk,
/// some of them may fit.
constexpr std::size_t kBatchBytes = 256UL * 1024;

std::int64_t system_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Makes the file before SQLite does, to be read by its owner alone; SQLite gives the
/// files beside it the same mode.
Result<> make_private_file(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600)};
  if (!file) return Error::from_errno("open it", errno);
  return {};
}

}  // namespace

// ---- opening and closing ----

Result<std::unique_ptr<Store>> Store::open(Options options) {
  if (!options.clock) options.clock = system_clock_ms;
  std::unique_ptr<Store> store{new Store{std::move(options)}};
  if (auto opened = store->open_file(); !opened) {
    return std::move(opened.error()).while_doing("transcript " + store->options_.path);
  }
  const SignalsBlocked blocked;
  try {
    store->worker_ = std::thread{[self = store.get()] { self->work(); }};
  } catch (const std::system_error& error) {
    return Error::from_errno("transcript " + store->options_.path + ": start its thread",
                             error.code().value());
  }
  return store;
}

Result<> Store::open_file() {
  auto numbers = Numbers::open(options_.path + "-numbers");
  if (!numbers) return std::move(numbers.error());
  numbers_ = std::move(*numbers);
  if (auto made = make_private_file(options_.path); !made) return made;
  auto database = Database::open(options_.path);
  if (!database) return std::move(database.error());
  database_ = std::move(*database);
  if (auto prepared = prepare_schema(database_); !prepared) return prepared;
  auto recorder = Recorder::make(database_);
  if (!recorder) return std::move(recorder.error());
  recorder_ = std::move(*recorder);
  auto index = Index::make(database_);
  if (!index) return std::move(index.error());
  index_ = std::move(*index);
  auto reader = Reader::make(database_);
  if (!reader) return std::move(reader.error());
  reader_ = std::move(*reader);
  auto retention = Retention::make(database_);
  if (!retention) return std::move(retention.error());
  retention_ = std::move(*retention);
  if (!options_.sessions_go_on) {
    (void)recorder_->lose_held();  // a disk that is full is no reason not to start
  }
  auto last_seq = reader_->last_seq();
  if (!last_seq) return std::move(last_seq.error());
  auto last_session = reader_->last_session();
  if (!last_session) return std::move(last_session.error());
  auto attended = reader_->attended();
  if (!attended) return std::move(attended.error());
  opened_.last_seq = std::max(*last_seq, numbers_.seq());
  opened_.last_session = std::max(*last_session, numbers_.session());
  // Whoever was there when it ended heard everything that is known of.
  opened_.attended = std::min(*attended, *attended == kAttending ? *last_seq : *attended);
  auto unread = reader_->unread_since(opened_.attended);
  if (!unread) return std::move(unread.error());
  opened_.unread = *unread;
  auto bans = reader_->bans();
  if (!bans) return std::move(bans.error());
  opened_.bans = std::move(*bans);
  last_seq_ = opened_.last_seq;
  last_session_ = opened_.last_session;
  numbers_.use_seq(last_seq_);
  numbers_.use_session(last_session_);
  keep_ = options_.keep;
  return {};
}

Store::~Store() {
  if (!worker_.joinable()) return;
  submit();
  {
    const Lock lock{mutex_};
    stop_ = true;
  }
  work_.notify_one();
  worker_.join();
  numbers_.close_gap(last_seq_, last_session_);
  numbers_.sync();
}

// ---- the loop's thread ----

void Store::submit_batch() {
  assert(is_loop_thread());
  bool wake = false;
  {
    const Lock lock{mutex_};
    if (waiting_bytes_ + filling_.bytes() > options_.max_waiting_bytes) {
      trouble("the disk is too slow for it");
      counts_.lost += filling_.events();
    } else {
      waiting_bytes_ += filling_.bytes();
      Batch& last = backlog_.empty() ? waiting_ : backlog_.back();
      if (waiting_.empty()) {
        std::swap(waiting_, filling_);
      } else if (last.bytes() < kBatchBytes) {
        last.append(filling_);
      } else {
        backlog_.push_back(std::move(filling_));
      }
    }
    wake = std::exchange(idle_, false);
  }
  filling_.clear();
  if (wake) work_.notify_one();
}

void Store::ask(Job job) {
  submit();
  {
    const Lock lock{mutex_};
    jobs_.push_back(std::move(job));
  }
  work_.notify_one();
}

void Store::set_keep(Duration keep) {
  {
    const Lock lock{mutex_};
    if (keep == keep_) return;
    keep_ = keep;
    keep_changed_ = true;
  }
  work_.notify_one();
}

void Store::set_bans(std::vector<Ban> bans) {
  {
    const Lock lock{mutex_};
    bans_ = std::move(bans);
  }
  work_.notify_one();
}

void Store::poll() {
  assert(is_loop_thread());
  std::vector<Done> done;
  {
    const Lock lock{mutex_};
    done.swap(done_);
  }
  for (const Done& each : done) each();
}

std::vector<std::string> Store::take_notices() {
  const Lock lock{mutex_};
  return std::exchange(notices_, {});
}

Counts Store::counts() const {
  const Lock lock{mutex_};
  return counts_;
}

/// Under the mutex. Said once, until it works again.
void Store::trouble(const std::string& why) {
  if (trouble_) return;
  trouble_ = counts_.lost;
  notices_.push_back("transcripts cannot be written: " + why +
                     "; the chat goes on, what is said may not be recorded");
}

void Store::no_trouble() {
  if (!trouble_) return;
  const auto lost = counts_.lost - *trouble_;
  trouble_.reset();
  notices_.push_back("transcripts are written again; " +
                     (lost == 0 ? std::string{"nothing is missing"}
                                : std::to_string(lost) + " events were not recorded"));
}

// ---- the worker's thread ----

bool Store::has_work() const {
  return stop_ || !jobs_.empty() || keep_changed_ ||
         (!retry_ && (!waiting_.empty() || bans_.has_value()));
}

void Store::wait_for_work(Lock& lock) {
  while (!has_work()) {
    std::optional<Steady::time_point> until;
    for (const auto& each : {forget_, retry_, index_at_, trim_at_}) {
      if (each && (!until || *each < *until)) until = each;
    }
    idle_ = !retry_;  // until then, more to write is no reason to wake
    if (until) {
      work_.wait_until(lock, *until);
    } else {
      work_.wait(lock);
    }
    idle_ = false;
    if (until && Steady::now() >= *until) return;
  }
  // More comes soon: a transaction costs as much as twenty rows.
  work_.wait_for(lock, options_.gather, [this] { return stop_ || !jobs_.empty(); });
}

void Store::work() {
  Lock lock{mutex_};
  forget_ = Steady::now();
  for (;;) {
    wait_for_work(lock);
    const bool stop = stop_;
    std::vector<Job> jobs;
    jobs.swap(jobs_);
    // A question comes after all that was recorded before it: batch_, waiting_, backlog_.
    auto batches = jobs.empty() ? 1 : 2 + backlog_.size();
    if (!retry_ || stop || Steady::now() >= *retry_) {
      do write_batch(lock);
      while (--batches > 0 && !retry_);
    }
    lock.unlock();
    numbers_.sync();
    std::vector<Done> done;
    for (const Job& job : jobs) done.push_back(job(*reader_));
    jobs.clear();
    lock.lock();
    std::move(done.begin(), done.end(), std::back_inserter(done_));
    if (!stop) {
      follow(lock);
      trim(lock);
      forget_old(lock);
    }
    const bool wake = !done_.empty() || !notices_.empty();
    if (stop && (retry_ || waiting_.empty())) {
      counts_.lost += batch_.events() + waiting_.events();
      for (const Batch& each : backlog_) counts_.lost += each.events();
      return;
    }
    if (wake && options_.wake) {
      lock.unlock();
      options_.wake();
      lock.lock();
    }
  }
}

/// Writes what waits, or again what could not be written.
void Store::write_batch(Lock& lock) {
  assert(lock.owns_lock());
  if (batch_.empty()) {
    std::swap(batch_, waiting_);
    assert(waiting_bytes_ >= batch_.bytes());
    waiting_bytes_ -= batch_.bytes();
    if (!backlog_.empty()) {
      waiting_ = std::move(backlog_.front());
      backlog_.pop_front();
    }
  }
  const auto bans = std::exchange(bans_, std::nullopt);
  if (batch_.empty() && !bans) {
    retry_.reset();
    return;
  }
  lock.unlock();
  auto written = recorder_->write(batch_, bans ? &*bans : nullptr);
  lock.lock();
  if (written) {
    counts_.recorded += batch_.events();
    unindexed_ += batch_.events();
    if (!index_at_) index_at_ = Steady::now() + options_.index_after;
    batch_.clear();
    retry_.reset();
    if (backlog_.empty()) no_trouble();
    return;
  }
  if (bans && !bans_) bans_ = bans;
  trouble(written.error().message);
  retry_ = Steady::now() + options_.retry;
}

/// The index follows the events. If it cannot, it does so later, or when a search needs it.
void Store::follow(Lock& lock) {
  if (unindexed_ < Index::kBehind && !(index_at_ && Steady::now() >= *index_at_)) return;
  lock.unlock();
  (void)index_->catch_up();
  lock.lock();
  unindexed_ = 0;
  index_at_.reset();
  if (!trim_at_) trim_at_ = Steady::now() + kTrimAfter;
}

/// A step of the index needs memory for a moment, and the C library would keep it, a little
/// more each time; and batches keep what the largest burst needed.
void Store::trim(Lock& lock) {
  if (!trim_at_ || Steady::now() < *trim_at_) return;
  batch_.release_memory();
  waiting_.release_memory();
  lock.unlock();
  give_back_heap();
  lock.lock();
  trim_at_.reset();
}

void Store::forget_old(Lock& lock) {
  const bool changed = std::exchange(keep_changed_, false);
  const Duration keep = keep_;
  const bool due = forget_ && Steady::now() >= *forget_;
  if (keep == Duration{0}) {
    forget_.reset();
    return;
  }
  // With nothing there, nothing is due; the first event has to be looked for again.
  if (!due && !changed && forget_) return;
  lock.unlock();
  const auto now_ms = options_.clock();
  auto more = retention_->forget(now_ms - keep.count());
  std::chrono::milliseconds next = kLookAgain;
  if (!more) {
    next = std::chrono::minutes{1};
  } else if (*more) {
    next = std::chrono::milliseconds{0};
  } else if (auto oldest = retention_->oldest_ms(); oldest && *oldest >= 0) {
    next = std::clamp<std::chrono::milliseconds>(std::chrono::milliseconds{*oldest - now_ms} + keep,
                                                 kForgetEvery, kLookAgain);
  } else {
    next = std::clamp<std::chrono::milliseconds>(keep, kForgetEvery, kLookAgain);
  }
  lock.lock();
  forget_ = Steady::now() + next;
}

}  // namespace chatd::store
