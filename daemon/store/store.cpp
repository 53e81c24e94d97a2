#include "store/store.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/signals_blocked.hpp"

namespace chatd::store {

namespace {

std::int64_t system_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

// ---- opening and closing ----

Store::Store(Options options, std::unique_ptr<Archive> archive)
    : options_{std::move(options)},
      archive_{std::move(archive)},
      backlog_{options_.max_waiting_bytes},
      keep_{options_.keep},
      upkeep_{*archive_, options_.clock, options_.index_after} {}

Result<std::unique_ptr<Store>> Store::open(Options options) {
  if (!options.clock) options.clock = system_clock_ms;
  const std::string attempt = "transcript " + options.path;
  auto archive = Archive::open(options.path, options.sessions_go_on);
  if (!archive) return std::move(archive.error()).while_doing(attempt);
  std::unique_ptr<Store> store{new Store{std::move(options), std::move(*archive)}};
  const SignalsBlocked blocked;
  try {
    store->worker_ = std::thread{[self = store.get()] { self->work(); }};
  } catch (const std::system_error& error) {
    return Error::from_errno(attempt + ": start its thread", error.code().value());
  }
  return store;
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
  archive_->numbers.close_gap();
  archive_->numbers.sync();
}

// ---- the loop's thread ----

void Store::submit_batch() {
  assert(is_loop_thread());
  bool wake = false;
  {
    const Lock lock{mutex_};
    if (!backlog_.push(filling_)) {
      report_.fails("the disk is too slow for it");
      report_.lost(filling_.events());
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
  return report_.take_notices();
}

Counts Store::counts() const {
  const Lock lock{mutex_};
  return report_.counts();
}

// ---- the worker's thread ----

bool Store::has_work() const {
  return stop_ || !jobs_.empty() || keep_changed_ ||
         (!retry_ && (!backlog_.empty() || bans_.has_value()));
}

void Store::wait_for_work(Lock& lock) {
  while (!has_work()) {
    auto until = upkeep_.next();
    if (retry_ && (!until || *retry_ < *until)) until = retry_;
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
  for (;;) {
    wait_for_work(lock);
    const bool stop = stop_;
    auto jobs = std::exchange(jobs_, {});
    // A question comes after all that was recorded before it.
    auto batches = jobs.empty() ? 1 : 1 + backlog_.batches();
    if (!retry_ || stop || Steady::now() >= *retry_) {
      do write_batch(lock);
      while (--batches > 0 && !retry_);
    }
    run_jobs(lock, std::move(jobs));
    if (!stop) keep_up(lock);
    const bool wake = !done_.empty() || report_.has_notices();
    if (stop && (retry_ || backlog_.empty())) {
      report_.lost(batch_.events() + backlog_.events());
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
  if (batch_.empty()) backlog_.pop(batch_);
  const auto bans = std::exchange(bans_, std::nullopt);
  if (batch_.empty() && !bans) {
    retry_.reset();
    return;
  }
  lock.unlock();
  auto written = archive_->recorder.write(batch_, bans ? &*bans : nullptr);
  lock.lock();
  if (written) {
    report_.recorded(batch_.events());
    upkeep_.recorded(batch_.events());
    batch_.clear();
    retry_.reset();
    if (backlog_.batches() <= 1) report_.works();
    return;
  }
  if (bans && !bans_) bans_ = bans;
  report_.fails(written.error().message);
  retry_ = Steady::now() + options_.retry;
}

void Store::run_jobs(Lock& lock, std::vector<Job> jobs) {
  lock.unlock();
  archive_->numbers.sync();
  std::vector<Done> done;
  for (const Job& job : jobs) done.push_back(job(archive_->reader));
  jobs.clear();
  lock.lock();
  std::move(done.begin(), done.end(), std::back_inserter(done_));
}

void Store::keep_up(Lock& lock) {
  const bool keep_changed = std::exchange(keep_changed_, false);
  if (!keep_changed && !upkeep_.is_due()) return;
  if (upkeep_.gives_memory_back()) {
    batch_.release_memory();
    backlog_.release_memory();
  }
  const Duration keep = keep_;
  lock.unlock();
  upkeep_.run(keep, keep_changed);
  lock.lock();
}

}  // namespace chatd::store
