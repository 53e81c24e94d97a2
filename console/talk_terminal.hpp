/// A conversation of a person in a terminal with a chat server: line editing below, what is
/// heard above it. Rows that begin with "< " are the server's words, and with "* " what
/// chatctl says; no server can choose these two characters.
/// Invariant: nothing that the server sent is shown unescaped, and no more than the terminal
/// takes is read from it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "console/heard_text.hpp"
#include "console/one_shot.hpp"
#include "console/server_link.hpp"
#include "console/terminal.hpp"
#include "console/view.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"
#include "io/signal.hpp"
#include "io/timer.hpp"

namespace chatd::console {

class TalkTerminal : private ScreenListener {
 public:
  struct Look {
    std::string_view greeting;  ///< the first row, not escaped
    bool color = false;
  };

  /// `on_done` is told the exit code, at the end; it must not
  /// destroy this. The terminal is given back at the latest when this goes.
  TalkTerminal(io::Loop& loop, Connection connection, Look look,
               std::function<void(int code)> on_done);
  TalkTerminal(const TalkTerminal&) = delete;
  TalkTerminal& operator=(const TalkTerminal&) = delete;
  ~TalkTerminal() override = default;

 private:
  LineFate on_line(std::string_view line) override;
  void on_long_line() override;
  void on_edited(bool) override {}
  void on_shown(bool prompt) override;
  void on_input_end() override { leave(); }
  void on_leave(char key) override;
  void on_quit_key() override;
  void on_output_gone(int error) override;
  void on_jump(int) override {}
  Completion on_complete(std::string_view) override { return {true, 0, {}}; }

  void heard(std::string_view bytes);
  void show(const std::vector<std::string>& rows);
  void say(std::string_view text);
  void say_all();
  void link_ended(const std::string& why);
  void end_when_shown();
  void leave() { on_done_(static_cast<int>(outcome_.value_or(ExitCode::kDone))); }

  io::Loop& loop_;
  std::function<void(int)> on_done_;
  View view_;
  HeardText text_;
  bool full_ = false;                // the terminal does not take what is heard
  bool said_all_ = false;            // by Ctrl-D
  std::optional<ExitCode> outcome_;  // the connection has ended
  bool lingers_ = false;             // since then, for somebody who was typing
  ServerLink link_;
  io::Timer quiet_;
  Terminal terminal_;
  std::unique_ptr<io::Reader> last_keys_;  // once all is said
  std::vector<std::unique_ptr<io::Signal>> signals_;
};

}  // namespace chatd::console
