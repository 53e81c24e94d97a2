/// A terminal with line editing: GNU readline's callback interface, fed by hand.
/// Readline never reads or writes a descriptor: its input comes from our reader and its
/// output goes to our writer, so that neither a stopped terminal (Ctrl-S) nor half a key
/// sequence can block the loop.
/// Invariants: what is printed never destroys the line being typed; the terminal's
/// settings are given back when this goes. Readline is global: one Terminal at a
/// time.
#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "console/paste.hpp"
#include "console/screen.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"
#include "io/signal.hpp"
#include "io/timer.hpp"

namespace chatd::console {

class Terminal : public Screen {
 public:
  /// `history`: how many lines can be recalled.
  Terminal(io::Loop& loop, ScreenListener& listener, int input, int output, std::size_t history);
  ~Terminal() override;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  using Screen::print;
  void print(std::string_view line, std::size_t hang) override;
  void print_problem(std::string_view line) override { print(line); }
  void set_prompt(std::string_view prompt) override;
  [[nodiscard]] std::string line() const override;
  void set_line(std::string_view text) override;
  void alert(bool bell, std::string_view title) override;
  void hold_input(bool held) override;
  void close() override;
  /// Takes away the line that is being typed, or a search for one. False if there was none.
  /// Not inside a callback.
  bool erase_line();
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] std::size_t width() const override;

 private:
  struct Hooks;  // what readline calls: plain functions that find the Terminal

  void open_readline();
  void begin_editing();
  void end_editing();
  void show_title();
  void give_title_back();
  void redraw();
  void feed();
  void leave_history();
  int accept_line();
  LineFate give_line(std::string_view line);
  int complete_word();
  void line_ended(const char* line);
  void remember(std::string_view line);
  void list_candidates(const Completion& completion);
  void suspend();
  void resized();
  [[nodiscard]] std::size_t line_width() const;

  ScreenListener& listener_;
  std::size_t columns_ = 0;  // of the terminal, when it was looked at last
  std::size_t history_;
  bool editing_ = false;    // the terminal's settings are readline's
  bool installed_ = false;  // readline has shown its prompt once
  bool held_ = true;
  bool feeding_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool accepted_ = false;                 // Enter has been dealt with; readline only ends the line
  bool mute_ = false;                     // what readline writes now is thrown away
  bool in_line_ = false;                  // the listener is being given a line
  std::optional<std::string> next_line_;  // for it to begin with
  bool titled_ = false;  // the terminal's title is ours, and it keeps its own
  std::string title_;
  bool dirty_ = false;  // print_ or prompt_ is not on the screen yet
  std::string print_;   // lines of this turn
  std::string prompt_;
  std::string prompt_shown_;
  PasteGate keys_;
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
  io::TurnEnd turn_end_;
};

}  // namespace chatd::console
