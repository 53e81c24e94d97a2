#include "console/talk_pipe.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/result.hpp"
#include "base/rows.hpp"
#include "console/arguments.hpp"
#include "console/one_shot.hpp"
#include "console/screen.hpp"

namespace chatd::console {
namespace {

// Of a longer line the beginning is sent before its end has been read.
constexpr std::size_t kLongestLine = 64UL * 1024;

}  // namespace

TalkPipe::TalkPipe(io::Loop& loop, Connection connection, std::function<void(int)> on_done)
    : on_done_{std::move(on_done)},
      on_terminal_{io::terminal_columns(STDOUT_FILENO) > 0},
      quiet_{loop, [this] { show(text_.quiet()); }},
      link_{loop,
            std::move(connection),
            {[this](std::string_view bytes) { heard(bytes); },
             [this] {
               if (!ended_) input_.resume();
             },
             [this](const std::string& why) { link_ended(why); }}},
      output_{loop, STDOUT_FILENO, [this] { written(); },
              [this](int error) { output_gone(error); }},
      input_{loop, STDIN_FILENO, [this](std::string_view bytes) { read(bytes); },
             [this](int error) { input_ended(error); }} {}

// A line leaves in one piece: a server may take each piece for a message.
void TalkPipe::read(std::string_view bytes) {
  pending_.append(bytes);
  std::size_t whole = pending_.rfind('\n') + 1;  // 0 if there is none
  if (pending_.size() - whole > kLongestLine) whole = pending_.size();
  if (whole == 0) return;
  link_.send(std::string_view{pending_}.substr(0, whole));
  line_ended_ = pending_[whole - 1] == '\n';
  pending_.erase(0, whole);
  if (link_.queued_bytes() > ServerLink::kFullBytes) input_.pause();
}

void TalkPipe::input_ended(int error) {
  if (error != 0) {
    complain(Error::from_errno("reading standard input", error).message);
    return on_done_(static_cast<int>(ExitCode::kRefused));
  }
  input_ended_ = true;
  if (!pending_.empty() || !line_ended_) link_.send(std::exchange(pending_, {}) + "\n");
  link_.close_sending();
}

void TalkPipe::heard(std::string_view bytes) {
  if (on_terminal_) {
    show(text_.push(bytes));
    text_.unfinished() ? quiet_.start(HeardText::kQuiet) : quiet_.stop();
  } else {
    output_.write(bytes);
  }
  if (output_.queued_bytes() > Screen::kFullBytes) link_.pause();
}

void TalkPipe::show(const std::vector<std::string>& rows) {
  const RowShape shape{io::terminal_columns(STDOUT_FILENO), HeardText::kHang, has_wide_letters()};
  std::string shown;
  for (const std::string& row : rows) append_rows(shown, HeardText::shown(row), shape, "\n");
  output_.write(shown);
}

void TalkPipe::written() {
  if (ended_) return on_done_(code_);
  link_.resume();
}

void TalkPipe::output_gone(int error) {
  // A reader that has seen enough is no fault.
  if (error == EPIPE) return on_done_(static_cast<int>(ExitCode::kDone));
  complain(Error::from_errno("writing to standard output", error).message);
  on_done_(static_cast<int>(ExitCode::kRefused));
}

void TalkPipe::link_ended(const std::string& why) {
  ended_ = true;
  input_.pause();
  quiet_.stop();
  if (on_terminal_) show(text_.end());
  if (!why.empty()) {
    complain("the connection broke: " + why);
    code_ = static_cast<int>(ExitCode::kBroken);
  } else if (!input_ended_) {
    complain("the other side has closed the connection");
  }
  if (output_.queued_bytes() == 0) on_done_(code_);
}

}  // namespace chatd::console
