#include "console/focus.hpp"

namespace chatd::console {

void LineGuard::shown(Target focus) {
  shown_ = focus;
  notice_unseen_ = false;
}

void LineGuard::edited(bool empty) {
  if (empty) {
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
