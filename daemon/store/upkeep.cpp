#include "store/upkeep.hpp"

#include <algorithm>
#include <utility>

#include "base/memory.hpp"

namespace chatd::store {

namespace {

/// Where the oldest event is due far ahead, it is looked at again after this long, and the clock
/// is: it may be set.
constexpr std::chrono::minutes kLookAgain{10};
/// It is not worth waking up for fewer.
constexpr std::chrono::seconds kForgetEvery{1};
/// Between two steps: what has to be forgotten has waited for days.
constexpr std::chrono::milliseconds kForgetPause{2};
/// When forgetting has failed, it is tried again after this long.
constexpr std::chrono::minutes kForgetRetry{1};
/// The clock is written down when it has gone on for so long.
constexpr std::int64_t kKeepClock = 30L * 60 * 1000;

/// Memory is given back once for all steps of the index within this time.
constexpr std::chrono::seconds kTrimAfter{1};

/// The size of the file is looked at after this long, if something was recorded.
constexpr std::chrono::milliseconds kLookAtRoom{200};

}  // namespace

Upkeep::Upkeep(Archive& archive, Clocks clocks, std::chrono::milliseconds index_after)
    : archive_{archive},
      clocks_{std::move(clocks)},
      trusted_{archive.opened.clock},
      kept_{archive.opened.clock},
      index_after_{index_after},
      index_at_{Steady::now() + index_after} {}

void Upkeep::recorded(std::size_t events) {
  unindexed_ += events;
  const auto now = Steady::now();
  if (!index_at_) index_at_ = now + index_after_;
  if (!room_at_) room_at_ = now + kLookAtRoom;
}

void Upkeep::set_bounds(const Bounds& bounds) {
  bounds_ = bounds;
  scarce_at_.reset();
  told_ = false;
  forget_at_ = room_at_ = Steady::now();
}

std::optional<Upkeep::Steady::time_point> Upkeep::next() const {
  Due next;
  for (const auto& each : {forget_at_, index_at_, trim_at_, room_at_}) {
    if (each && (!next || *each < *next)) next = each;
  }
  return next;
}

bool Upkeep::index_is_due() const {
  return unindexed_ >= Index::kBehind || has_come(index_at_);
}

bool Upkeep::is_due() const {
  return index_is_due() || has_come(trim_at_) || has_come(forget_at_) || has_come(room_at_);
}

void Upkeep::step() {
  if (room_is_due()) return make_room();
  if (index_is_due()) return follow();
  if (has_come(trim_at_)) return trim();
  if (has_come(forget_at_)) forget_old();
}

/// The index follows the events. If it cannot, it does so later: a search reads what it lacks.
void Upkeep::follow() {
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
  give_back_heap();
  trim_at_.reset();
}

// ---- what is old ----

void Upkeep::forget_old() {
  const auto now_ms = trusted_.now(clocks_.wall(), clocks_.elapsed());
  keep_clock(false);
  std::chrono::milliseconds next = kLookAgain;
  if (bounds_.keep > Duration{0}) {
    auto more = archive_.retention.forget(now_ms - bounds_.keep.count());
    if (!more) {
      next = kForgetRetry;
    } else if (*more) {
      next = kForgetPause;
      // What was taken out of the index has left pieces there.
      if (!index_at_) index_at_ = Steady::now() + index_after_;
    } else if (auto oldest = archive_.retention.oldest_ms(); oldest && *oldest >= 0) {
      next = std::chrono::milliseconds{*oldest - now_ms} + bounds_.keep;
    } else {
      next = bounds_.keep;
    }
    if (!more || !*more)
      next = std::clamp<std::chrono::milliseconds>(next, kForgetEvery, kLookAgain);
  }
  forget_at_ = Steady::now() + next;
}

void Upkeep::keep_clock(bool always) {
  const auto& state = trusted_.state();
  if (!always && (state.doubted >= 0) == (kept_.doubted >= 0) &&
      state.believed - kept_.believed < kKeepClock && kept_.believed >= 0) {
    return;
  }
  // Where it cannot be written, the next process may doubt the clock for a day.
  if (archive_.recorder.keep_clock(state)) kept_ = state;
}

void Upkeep::close() {
  (void)trusted_.now(clocks_.wall(), clocks_.elapsed());
  keep_clock(true);
}

// ---- where there is no room ----

void Upkeep::make_room() {
  room_at_.reset();
  auto used = archive_.retention.used_bytes();
  if (!used) return;
  const auto why = why_it_lacks(*used);
  if (why.empty()) return;
  if (!std::exchange(told_, true)) {
    notice_ = "the oldest of the transcripts go for what comes: " + why;
  }
  // Where nothing can go it is tried again when more is recorded.
  if (auto gone = archive_.retention.forget_first(); gone && *gone) room_at_ = Steady::now();
}

/// Empty if there is room.
std::string Upkeep::why_it_lacks(std::uint64_t used) {
  if (bounds_.max_bytes > 0 && used > bounds_.max_bytes) {
    return "the file has the size that it may have (transcript.max_size)";
  }
  if (bounds_.keep_free == 0) return {};
  const Space space = clocks_.space();
  if (static_cast<double>(space.free) * 100 >= static_cast<double>(space.all) * bounds_.keep_free) {
    scarce_at_.reset();
    return {};
  }
  if (!scarce_at_) scarce_at_ = used;
  if (used <= *scarce_at_) return {};
  return "the file system has less room than is to stay free (transcript.keep_free)";
}

}  // namespace chatd::store
