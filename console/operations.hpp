/// Executes the commands of a console: each is a request to the daemon, or changes the
/// operator's desk. Knows no syntax.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "console/command.hpp"
#include "console/control_client.hpp"
#include "console/desk.hpp"
#include "console/event.hpp"
#include "console/past.hpp"
#include "console/reply_display.hpp"
#include "console/screen.hpp"

namespace chatd::console {

class Operations {
 public:
  /// `answered` is called after every answer of the daemon, `quit` for /quit.
  Operations(ControlClient& client, Desk& desk, std::function<void()> answered,
             std::function<void()> quit);

  /// `command` has a session where it needs one.
  LineFate execute(const Command& command);
  /// Asks what the configuration says of the operators' consoles.
  void ask_desk();
  /// Asks which operators are there.
  void ask_operators();

 private:
  void focus(Target target);
  void note(SessionId session, const std::string& text);
  void say_bye(SessionId session);
  void say_to_all(const std::string& text);
  void kick(const Command& command);
  void ban(const Command& command);
  void show_refused(const std::vector<RefusedSession>& refused, std::string_view what);

  ControlClient& client_;
  Desk& desk_;
  std::function<void()> answered_;
  std::function<void()> quit_;
  ReplyDisplay replies_;
  Past past_;
};

}  // namespace chatd::console
