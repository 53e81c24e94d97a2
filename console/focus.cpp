#include "console/focus.hpp"

#include <utility>

namespace chatd::console {

void LineGuard::shown(Target focus) {
  shown_ = focus;
  notice_unseen_ = false;
}

void LineGuard::restored(Target target, Named named, bool next) {
  if (next) {
    next_ = Next{target, std::move(named)};
    return;
  }
  forget();
  begun_ = true;
  begun_target_ = target;
  named_ = std::move(named);
  notice_unseen_ = true;
}

void LineGuard::forget() {
  begun_ = left_ = told_left_ = notice_unseen_ = false;
  named_ = {};
}

void LineGuard::edited(bool empty) {
  if (empty && next_) {
    Next next = std::move(*next_);
    next_.reset();
    restored(next.target, std::move(next.named), false);
  } else if (empty) {
    forget();
  } else if (!begun_) {
    begun_ = true;
    begun_target_ = shown_;
  }
}

void LineGuard::names(std::string_view address,
                      const std::function<std::vector<SessionId>()>& meant) {
  if (address == named_.address) return;
  named_.address = address;
  named_.sessions = address.empty() ? std::vector<SessionId>{} : meant();
}

LineGuard::Verdict LineGuard::entered_by_name(const std::vector<SessionId>& now) {
  edited(false);
  if (notice_unseen_) return Verdict::kUnseen;
  const bool doubtful = std::exchange(named_.doubtful, false);
  const bool same = std::exchange(named_.sessions, now) == now;
  if (same && !doubtful) return Verdict::kSend;
  notice_unseen_ = true;
  return doubtful ? Verdict::kDoubted : Verdict::kRenamed;
}

LineGuard::Verdict LineGuard::entered(Target now) {
  edited(false);
  if (notice_unseen_) return Verdict::kUnseen;
  if (begun_target_ == now && now) return Verdict::kSend;
  if (begun_target_ == now && !left_) return Verdict::kNoFocus;
  left_ = told_left_ = !now;
  begun_target_ = now;
  notice_unseen_ = true;
  return now ? Verdict::kMoved : Verdict::kLeft;
}

}  // namespace chatd::console
