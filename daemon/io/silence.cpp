#include "io/silence.hpp"

#include <cassert>
#include <utility>

namespace chatd::io {
namespace {

/// Each look is a system call: so many are made in one turn.
constexpr std::size_t kLooksAtOnce = 512;

}  // namespace

SilenceWatch::SilenceWatch(Loop& loop, Peers& peers, Duration interval)
    : loop_{loop}, peers_{peers}, interval_{interval}, timer_{loop, [this] { look(); }} {}

void SilenceWatch::begin() {
  looking_ = true;
  looked_at_ = loop_.now();
  timer_.start(interval_);
}

/// One step of a round.
void SilenceWatch::look() {
  assert(looking_);
  if (next_ == 0) {
    since_ = loop_.now() - std::exchange(looked_at_, loop_.now()) + kMargin;
    anybody_owes_ = false;
  }
  for (std::size_t asked = 0; next_ < peers_.end_of_ids() && asked < kLooksAtOnce; ++next_) {
    Debt* const debt = peers_.debt_of(next_);
    if (debt == nullptr || !debt->owes) continue;
    ++asked;
    judge(next_, *debt);
  }
  if (next_ < peers_.end_of_ids()) {
    timer_.start(Duration{1});
    return;
  }
  next_ = 0;
  looking_ = anybody_owes_;
  if (looking_) timer_.start(interval_);
}

void SilenceWatch::judge(std::uint32_t id, Debt& debt) {
  const auto answer = peers_.ask(id);
  if (!answer || !answer->anything) {
    debt = {};
    return;
  }
  anybody_owes_ = true;
  if (answer->silence < since_) {
    debt.silences = 0;
    return;
  }
  const auto most = answer->has_room ? kMostSilences : kMostSilencesWithoutRoom;
  assert(debt.silences <= kMostSilencesWithoutRoom);
  ++debt.silences;
  if (debt.silences >= most) peers_.on_vanished(id);
}

}  // namespace chatd::io
