#include "store/store.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <ctime>
#include <system_error>
#include <utility>

#include "base/signals_blocked.hpp"

namespace chatd::store {

namespace {

/// Where there is no room, so many steps are made for each batch, at most: they take as long as
/// the batch.
constexpr int kRoomSteps = 4;

/// Where a batch has more events than this, the next ones are gathered for longer.
constexpr std::size_t kBusyEvents = 50;
constexpr int kGatherWhileBusy = 4;

std::int64_t system_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t elapsed_ms() {
  timespec now{};
  (void)::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

/// A file system that does not tell has no bound.
Space space_of(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return {};
  return {std::uint64_t{status.f_bavail} * status.f_frsize,
          std::uint64_t{status.f_blocks} * status.f_frsize};
}

Upkeep::Clocks with_those_of_the_system(Upkeep::Clocks clocks, const std::string& path) {
  if (!clocks.wall) clocks.wall = system_clock_ms;
  if (!clocks.elapsed) clocks.elapsed = elapsed_ms;
  if (!clocks.space) clocks.space = [path] { return space_of(path); };
  return clocks;
}

}  // namespace

// ---- opening and closing ----

Store::Store(Options options, std::unique_ptr<Archive> archive)
    : options_{std::move(options)},
      archive_{std::move(archive)},
      backlog_{options_.max_waiting_bytes},
      bounds_{options_.bounds},
      upkeep_{*archive_, with_those_of_the_system(options_.clocks, options_.path),
              options_.index_after},
      answering_{*archive_, {options_.patience, options_.wake}} {
  answering_.has(progress_);
}

Result<std::unique_ptr<Store>> Store::open(Options options) {
  const std::string attempt = "transcript " + options.path;
  auto archive = Archive::open(options.path, options.sessions_go_on);
  if (!archive) return std::move(archive.error()).while_doing(attempt);
  std::unique_ptr<Store> store{new Store{std::move(options), std::move(*archive)}};
  if (auto started = store->start(); !started) {
    return std::move(started.error()).while_doing(attempt);
  }
  return store;
}

Result<> Store::start() {
  if (auto started = answering_.start(); !started) return started;
  const SignalsBlocked blocked;
  try {
    worker_ = std::thread{[this] { work(); }};
  } catch (const std::system_error& error) {
    return Error::from_errno("start its thread", error.code().value());
  }
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
  upkeep_.close();
  archive_->numbers.close_gap();
  archive_->numbers.sync();
}

// ---- the loop's thread ----

void Store::submit_batch() {
  assert(is_loop_thread());
  bool wake = false;
  std::vector<Dropped> dropped;
  {
    const Lock lock{mutex_};
    dropped = backlog_.push(filling_, ++submitted_);
    if (!dropped.empty()) report_.fails("the disk is too slow for it");
    for (const Dropped& each : dropped) report_.lost(each.events);
    wake = std::exchange(idle_, false);
  }
  filling_.clear();
  if (wake) work_.notify_one();
  if (!options_.dropped) return;
  for (const Dropped& each : dropped) options_.dropped(each);
}

void Store::ask(Ask ask) {
  submit();
  std::uint64_t ticket = 0;
  bool wake = false;
  {
    const Lock lock{mutex_};
    ticket = wanted_ = submitted_;
    wake = progress_.recorded < ticket;
  }
  if (wake) work_.notify_one();
  answering_.ask(std::move(ask), ticket);
}

void Store::set_bounds(const Bounds& bounds) {
  {
    const Lock lock{mutex_};
    if (bounds == bounds_) return;
    bounds_ = bounds;
    bounds_changed_ = true;
  }
  work_.notify_one();
}

void Store::change_bans(BanChanges changes) {
  {
    const Lock lock{mutex_};
    changes.come_after(std::move(bans_));
    bans_ = std::move(changes);
  }
  work_.notify_one();
}

void Store::set_bans(const std::vector<Ban>& bans) {
  BanChanges changes;
  changes.forget_all = true;
  for (const Ban& ban : bans) changes.bans[ban.address] = ban;
  change_bans(std::move(changes));
}

void Store::add_ban(Ban ban) {
  BanChanges changes;
  changes.bans[ban.address] = std::move(ban);
  change_bans(std::move(changes));
}

void Store::remove_ban(const std::string& address) {
  BanChanges changes;
  changes.bans[address] = std::nullopt;
  change_bans(std::move(changes));
}

void Store::poll() {
  assert(is_loop_thread());
  for (const Done& each : answering_.take_done()) each();
}

std::vector<std::string> Store::take_notices() {
  const Lock lock{mutex_};
  return report_.take_notices();
}

Counts Store::counts() const {
  const Lock lock{mutex_};
  return report_.counts();
}

Waiting Store::waiting() const {
  const Lock lock{mutex_};
  return backlog_.waiting();
}

bool Store::is_settled() const {
  {
    const Lock lock{mutex_};
    if (progress_.recorded < submitted_ && !progress_.fails) return false;
  }
  return answering_.is_idle();
}

// ---- the worker's thread ----

bool Store::has_work() const {
  return stop_ || bounds_changed_ || (!retry_ && (!backlog_.empty() || !bans_.empty()));
}

void Store::wait_for_work(Lock& lock) {
  while (!has_work()) {
    const auto until = retry_ ? retry_ : upkeep_.next();
    idle_ = !retry_;  // until then, more to write is no reason to wake
    if (until) {
      work_.wait_until(lock, *until);
    } else {
      work_.wait(lock);
    }
    idle_ = false;
    if (until && Steady::now() >= *until) return;
  }
  if (backlog_.empty() || backlog_.batches() > 1) return;
  // More comes soon: a transaction costs as much as twenty rows.
  const auto gather = options_.gather * (is_busy_ ? kGatherWhileBusy : 1);
  work_.wait_for(lock, gather, [this] { return stop_ || hurries(); });
}

void Store::work() {
  Lock lock{mutex_};
  for (;;) {
    wait_for_work(lock);
    const bool stop = stop_;
    if (!retry_ || stop || Steady::now() >= *retry_) write_batch(lock);
    tell(lock);
    if (!stop) keep_up(lock);
    if (stop && (retry_ || backlog_.empty())) {
      report_.lost(batch_.events() + backlog_.waiting().events);
      return;
    }
  }
}

/// Writes what waits, or again what could not be written.
void Store::write_batch(Lock& lock) {
  assert(lock.owns_lock());
  if (batch_.empty()) {
    if (const auto ticket = backlog_.pop(batch_); ticket > 0) ticket_ = ticket;
  }
  auto bans = std::exchange(bans_, {});
  // All that was in a batch may have been dropped since.
  if (!batch_.empty() || !bans.empty()) {
    lock.unlock();
    auto written = archive_->recorder.write(batch_, bans);
    archive_->numbers.sync();
    lock.lock();
    if (!written) {
      bans_.come_after(std::move(bans));
      report_.fails(written.error().message);
      retry_ = Steady::now() + options_.retry;
      progress_.fails = true;
      return;
    }
    is_busy_ = batch_.events() > kBusyEvents;
    report_.recorded(batch_.events());
    upkeep_.recorded(batch_.events());
    batch_.clear();
  }
  retry_.reset();
  progress_.recorded = ticket_;
  progress_.fails = false;
  if (backlog_.batches() <= 1) report_.works();
}

/// Does a part of what is due, if nothing is to be recorded, or if there is no room for that.
void Store::keep_up(Lock& lock) {
  if (std::exchange(bounds_changed_, false)) upkeep_.set_bounds(bounds_);
  const bool idle = backlog_.empty() && !retry_;
  if (idle ? !upkeep_.is_due() : !upkeep_.room_is_due()) return;
  if (idle && upkeep_.gives_memory_back()) {
    batch_.release_memory();
    backlog_.release_memory();
  }
  lock.unlock();
  if (idle) {
    upkeep_.step();
  } else {
    for (int step = 0; step < kRoomSteps && upkeep_.room_is_due(); ++step) upkeep_.make_room();
  }
  lock.lock();
  if (auto notice = upkeep_.take_notice(); !notice.empty()) {
    report_.tell(std::move(notice));
    tell(lock);
  }
}

/// Says what is new to those who wait for it.
void Store::tell(Lock& lock) {
  const Progress progress = progress_;
  const bool wake = report_.has_notices() && options_.wake;
  lock.unlock();
  answering_.has(progress);
  if (wake) options_.wake();
  lock.lock();
}

}  // namespace chatd::store
