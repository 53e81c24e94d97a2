/// What the operator sees: events, tables and messages as lines of text. Pure:
/// values in, lines out.
/// Invariant: nothing that came from outside (text, names, reasons, addresses) is
/// in a line unescaped, and every line about session N begins, after an optional
/// time, with [N] or [N NAME]. The character after the bracket, which no client chooses,
/// says what follows: a blank, or | without colour if the client is in focus, or ! if the text has
/// a word to look out for, for a client's text; < for an operator's; * for what the console says of
/// the session. The screen breaks what is longer than a row, with an indent under the prefix.
#pragma once

#include <ctime>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "console/console.hpp"
#include "console/event.hpp"
#include "console/focus.hpp"
#include "console/line.hpp"
#include "console/roster.hpp"
#include "console/shortcuts.hpp"

namespace chatd::console {

class View {
 public:
  /// Each client has a colour of its own, by its id: one of the 256 if there are `many_colors`.
  View(bool color, Timestamps timestamps, bool many_colors = false)
      : color_{color}, many_colors_{many_colors}, timestamps_{timestamps} {}

  /// `own_name` is this operator's: another one's answers carry the name. What the
  /// client in focus says stands out: bright, or without colour by "[N]| ". What has a word to
  /// look out for (`calls`) does in any case, by "[N]! ".
  [[nodiscard]] std::vector<Line> event(const Event& event, const Roster& roster,
                                        std::string_view own_name, Target focus = {},
                                        bool calls = false) const;

  /// The day of `time`, such as "Sunday, 2026-11-29", if that is not the day `shown`, which then
  /// becomes it. Empty on the same day, and if times are not shown or have their date.
  [[nodiscard]] std::string day(std::string_view time, std::string& shown) const;
  /// A line across the conversation; `text` is escaped already.
  [[nodiscard]] std::string rule(std::string_view text) const;
  /// "5 new since 13:02", with the date if it is not today's.
  [[nodiscard]] std::string news(std::uint64_t count, std::string_view since,
                                 std::time_t now) const;

  /// The table of `chatctl list`, at most `width` columns wide (0: no limit). `now` decides
  /// whether `since` is shown with its date.
  [[nodiscard]] std::vector<std::string> sessions(const std::vector<SessionInfo>& sessions,
                                                  std::size_t width, std::time_t now) const;
  /// The table of /list in a console, for the one who answers: who waits, and for how long; what
  /// was said last, behind "<" if by an operator; then what there is room for. Of those who are
  /// `muted` that stands behind the name; `writing` has the operators who write, by session.
  [[nodiscard]] std::vector<std::string> queue(const std::vector<SessionInfo>& sessions,
                                               std::size_t width, std::time_t now,
                                               const Shortcuts& shortcuts,
                                               const std::set<SessionId>& muted,
                                               const std::map<SessionId, std::string>& writing,
                                               std::string_view own_name) const;
  /// An earlier message, shown as it was when it was said.
  [[nodiscard]] std::vector<Line> past(const PastMessage& message, const Roster& roster,
                                       std::string_view own_name, Target focus = {},
                                       bool calls = false) const;
  /// What an operator has noted about a session.
  [[nodiscard]] std::vector<Line> noted(SessionId session, const NoteInfo& note,
                                        const Roster& roster) const;
  /// Which of several sessions have ended; nothing if none has.
  [[nodiscard]] std::vector<std::string> kicked(const KickOutcome& outcome) const;
  /// What an operator who has banned an address should know; mostly nothing.
  [[nodiscard]] std::vector<std::string> banned(const BanOutcome& outcome) const;
  [[nodiscard]] std::vector<std::string> bans(const std::vector<BanInfo>& bans,
                                              std::size_t width) const;
  [[nodiscard]] std::vector<std::string> origins(const std::vector<OriginInfo>& origins,
                                                 std::size_t width) const;
  /// Who is there, of the operators.
  [[nodiscard]] std::vector<std::string> operators(const std::vector<OperatorInfo>& operators,
                                                   std::size_t width, std::time_t now) const;
  [[nodiscard]] std::vector<std::string> stats(const Stats& stats) const;

