/// Lines in, lines out: the screen for pipes, files and scripts, where a line stays a line; and
/// for a terminal without a keyboard, where it becomes rows. Knows nothing of
/// what the lines mean. Data goes to the output, problems to the errors. A problem that
/// comes again and again (with a file as standard input) is counted, not repeated.
/// Invariant: a line is given out whole or not at all; the last one may lack its LF.
#pragma once

#include <string>

#include "console/screen.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd::console {

class Plain : public Screen {
 public:
  Plain(io::Loop& loop, ScreenListener& listener, int input, int output, int errors);

  using Screen::print;
  void print(std::string_view line, std::size_t hang) override;
  void print_problem(std::string_view line) override;
  void set_prompt(std::string_view) override {}
  void hold_input(bool held) override;
  void close() override { hold_input(true); }
  [[nodiscard]] std::size_t queued_bytes() const override { return output_.queued_bytes(); }
  [[nodiscard]] std::size_t width() const override;

 private:
  void give_lines();
  void give_end();
  void write_problem(std::string_view line);
  void count_repeats();

  ScreenListener& listener_;
  io::TerminalWidth output_width_;
  io::TerminalWidth errors_width_;
  bool wide_letters_;
  std::string pending_;       // what has been read and not been given out
  std::size_t searched_ = 0;  // how much of it is known to have no LF
  bool held_ = true;
  bool giving_ = false;
  bool dropping_ = false;  // inside a line that is too long
  bool at_end_ = false;
  bool ended_ = false;
  std::string last_problem_;  // empty if it was long enough ago
  std::size_t repeats_ = 0;
  io::Timer repeat_timer_;
  io::Writer output_;
  io::Writer errors_;
  io::Reader input_;
};

}  // namespace chatd::console
