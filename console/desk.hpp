/// What an operator has in front of them: the screen, the line being typed, and what is known of
/// the clients: who they are, which is in focus, what was said, what is unread. All output goes
/// through this. Knows no connection and no command.
/// Invariant: the prompt shows what is known. A message is unread until it was shown as part of its
/// conversation, or came while its client was in focus.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "console/attention.hpp"
#include "console/canned.hpp"
#include "console/console.hpp"
#include "console/conversations.hpp"
#include "console/drafts.hpp"
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
  /// Asks for the last `limit` messages of a session, and for what is noted about it if there may
  /// be such. recall() has to be called with the answer, or without one when it does not come.
  using AskPast = std::function<void(SessionId session, std::size_t limit, bool notes)>;

  explicit Desk(const ConsoleOptions& options);
  /// To be called once, before anything is shown. The screen must outlive every call.
  void use(Screen& screen, AskPast ask_past);

  [[nodiscard]] const View& view() const { return view_; }
  [[nodiscard]] const Roster& roster() const { return roster_; }
  [[nodiscard]] Target focus() const { return focus_.current(); }
  [[nodiscard]] LineGuard& guard() { return guard_; }
  [[nodiscard]] const std::string& own_name() const { return own_name_; }
  [[nodiscard]] const std::string& away() const { return away_; }
  [[nodiscard]] std::size_t width() const { return screen_->width(); }
  [[nodiscard]] bool interactive() const { return interactive_; }

  // What happens.

  void set_own_name(std::string name) { own_name_ = std::move(name); }
  /// Shows the event, and knows of it from then on.
  void show_event(const Event& event);
  /// These are all sessions there are now. If they may be `another` daemon's, whose ids are
  /// other people's, the focus and whatever belongs to one client stay only with those who are
  /// surely the same.
  void replace(const std::vector<SessionInfo>& sessions, bool another);
  /// The daemon is another one, or may be: nothing that was said and is unread is its.
  void forget_unread();
  /// Whether turn_to() has something to turn to: a client, what is left of one, or none.
  [[nodiscard]] bool knows(Target target) const;
  /// By a command, which is the line being typed: turns to a client, or to none.
  void turn_to(Target target);
  /// The lines that were put away can be recalled by whoever comes next: this console ends.
  void keep_drafts();
  /// The screen has another width.
  void resized() { show_prompt(); }
  /// Which operators are there, of whom no event has told.
  void set_operators(const std::vector<OperatorInfo>& operators);
  /// Turns to a client by Alt-1 to Alt-9, or by Alt-a, which is 0. A line that has been begun is
  /// put away.
  void jump(int key);
  /// What was asked for by AskPast; empty: it could not be had.
  void recall(SessionId session, const std::vector<PastMessage>& past,
              const std::vector<NoteInfo>& notes = {});
  /// Nothing of others is shown, or again all.
  void toggle_only();
  /// Nothing of that client is shown or counted, or again all.
  void toggle_mute(SessionId session);
  void show_muted();
  /// What the configuration says of the operators' consoles.
  void configure(const DeskInfo& info);
  [[nodiscard]] const Canned& replies() const { return canned_; }
  void show_replies();
  /// What a prepared text says to that client.
  [[nodiscard]] std::string filled_for(SessionId session, std::string_view text) const;
  /// To be called every two seconds: who has not been heard of for a while does not write any
  /// more. Returns whether anybody does.
  bool forget_writers();
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
  /// Earlier messages, with the days between them.
  void print_past(const std::vector<PastMessage>& messages, Target standing_out = {});
  /// As many lines as `text` has; what is in it of others is escaped here.
  void problem(std::string_view text);
  void problem_about(SessionId session, std::string_view text);
  /// What operators have noted about a session.
  void show_notes(SessionId session, const std::vector<NoteInfo>& notes);
  /// The table of /list; its count of unread messages is this operator's own.
  void show_list(std::vector<SessionInfo> sessions);

 private:
  void turn(Target target, bool in_line);
  void put_line_away(Target target);
  void bring_draft(Target target, bool in_line);
  void arrive(SessionId session);
  void leave_arrival();
  void show_conversation(SessionId session, const std::vector<PastMessage>& past,
                         const std::vector<NoteInfo>& notes = {});
  [[nodiscard]] std::size_t context() const;
  void disconnected(const Event& event);
  void has_left(SessionId session, std::string_view name);
  void print_draft(std::string_view draft);
  void rank_claims();
  void doubt_lines(const std::function<bool(SessionId)>& stays);
  void keep_draft_of(SessionId session, std::string_view name);
  [[nodiscard]] bool is_hidden(const Event& event) const;
  [[nodiscard]] bool waits_for_arrival(const Event& event) const;
  void print_event(const Event& event, bool calls = false);
  void print_day(std::string_view time);
  [[nodiscard]] Rank rank_of(SessionId session) const;
  [[nodiscard]] Target reading() const { return arriving_ ? Target{} : focus_.current(); }
  [[nodiscard]] std::string name_of(SessionId session) const;
  void note_writer(const Event& event);
  void show_prompt();

  struct Writer {
    std::string name;
    int looks = 0;  // since it was heard of
  };

  bool interactive_;
  View view_;
  Roster roster_;
  bool roster_known_;  // until then it is unknown whether a client is the only one
  Focus focus_;
  LineGuard guard_;
  Drafts drafts_;
  Unread unread_;
  bool unread_holds_ = false;  // every event since it was counted has been heard
  Unread::RankOf rank_;
  Conversations conversations_;
  Shortcuts shortcuts_;
  std::map<SessionId, std::string> left_;  // names of those who left and are unread
  std::set<SessionId> muted_;
  bool only_ = false;
  std::uint64_t hidden_ = 0;             // messages, since only_
  Target arriving_;                      // whose past has been asked for
  std::vector<Event> held_;              // what was said to and by that one since
  std::map<SessionId, Writer> writers_;  // of other operators
  Attention attention_;
  Canned canned_;
  std::string own_name_;
  std::string away_;
  std::string day_;  // the day of what was shown last
  Screen* screen_ = nullptr;
  AskPast ask_past_;
};

}  // namespace chatd::console
