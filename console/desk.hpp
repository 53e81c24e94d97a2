/// What an operator has in front of them: the screen, and what is known of the clients:
/// who they are, which is in focus, what is unread. All output goes through this. Knows
/// no connection and no command.
/// Invariant: the prompt shows what is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "console/console.hpp"
#include "console/event.hpp"
#include "console/focus.hpp"
#include "console/line.hpp"
#include "console/roster.hpp"
#include "console/screen.hpp"
#include "console/shortcuts.hpp"
#include "console/unread.hpp"
#include "console/view.hpp"

namespace chatd::console {

class Desk {
 public:
  explicit Desk(const ConsoleOptions& options);
  /// To be called once, before anything is shown. The screen must outlive every call.
  void use(Screen& screen);

  [[nodiscard]] const View& view() const { return view_; }
  [[nodiscard]] const Roster& roster() const { return roster_; }
  [[nodiscard]] Target focus() const { return focus_.current(); }
  [[nodiscard]] const std::string& own_name() const { return own_name_; }
  [[nodiscard]] const std::string& away() const { return away_; }
  [[nodiscard]] std::size_t width() const { return screen_->width(); }
  [[nodiscard]] bool interactive() const { return interactive_; }

  // What happens.

  void set_own_name(std::string name) { own_name_ = std::move(name); }
  /// Shows the event, and knows of it from then on.
  void show_event(const Event& event);
  /// These are all sessions there are now. If they may be `another` daemon's, whose ids are
  /// other people's, the focus stays only on a client that is surely the same.
  void replace(const std::vector<SessionInfo>& sessions, bool another);
  /// The daemon is another one, or may be: what is unread has to be learned from it.
  void forget_unread() { unread_holds_ = false; }
  void set_focus(Target target);
  /// Moves the focus by Alt-1 to Alt-9, or by Alt-a, which is 0.
  void jump(int key);
  /// `text` is what is said for this operator; empty: it is not away.
  void set_away(std::string text);

  // What is shown.

  /// A message of the console itself, escaped already.
  void say(std::string_view text) { screen_->print(view_.note(text)); }
  void say_about(SessionId session, std::string_view text) {
    screen_->print(view_.about(session, roster_, text));
  }
  void print(const std::vector<std::string>& lines);
  void print(const std::vector<Line>& lines);
  /// As many lines as `text` has; what is in it of others is escaped here.
  void problem(std::string_view text);
  void problem_about(SessionId session, std::string_view text);
  /// The table of /list; its count of unread messages is this operator's own.
  void show_list(std::vector<SessionInfo> sessions);

 private:
  void show_prompt();

  bool interactive_;
  View view_;
  Roster roster_;
  bool roster_known_;  // until then it is unknown whether a client is the only one
  Focus focus_;
  Unread unread_;
  bool unread_holds_ = false;  // every event since it was counted has been heard
  Shortcuts shortcuts_;
  std::string own_name_;
  std::string away_;
  std::string day_;  // the day of what was shown last
  Screen* screen_ = nullptr;
};

}  // namespace chatd::console
