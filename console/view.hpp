/// What the operator sees: events, tables and messages as lines of text. Pure:
/// values in, lines out.
/// Invariant: nothing that came from outside (text, names, reasons, addresses) is
/// in a line unescaped, and every line about session N begins, after an optional
/// time, with [N] or [N NAME]. The character after the bracket, which no client chooses,
/// says what follows: a blank, or | without colour if the client is in focus, for a
/// client's text; < for an operator's; * for what the console says of the session. The screen
/// breaks what is longer than a row, with an indent under the prefix.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "console/console.hpp"
#include "console/event.hpp"
#include "console/focus.hpp"
#include "console/line.hpp"
#include "console/roster.hpp"
#include "console/shortcuts.hpp"
#include "console/unread.hpp"

namespace chatd::console {

class View {
 public:
  View(bool color, Timestamps timestamps) : color_{color}, timestamps_{timestamps} {}

  /// `own_name` is this operator's: another one's answers carry the name. What the
  /// client in focus says stands out: bright, or without colour by "[N]| ".
  [[nodiscard]] std::vector<Line> event(const Event& event, const Roster& roster,
                                        std::string_view own_name, Target focus = {}) const;

  /// The line that announces the day of `time`, if that is not the day `shown`, which then
  /// becomes it. Empty on the same day, and if times are not shown or have their date.
  [[nodiscard]] std::string day(std::string_view time, std::string& shown) const;

  /// The table of /list, at most `width` columns wide (0: no limit). `now` decides
  /// whether `since` is shown with its date; `shortcuts`, if there are keys.
  [[nodiscard]] std::vector<std::string> sessions(const std::vector<SessionInfo>& sessions,
                                                  std::size_t width, std::time_t now,
                                                  const Shortcuts* shortcuts = nullptr) const;
  /// An earlier message, shown as it was when it was said.
  [[nodiscard]] std::vector<Line> past(const PastMessage& message, const Roster& roster,
                                       std::string_view own_name) const;
  /// Which of several sessions have ended; nothing if none has.
  [[nodiscard]] std::vector<std::string> kicked(const KickOutcome& outcome) const;
  /// What an operator who has banned an address should know; mostly nothing.
  [[nodiscard]] std::vector<std::string> banned(const BanOutcome& outcome) const;
  [[nodiscard]] std::vector<std::string> bans(const std::vector<BanInfo>& bans,
                                              std::size_t width) const;
  [[nodiscard]] std::vector<std::string> origins(const std::vector<OriginInfo>& origins,
                                                 std::size_t width) const;
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

  /// What the prompt tells besides the focus.
  struct PromptNotes {
    const Unread* unread = nullptr;
    std::string_view own_name;
    bool away = false;
    std::size_t width = 0;  ///< of the screen; 0: no limit
  };
  /// The prompt: "[3 NAME] > ", or with something to tell "[3 NAME] (2:5 7:1, away) > "
  /// for five unread messages of session 2 and one of 7. In colour, what takes no room
  /// on the screen stands between \001 and \002, as readline wants it.
  [[nodiscard]] std::string prompt(Target focus, const Roster& roster,
                                   const PromptNotes& notes) const;
  [[nodiscard]] std::string prompt(Target focus, const Roster& roster) const {
    return prompt(focus, roster, {});
  }

 private:
  enum class Tone { kPlain, kClient, kFocus, kAnswer, kStatus, kProblem };
  [[nodiscard]] std::string painted(Tone tone, std::string_view text) const;
  [[nodiscard]] std::string stamp(const Event& event) const;
  [[nodiscard]] std::size_t stamp_width(const Event& event) const;
  void append_text(std::vector<Line>& lines, const Event& event, Tone tone,
                   const std::string& lead) const;
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
