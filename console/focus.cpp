#include "console/focus.hpp"

#include <utility>

namespace chatd::console {

void LineGuard::shown(Target focus) {
  shown_ = focus;
  notice_unseen_ = false;
}

void LineGuard::restored(Target target, bool next) {
  if (next) {
    next_ = target;
    return;
  }
  begun_ = true;
  begun_target_ = target;
  left_ = false;
  notice_unseen_ = true;
}

void LineGuard::edited(bool empty) {
  if (empty && next_) {
    restored(*std::exchange(next_, std::nullopt), false);
  } else if (empty) {
    begun_ = false;
    left_ = false;
    notice_unseen_ = false;
  } else if (!begun_) {
    begun_ = true;
    begun_target_ = shown_;
  }
}

LineGuard::Verdict LineGuard::entered(Target now) {
  edited(false);
  if (notice_unseen_) return Verdict::kUnseen;
  if (begun_target_ == now && now) return Verdict::kSend;
  if (begun_target_ == now && !left_) return Verdict::kNoFocus;
  left_ = !now;
  begun_target_ = now;
  notice_unseen_ = true;
  return now ? Verdict::kMoved : Verdict::kLeft;
}

}  // namespace chatd::console
