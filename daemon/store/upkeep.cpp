#include "store/upkeep.hpp"

#include <algorithm>
#include <utility>

#include "base/memory.hpp"

namespace chatd::store {

namespace {

/// Where the oldest event is due far ahead, it is looked at again after this long:
/// the wall clock may be set.
constexpr std::chrono::hours kLookAgain{1};
/// It is not worth waking up for fewer.
constexpr std::chrono::seconds kForgetEvery{1};
/// When forgetting has failed, it is tried again after this long.
constexpr std::chrono::minutes kForgetRetry{1};

/// Memory is given back once for all steps of the index within this time.
constexpr std::chrono::seconds kTrimAfter{1};

}  // namespace

Upkeep::Upkeep(Archive& archive, std::function<std::int64_t()> clock,
               std::chrono::milliseconds index_after)
    : archive_{archive},
      clock_{std::move(clock)},
      index_after_{index_after},
      index_at_{Steady::now() + index_after} {}

void Upkeep::recorded(std::size_t events) {
  unindexed_ += events;
  if (!index_at_) index_at_ = Steady::now() + index_after_;
}

std::optional<Upkeep::Steady::time_point> Upkeep::next() const {
  Due next;
  for (const auto& each : {forget_at_, index_at_, trim_at_}) {
    if (each && (!next || *each < *next)) next = each;
  }
  return next;
}

bool Upkeep::index_is_due() const {
  return unindexed_ >= Index::kBehind || has_come(index_at_);
}

bool Upkeep::is_due() const {
  return index_is_due() || has_come(trim_at_) || has_come(forget_at_);
}

void Upkeep::run(Duration keep, bool keep_changed) {
  follow();
  trim();
  forget_old(keep, keep_changed);
}

/// The index follows the events. If it cannot, it does so later: a search reads what it lacks.
void Upkeep::follow() {
  if (!index_is_due()) return;
  const auto begin = Steady::now();
  auto more = archive_.index.step();
  unindexed_ = 0;
  index_at_.reset();
  // Where much is missing, half of the time is left to others who need the processor.
  if (more && *more) index_at_ = Steady::now() + (Steady::now() - begin);
  if (!trim_at_) trim_at_ = Steady::now() + kTrimAfter;
}

/// A step of the index needs memory for a moment, and the C library would keep it, a little
/// more each time.
void Upkeep::trim() {
  if (!has_come(trim_at_)) return;
  give_back_heap();
  trim_at_.reset();
}

void Upkeep::forget_old(Duration keep, bool keep_changed) {
  if (keep == Duration{0}) {
    forget_at_.reset();
    return;
  }
  if (!keep_changed && !has_come(forget_at_)) return;
  const auto now_ms = clock_();
  auto more = archive_.retention.forget(now_ms - keep.count());
  if (more && *more && !index_at_) index_at_ = Steady::now() + index_after_;
  std::chrono::milliseconds next = kLookAgain;
  if (!more) {
    next = kForgetRetry;
  } else if (*more) {
    next = std::chrono::milliseconds{0};
  } else if (auto oldest = archive_.retention.oldest_ms(); oldest && *oldest >= 0) {
    next = std::clamp<std::chrono::milliseconds>(std::chrono::milliseconds{*oldest - now_ms} + keep,
                                                 kForgetEvery, kLookAgain);
  } else {
    next = std::clamp<std::chrono::milliseconds>(keep, kForgetEvery, kLookAgain);
  }
  forget_at_ = Steady::now() + next;
}

}  // namespace chatd::store
