/// Which client plain lines go to, and the guard that keeps a line from the wrong
/// one. Pure: knows neither the daemon nor the screen.
/// Invariant: an answer never reaches the wrong person. The focus moves only as
/// Focus says, and the guard lets a line go only to the client that the operator
/// saw in the prompt when the line was begun, or confirmed by a second Enter.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Whom a line goes to by its own words, such as "@anna" or "/kick 3".
struct Named {
  std::string address;  ///< the beginning of the line that says so; empty: it names nobody
  std::vector<SessionId> sessions;  ///< whom that meant when it was typed
  /// The daemon has been another one since: ids and names may be other people's.
  bool doubtful = false;
};

/// Guards one line being typed in a terminal: what it means is fixed when it is begun, or when the
/// word stands there that names whom it goes to. The operator acts on what the screen shows,
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
    kRenamed,  ///< whom the line names is not whom it named when it was typed: keep it and say so
    kDoubted,  ///< whom the line names may be somebody else by now: keep it and say so
  };

  /// Everything printed so far, and the prompt with this focus, are on the screen.
  void shown(Target focus);
  /// After every key: whether the line is empty now.
  void edited(bool empty);
  /// Behind edited(), of a line that is not empty: the beginning of it that names whom it goes to,
  /// and who that is, which is asked only for a beginning that is new.
  void names(std::string_view address, const std::function<std::vector<SessionId>()>& meant);
  /// A draft of `target` is in the line's place now; with `next` it is what the next line begins
  /// with, after the present one has been told as empty. It belongs to `target`, names whom it
  /// named, and is not sent before it could be read.
  void restored(Target target, Named named, bool next);
  /// The client that the line was begun for is, or may be, another one under the same id: the line
  /// counts as begun for nobody.
  void forget_target() {
    begun_target_ = shown_ = std::nullopt;
    left_ = begun_;
  }
  /// Whomever the line names may be somebody else by now.
  void doubt() { named_.doubtful = begun_; }
  /// Something about the line has changed that could not be read yet: it does nothing at all.
  [[nodiscard]] bool is_unseen() const { return notice_unseen_; }
  /// Enter was pressed on a line that goes to whom it names, or to all: `now` is who that is. After
  /// kRenamed and kDoubted that is whom it names.
  [[nodiscard]] Verdict entered_by_name(const std::vector<SessionId>& now);
  /// Enter was pressed on a line that is meant for the focus `now`. After kLeft and
  /// kMoved the line counts as begun under `now`.
  [[nodiscard]] Verdict entered(Target now);
  /// What the line being typed was begun under.
  [[nodiscard]] Target begun_under() const { return begun_ ? begun_target_ : shown_; }
  /// Whom the line being typed names.
  [[nodiscard]] const Named& named() const { return named_; }
  /// The operator has been told that the line's client has left, and to choose another.
  [[nodiscard]] bool is_to_choose() const { return begun_ && told_left_; }
  /// This one was chosen: the line counts as begun for it, and is not sent before that could be
  /// read.
  void choose(Target target) {
    begun_target_ = target;
    left_ = told_left_ = false;
    notice_unseen_ = true;
  }

 private:
  struct Next {
    Target target;
    Named named;
  };
  void forget();

  Target shown_;
  bool begun_ = false;
  Target begun_target_;
  bool left_ = false;  // the line has outlived its client, and there is no other yet
  bool told_left_ = false;
  bool notice_unseen_ = false;
  Named named_;
  std::optional<Next> next_;  // the draft that the next line begins with
};

}  // namespace chatd::console
