/// What a command for scripts prints: the daemon's answers as lines for people or as one JSON
/// document a line, and what they mean as an exit code. Data go to standard output, problems to
/// standard error. Knows no connection.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "console/event.hpp"
#include "console/line.hpp"
#include "console/one_shot.hpp"
#include "console/pages.hpp"
#include "console/roster.hpp"
#include "console/view.hpp"

namespace chatd::console {

class Report {
 public:
  using Json = nlohmann::json;

  explicit Report(const OneShot& one_shot);

  // Each takes the `result` of the method of that name.
  ExitCode list(const Json& result);
  ExitCode sent(const Json& result);
  ExitCode kicked(const Json& result);
  ExitCode banned(const Json& result);
  ExitCode bans(const Json& result);
  ExitCode origins(const Json& result);
  ExitCode stats(const Json& result);
  ExitCode reload(const Json& result);
  /// Of a method whose result says nothing to people.
  ExitCode nothing(const Json& result);

  ExitCode notes(SessionId session, const Json& result);
  ExitCode past(const Pages& pages, std::string_view own_name);
  /// One event of a tail; `document` is the notification. Learns from it who is connected.
  void event(const Event& event, const Json& document, std::string_view own_name);
  /// What a client said to `ask`: its text, as it is except on a terminal.
  ExitCode answer(const Event& event, const Json& document);

  /// Who is connected, for the names of sessions.
  [[nodiscard]] Roster& roster() { return roster_; }

  /// One line of what went wrong, escaped already.
  static void complain(std::string_view line);
  /// A refusal of the daemon, which may have several lines.
  void complain_lines(std::string_view text) const;
  /// What went wrong with one session.
  void complain_about(SessionId session, std::string_view what) const;

 private:
  [[nodiscard]] View dated_view() const;
  void print(std::string_view line);
  void print_json(const Json& document);
  void print_all(const std::vector<std::string>& lines);
  void print_all(const std::vector<Line>& lines);
  void complain_of(const std::vector<RefusedSession>& refused, std::string_view what) const;

  const OneShot& one_shot_;
  View view_;
  Roster roster_;
};

}  // namespace chatd::console
