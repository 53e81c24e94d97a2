/// A conversation for a script: lines from standard input to a chat server, and its bytes as
/// they are to standard output; or, if that is a terminal, as rows behind "< ", escaped.
/// Invariant: what one side does not take is not read from the other, so nothing piles up.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "console/heard_text.hpp"
#include "console/server_link.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd::console {

class TalkPipe {
 public:
  /// `on_done` is told the exit code, at the end; it must not
  /// destroy this.
  TalkPipe(io::Loop& loop, Connection connection, std::function<void(int code)> on_done);
  TalkPipe(const TalkPipe&) = delete;
  TalkPipe& operator=(const TalkPipe&) = delete;
  ~TalkPipe() = default;

 private:
  void read(std::string_view bytes);
  void input_ended(int error);
  void heard(std::string_view bytes);
  void show(const std::vector<std::string>& rows);
  void written();
  void output_gone(int error);
  void link_ended(const std::string& why);

  std::function<void(int)> on_done_;
  std::string pending_;     // the line that has not ended yet
  bool line_ended_ = true;  // what was sent last ends a line
  bool input_ended_ = false;
  bool ended_ = false;  // the connection
  int code_ = 0;
  bool on_terminal_;
  HeardText text_;  // for a terminal
  io::Timer quiet_;
  ServerLink link_;
  io::Writer output_;
  io::Reader input_;
};

}  // namespace chatd::console
