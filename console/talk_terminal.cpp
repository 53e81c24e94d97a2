#include "console/talk_terminal.hpp"

#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/text.hpp"

namespace chatd::console {

TalkTerminal::TalkTerminal(io::Loop& loop, Connection connection, Look look,
                           std::function<void(int)> on_done)
    : loop_{loop},
      on_done_{std::move(on_done)},
      view_{look.color, Timestamps::kNone},
      link_{loop,
            std::move(connection),
            {[this](std::string_view bytes) { heard(bytes); },
             [this] {
               if (!said_all_ && !outcome_) terminal_.hold_input(false);
             },
             [this](const std::string& why) { link_ended(why); }}},
      quiet_{loop, [this] { show(text_.quiet()); }},
      // What was said to a server is nothing for a console, so it is not kept.
      terminal_{loop, *this, STDIN_FILENO, STDOUT_FILENO, {}} {
  signals_.push_back(std::make_unique<io::Signal>(loop, SIGINT, [this] { leave(); }));
  for (const int number : {SIGTERM, SIGHUP, SIGQUIT}) {
    signals_.push_back(
        std::make_unique<io::Signal>(loop, number, [this, number] { on_done_(128 + number); }));
  }
  terminal_.set_prompt("> ");
  say(look.greeting);
  terminal_.hold_input(false);
}

// --- what is typed ---

LineFate TalkTerminal::on_line(std::string_view line) {
  if (lingers_) {
    lingers_ = false;
    terminal_.close();
    end_when_shown();
    return LineFate::kTaken;
  }
  link_.send(std::string{line} + "\n");
  if (link_.queued_bytes() > ServerLink::kFullBytes) terminal_.hold_input(true);
  return LineFate::kTaken;
}

void TalkTerminal::on_long_line() {
  say("not sent: longer than 1 MiB");
}

void TalkTerminal::on_leave(char key) {
  if (key == kCtrlD && !outcome_) return say_all();
  leave();
}

void TalkTerminal::on_quit_key() {
  terminal_.close();
  on_done_(128 + SIGQUIT);
}

// There is no line to edit any more, so the terminal is given back, and the kernel tells of
// another Ctrl-D by an end of file.
void TalkTerminal::say_all() {
  said_all_ = true;
  link_.close_sending();
  say("end of file sent; Ctrl-D or Ctrl-C leaves");
  terminal_.close();
  last_keys_ = std::make_unique<io::Reader>(
      loop_, STDIN_FILENO,
      [this](std::string_view bytes) {
        // One that was typed before the terminal was given back is a character.
        if (bytes.find(kCtrlD) != std::string_view::npos) leave();
      },
      [this](int) { leave(); });
}

// --- what is heard ---

void TalkTerminal::heard(std::string_view bytes) {
  show(text_.push(bytes));
  if (terminal_.queued_bytes() > Screen::kFullBytes) {
    full_ = true;
    link_.pause();
  }
  // While nothing is read, nobody knows whether more has come.
  if (!full_ && text_.unfinished()) {
    quiet_.start(HeardText::kQuiet);
  } else {
    quiet_.stop();
  }
}

void TalkTerminal::show(const std::vector<std::string>& rows) {
  for (const std::string& row : rows) terminal_.print(HeardText::shown(row), HeardText::kHang);
}

void TalkTerminal::say(std::string_view text) {
  terminal_.print(view_.note(escaped(text)));
}

void TalkTerminal::on_shown(bool) {
  if (std::exchange(full_, false) && !outcome_) {
    link_.resume();
    if (text_.unfinished()) quiet_.start(HeardText::kQuiet);
  }
  end_when_shown();
}

// --- the end ---

void TalkTerminal::on_output_gone(int) {
  leave();
}

void TalkTerminal::link_ended(const std::string& why) {
  quiet_.stop();
  show(text_.end());
  outcome_ = why.empty() ? ExitCode::kDone : ExitCode::kBroken;
  say(why.empty() ? "the other side has closed the connection" : "the connection broke: " + why);
  // The rest of a line that is being typed must not go to the shell.
  lingers_ = !said_all_ && !terminal_.line().empty();
  if (lingers_) {
    say("what is being typed goes nowhere; Enter leaves");
    return terminal_.hold_input(false);
  }
  terminal_.close();
  end_when_shown();
}

void TalkTerminal::end_when_shown() {
  if (outcome_ && !lingers_ && terminal_.queued_bytes() == 0) on_done_(static_cast<int>(*outcome_));
}

}  // namespace chatd::console
