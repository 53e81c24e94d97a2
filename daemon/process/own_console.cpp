#include "process/own_console.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

#include "console/console.hpp"
#include "console/kept_lines.hpp"
#include "io/descriptor.hpp"

namespace chatd {

namespace {

/// `--console auto`: on when standard input is a terminal or a pipe, so not under a
/// service manager.
bool wants_console(ConsoleMode mode) {
  if (mode != ConsoleMode::kAuto) return mode == ConsoleMode::kOn;
  switch (io::kind_of(STDIN_FILENO)) {
    case io::DescriptorKind::kTerminal:
      return !io::in_background(STDIN_FILENO);
    case io::DescriptorKind::kPipe:
      return true;
    default:
      return false;
  }
}

console::ColorChoice to_console(ColorMode mode) {
  switch (mode) {
    case ColorMode::kAuto:
      return console::ColorChoice::kAuto;
    case ColorMode::kOn:
      return console::ColorChoice::kAlways;
    case ColorMode::kOff:
      return console::ColorChoice::kNever;
  }
  return console::ColorChoice::kAuto;
}

console::Timestamps to_console(Timestamps timestamps) {
  switch (timestamps) {
    case Timestamps::kNone:
      return console::Timestamps::kNone;
    case Timestamps::kTime:
      return console::Timestamps::kTime;
    case Timestamps::kDatetime:
      return console::Timestamps::kDateTime;
  }
  return console::Timestamps::kTime;
}

}  // namespace

OwnConsole::OwnConsole(io::Loop& loop, ConsoleMode mode, ColorMode color)
    : loop_{loop},
      color_{color},
      is_wanted_{wants_console(mode)},
      is_interactive_{is_wanted_ && console::can_be_interactive(STDIN_FILENO, STDOUT_FILENO)},
      end_{loop, [this] { close(); }} {
  if (!is_interactive_) return;
  lines_ = std::make_unique<ConsoleLines>(loop, [this](const std::string& line) { say(line); });
}

OwnConsole::~OwnConsole() = default;

Result<UniqueFd> OwnConsole::connect() {
  if (hooks_.is_stopping()) return Error{"the daemon stops"};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return Error::from_errno("connect the console", errno);
  }
  UniqueFd console_end{ends[1]};
  if (auto attached = hooks_.attach(UniqueFd{ends[0]}); !attached) {
    return std::move(attached.error());
  }
  return console_end;
}

Result<> OwnConsole::open(const Config::Console& config, Hooks hooks) {
  assert(is_wanted() && !is_open());
  hooks_ = std::move(hooks);
  auto connected = connect();
  if (!connected) return std::move(connected.error());
  console::ConsoleOptions options;
  options.interactive = is_interactive_;
  options.color = console::wants_color(to_console(color_), STDOUT_FILENO);
  options.timestamps = to_console(config.timestamps);
  options.history = config.history;
  options.lines_file = console::kept_lines_path();
  options.ends_service = true;
  options.from_start = true;
  options.reattach = [this] { return connect(); };
  options.reattaches_to_same = true;
  options.on_quit = hooks_.quit;
  const auto end = [this] { end_.start(Duration{0}); };
  options.on_end = end;
  options.on_output_gone = end;
  options.on_lost = [this, end](const Error& error) {
    if (!hooks_.is_stopping()) spdlog::error("the console has gone: {}", error.message);
    end();
  };
  console_ = std::make_unique<console::Console>(loop_, std::move(*connected), std::move(options));
  return {};
}

bool OwnConsole::take_key(int signal) {
  if (!console_ || !is_interactive_ || hooks_.is_stopping()) return false;
  console_->take_key(signal);
  return true;
}

void OwnConsole::say(const std::string& line) {
  if (console_) console_->say(line);
}

void OwnConsole::close() {
  end_.stop();
  console_.reset();
}

}  // namespace chatd