  [[nodiscard]] std::vector<std::string> reload(const ReloadOutcome& outcome) const;

  /// A message of the console itself; `text` is escaped already.
  [[nodiscard]] std::string note(std::string_view text) const;
  /// About something that went wrong, with a line for each of `text`. What comes from
  /// others need not be escaped yet; if it is, it stays as it is.
  [[nodiscard]] std::vector<std::string> problem(std::string_view text) const;
  /// A message of the console about one session.
  [[nodiscard]] std::string about(SessionId session, const Roster& roster,
                                  std::string_view text) const;

  /// A client of which something is unread.
  struct Waiting {
    SessionId session = 0;
    std::string_view name;  ///< empty: none
    std::uint64_t messages = 0;
    bool left = false;
  };
  /// What the prompt tells besides the focus.
  struct PromptNotes {
    std::vector<Waiting> waiting = {};  ///< those that come first
    std::size_t more = 0;               ///< how many others wait
    std::string_view own_name = {};
    std::string_view writing = {};  ///< the operator who is writing to a client
    bool away = false;
    bool only = false;       ///< nothing of others is shown
    std::size_t width = 0;   ///< of the screen; 0: no limit
    Target writing_to = {};  ///< whom the operator writes to, if that is not the one in focus
  };
  /// The prompt: "[3 NAME] > ", or with something to tell "[3 NAME] (ann:5 7:1 +2, away) > "
  /// for five unread messages of ann, one of session 7, and two more clients. It takes at most a
  /// third of the screen, but for the id of the focus. In colour, what takes no room
  /// on the screen stands between \001 and \002, as readline wants it.
  [[nodiscard]] std::string prompt(Target focus, const Roster& roster,
                                   const PromptNotes& notes) const;
  [[nodiscard]] std::string prompt(Target focus, const Roster& roster) const {
    return prompt(focus, roster, PromptNotes{});
  }

 private:
  enum class Tone { kPlain, kClient, kFocus, kAnswer, kStatus, kProblem };
  [[nodiscard]] std::string painted(Tone tone, std::string_view text) const;
  [[nodiscard]] std::string_view color_of(SessionId session) const;
  [[nodiscard]] std::string in_color_of(SessionId session, std::string_view text,
                                        bool bold = false) const;
  [[nodiscard]] std::string stamp(const Event& event) const;
  [[nodiscard]] std::size_t stamp_width(const Event& event) const;
  // A line for each of the text, behind a lead: as it is shown, and how wide that is.
  void append_text(std::vector<Line>& lines, const Event& event, const std::string& lead,
                   std::size_t width, bool bold) const;
  void append_sent(std::vector<Line>& lines, const Event& event, const Roster& roster,
                   std::string_view own_name) const;
  void append_given(std::vector<Line>& lines, const Event& event, const Roster& roster,
                    std::string_view own_name) const;
  void append_taken(std::vector<Line>& lines, const Event& event, const Roster& roster,
                    const std::string& text) const;
  void append_status(std::vector<Line>& lines, const Event& event, SessionId session,
                     const Roster& roster, const std::string& text) const;
  void append_note(std::vector<Line>& lines, const Event& event, const std::string& text,
                   Tone tone = Tone::kStatus) const;

  bool color_;
  bool many_colors_;
  Timestamps timestamps_;
};

/// "[3]" or "[3 NAME]", escaped; a long name is cut.
[[nodiscard]] std::string bracket(SessionId session, std::string_view name);

/// "3s", "5m", "2h", "4d".
[[nodiscard]] std::string short_duration(std::uint64_t milliseconds);

/// A time of the protocol on the operator's own clock: "14:05:06", with its date if
/// `with_date`; empty if it is no such time.
[[nodiscard]] std::string local_time(std::string_view rfc3339, bool with_date);

}  // namespace chatd::console
