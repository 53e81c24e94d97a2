/// A terminal with line editing: GNU readline's callback interface, fed by hand.
/// Readline never reads or writes a descriptor: its input comes from our reader, as keys that are
/// whole (console/keys.hpp) and that mean something to it (console/key_bindings.hpp), and its
/// output goes to our writer, so that neither a stopped terminal (Ctrl-S) nor half a key
/// sequence can block the loop. Keys that readline would have to give up by a signal, as well as
/// ours, are none of its business.
/// Invariants: what is printed never destroys the line being typed; a line that was typed and not
/// sent can be recalled; the terminal's settings are given back when this goes, and when the
/// program crashes. Readline is global: one Terminal at a time.
#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "console/keys.hpp"
#include "console/screen.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"
#include "io/signal.hpp"
#include "io/timer.hpp"

namespace chatd::console {

struct TerminalHabits {
  std::size_t history = 1000;  ///< how many lines can be recalled
  std::string lines_file;      ///< where they are kept between runs; empty: nowhere
  /// Whether Ctrl-Z stops the program, as the shell's user expects.
  bool can_be_stopped = true;
};

class Terminal : public Screen {
 public:
  Terminal(io::Loop& loop, ScreenListener& listener, int input, int output, TerminalHabits habits);
  ~Terminal() override;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  using Screen::print;
  void print(std::string_view line, std::size_t hang) override;
  void print_problem(std::string_view line) override { print(line); }
  void set_prompt(std::string_view prompt) override;
  [[nodiscard]] std::string line() const override;
  void set_line(std::string_view text) override;
  void remember(std::string_view line) override;
  void alert(bool bell, std::string_view title) override;
  void hold_input(bool held) override;
  void interrupt() override;
  void close() override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] std::size_t width() const override;
  [[nodiscard]] std::size_t height() const override;

 private:
  struct Hooks;  // what readline calls: plain functions that find the Terminal

  void open_readline();
  void read_history();
  void begin_editing();
  void end_editing();
  void show_title();
  void give_title_back();
  void redraw();

  // Keys.
  void heard(std::string_view bytes);
  void lapse();
  void watch_keys();
  void feed();
  bool take_signal_key();
  void take(const Key& key);
  void control(const Key& key);
  void alt(const Key& key);
  void to_readline(std::string_view bytes);
  void pass_if_bound(const std::string& bytes);
  void new_line();
  bool search_more(std::string_view text);
  void insert(std::string_view pasted);
  void insert_text(const std::string& text);
  void cancel_half_command();
  void press_ctrl_c();
  [[nodiscard]] bool at_own_line() const;

  // Lines.
  void clear_line();
  void leave_history();
  int accept_line();
  LineFate give_line(std::string_view line);
  int complete_word();
  void line_ended(const char* line);
  void list_candidates(const Completion& completion);

  void stop_key();
  void suspend();
  void resized();
  [[nodiscard]] std::size_t line_width() const;

  io::Loop& loop_;
  ScreenListener& listener_;
  TerminalHabits habits_;
  std::size_t columns_ = 0;  // of the terminal, when it was looked at last
  bool editing_ = false;     // the terminal's settings are ours
  bool installed_ = false;   // readline has shown its prompt once
  bool held_ = true;
  bool feeding_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool accepted_ = false;                 // Enter has been dealt with; readline only ends the line
  bool mute_ = false;                     // what readline writes now is thrown away
  bool in_line_ = false;                  // the listener is being given a line
  std::optional<std::string> next_line_;  // for it to begin with
  std::string own_line_;                  // what was typed before an earlier line was recalled
  std::vector<std::string> typed_;        // lines of this run, for the next one
  bool titled_ = false;                   // the terminal's title is ours, and it keeps its own
  std::string title_;
  bool dirty_ = false;  // print_ or prompt_ is not on the screen yet
  std::string print_;   // lines of this turn
  std::string prompt_;
  std::string prompt_shown_;
  KeyDecoder keys_;
  std::string given_;  // to readline: one key, or a run of text
  std::size_t given_next_ = 0;
  int output_;
  bool has_titles_;
  bool wide_letters_;
  std::FILE* in_;   // for readline to set the terminal's mode on
  std::FILE* out_;  // ends in writer_
  io::Writer writer_;
  io::Reader reader_;
  io::Signal winch_;
  io::Signal stop_;
  io::Signal cont_;
  io::Timer foreground_;
  io::Timer lapse_;
  io::TurnEnd turn_end_;
};

}  // namespace chatd::console
