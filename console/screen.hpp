/// Where lines are shown and typed, as the console sees it: one small interface
/// with two implementations, Terminal (line editing) and Plain (lines in, lines
/// out). Neither ever blocks the loop.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/protocol.hpp"
#include "console/completion.hpp"
#include "console/line.hpp"

namespace chatd::console {

/// What becomes of a line after Enter; plain lines are always taken.
enum class LineFate {
  kErase,  ///< taken, and not to be seen any more: its echo will come as an event
  kTaken,  ///< taken; it stays on the screen
  kKept,   ///< still being typed
};

inline constexpr char kCtrlC = '\x03';
inline constexpr char kCtrlD = '\x04';

/// Hears of one screen. Must outlive it, and must not destroy it in a callback.
class ScreenListener {
 public:
  virtual ~ScreenListener() = default;
  /// `line` has no LF at its end; one that was pasted may have some inside.
  virtual LineFate on_line(std::string_view line) = 0;
  /// A line that was longer than the screen takes; it is dropped.
  virtual void on_long_line() = 0;
  /// After every key, in a terminal only.
  virtual void on_edited(bool empty) = 0;
  /// All that was printed has been taken by the output, and with `prompt` the prompt, too:
  /// in the middle of a search there is another one in its place.
  virtual void on_shown(bool prompt) = 0;
  /// The input has ended, such as with a terminal that hung up. Once; no line follows.
  virtual void on_input_end() = 0;
  /// The user's wish to leave, in a terminal only: kCtrlC or kCtrlD, and the line is empty.
  virtual void on_leave(char /*key*/) {}
  /// Ctrl-\ and Ctrl-Z, in a terminal only: what a terminal does by itself with programs that do
  /// not take these keys. A Terminal that may be stopped does so without a word.
  virtual void on_quit_key() {}
  virtual void on_stop_key() {}
  /// Before every key but those that wish to leave; in a terminal only.
  virtual void on_key() {}
  /// Nobody reads the output any more (errno). Once.
  virtual void on_output_gone(int error) = 0;
  /// Alt-1 to Alt-9, or Alt-a, which is 0; in a terminal only.
  virtual void on_jump(int key) = 0;
  /// Alt-o; in a terminal only.
  virtual void on_only() {}
  /// The terminal has another width now.
  virtual void on_resized() {}
  virtual Completion on_complete(std::string_view before_cursor) = 0;
};

class Screen {
 public:
  /// When more than this waits to be shown, whatever makes the output should stop until
  /// on_shown().
  static constexpr std::size_t kFullBytes = 256 * 1024;
  /// The longest line that is taken, in bytes: with what JSON adds it must fit in a line of
  /// the control protocol.
  static constexpr std::size_t kMaxLine = kMaxControlText;

  virtual ~Screen() = default;
  /// Shows one line, without LF, as data or as a problem. On a terminal it becomes rows
  /// (base/rows.hpp) of the width that the terminal has now; what follows the first one hangs
  /// `hang` columns in.
  virtual void print(std::string_view line, std::size_t hang) = 0;
  virtual void print_problem(std::string_view line) = 0;
  void print(std::string_view line) { print(line, kUsualHang); }
  virtual void set_prompt(std::string_view prompt) = 0;
  /// What is being typed; nothing on a screen without line editing.
  [[nodiscard]] virtual std::string line() const { return {}; }
  /// Puts `text` in the place of what is being typed, with the cursor at its end; in on_line()
  /// it is what the next line begins with (or, if the line is kept, what that becomes). A search
  /// ends. Nothing happens on a screen without line editing.
  virtual void set_line(std::string_view /*text*/) {}
  /// A line that was not sent and is not in sight any more can be recalled like those that were.
  /// Nothing happens on a screen without line editing.
  virtual void remember(std::string_view /*line*/) {}
  /// Calls for attention: by a bell, and by the title that the terminal's window has from now
  /// on; with an empty one it has its own again. Nothing happens on a screen without either.
  virtual void alert(bool /*bell*/, std::string_view /*title*/) {}
  /// While held no line is taken, and what is typed waits. A screen begins held.
  virtual void hold_input(bool held) = 0;
  /// The same as Ctrl-C; nothing happens on a screen without line editing.
  virtual void interrupt() {}
  /// No more input is taken, and a terminal is given back. What is printed still
  /// goes out. May be called inside a callback.
  virtual void close() = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// 0: no limit.
  [[nodiscard]] virtual std::size_t width() const = 0;
  /// 0: unknown.
  [[nodiscard]] virtual std::size_t height() const { return 0; }
};

}  // namespace chatd::console
