/// Which client plain lines go to, and the guard that keeps a line from the wrong
/// one. Pure: knows neither the daemon nor the screen.
/// Invariant: an answer never reaches the wrong person. The focus moves only as
/// Focus says, and the guard lets a line go only to the client that the operator
/// saw in the prompt when the line was begun, or confirmed by a second Enter.
#pragma once

#include <optional>

#include "console/event.hpp"

namespace chatd::console {

/// A session, or none.
using Target = std::optional<SessionId>;

class Focus {
 public:
  [[nodiscard]] Target current() const { return current_; }
  /// By the operator's own wish.
  void set(Target target) { current_ = target; }
  /// `alone`: no other client was connected.
  void connected(SessionId session, bool alone) {
    if (alone) current_ = session;
  }
  void disconnected(SessionId session) {
    if (current_ == session) current_.reset();
  }

 private:
  Target current_;
};

/// Guards one line being typed in a terminal. The operator acts on what the screen shows,
/// so the focus that it showed when the first character was typed counts, not the one
/// that the console already knew of.
class LineGuard {
 public:
  enum class Verdict {
    kSend,     ///< the line belongs to the focus of now
    kNoFocus,  ///< it was begun without a focus, and there is none: refuse it
    kLeft,     ///< the client it was begun for has left, none is in focus: keep it and say so
    kMoved,    ///< another client is in focus now: keep it and say so
    kUnseen,   ///< Enter again, before what changed could be read: keep it
  };

  /// Everything printed so far, and the prompt with this focus, are on the screen.
  void shown(Target focus);
  /// After every key: whether the line is empty now.
  void edited(bool empty);
  /// A draft of `target` is in the line's place now; with `next` it is what the next line begins
  /// with, after the present one has been told as empty. It belongs to `target`, and is not sent
  /// before it could be read.
  void restored(Target target, bool next);
  /// The client that the line was begun for is, or may be, another one under the same id: the line
  /// counts as begun for nobody.
  void forget_target() {
    begun_target_ = shown_ = std::nullopt;
    left_ = begun_;
  }
  /// Enter was pressed on a line that is meant for the focus `now`. After kLeft and
  /// kMoved the line counts as begun under `now`.
  [[nodiscard]] Verdict entered(Target now);
  /// What the line being typed was begun under.
  [[nodiscard]] Target begun_under() const { return begun_ ? begun_target_ : shown_; }

 private:
  Target shown_;
  bool begun_ = false;
  Target begun_target_;
  bool left_ = false;  // the line has outlived its client, and there is no other yet
  bool notice_unseen_ = false;
  std::optional<Target> next_;  // whose draft the next line begins with
};

}  // namespace chatd::console
