#include "console/terminal.hpp"

#include <fcntl.h>
#include <langinfo.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "base/rows.hpp"
#include "base/text.hpp"
#include "console/table.hpp"

namespace chatd::console {
namespace {

constexpr std::size_t kListed = 60;  // candidates shown at most
constexpr Duration kForegroundLook{250};

// While one of these is on, the prompt on the screen is readline's own.
constexpr unsigned long kOwnPrompt =
    RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_VIMOTION;

Terminal* g_terminal = nullptr;

// Whether the terminal has a title that can be set, and can keep the one that it had.
bool has_titles() {
  const char* term = std::getenv("TERM");
  if (term == nullptr) return false;
  for (const std::string_view kind :
       {"xterm", "screen", "tmux", "rxvt", "alacritty", "foot", "kitty", "konsole", "gnome", "vte",
        "putty", "st-", "wezterm"}) {
    if (std::string_view{term}.starts_with(kind)) return true;
  }
  return false;
}

// The chat is UTF-8 whatever the locale says. Readline looks at the environment
// again for each line, so that is where it has to stand.
void use_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0) return;
  ::setenv("LC_ALL", "C.UTF-8", 1);
  std::setlocale(LC_CTYPE, "");
}

}  // namespace

struct Terminal::Hooks {
  static int getc(std::FILE*) { return g_terminal == nullptr ? EOF : g_terminal->keys_.take(); }
  static int input_available() {
    return g_terminal != nullptr && g_terminal->keys_.ready() ? 1 : 0;
  }
  static void prepare(int meta) {
    if (g_terminal != nullptr && g_terminal->editing_) rl_prep_terminal(meta);
  }
  static void restore() {}  // not after each line: end_editing() does it
  static int accept_line(int, int) { return g_terminal == nullptr ? 0 : g_terminal->accept_line(); }
  static int complete_word(int, int) {
    return g_terminal == nullptr ? 0 : g_terminal->complete_word();
  }
  static int jump(int, int key) {
    if (g_terminal != nullptr) g_terminal->listener_.on_jump(key == 'a' ? 0 : key - '0');
    return 0;
  }
  static int only(int, int) {
    if (g_terminal != nullptr) g_terminal->listener_.on_only();
    return 0;
  }
  static int begin_line() {
    if (g_terminal != nullptr && g_terminal->next_line_) {
      rl_insert_text(std::exchange(g_terminal->next_line_, std::nullopt)->c_str());
    }
    return 0;
  }
  static void line(char* text) {
    if (g_terminal != nullptr) g_terminal->line_ended(text);
    std::free(text);
  }
  static ssize_t write(void* cookie, const char* bytes, std::size_t size) {
    auto* terminal = static_cast<Terminal*>(cookie);
    if (!terminal->mute_) terminal->writer_.write({bytes, size});
    return static_cast<ssize_t>(size);
  }
};

Terminal::Terminal(io::Loop& loop, ScreenListener& listener, int input, int output,
                   std::size_t history)
    : listener_{listener},
      history_{history},
      output_{output},
      has_titles_{has_titles()},
      wide_letters_{has_wide_letters()},
      // Only its mode is changed through this one; it is never read from.
      in_{::fdopen(::fcntl(input, F_DUPFD_CLOEXEC, 3), "r")},
      out_{::fopencookie(this, "w", {nullptr, &Hooks::write, nullptr, nullptr})},
      writer_{loop, output,
              [this] {
                // At once: with all input held, what is to be shown is all that
                // keeps the loop going.
                redraw();
                if (writer_.queued_bytes() == 0) listener_.on_shown(prompt_ == prompt_shown_);
              },
              [this](int error) { listener_.on_output_gone(error); }},
      reader_{loop, input,
              [this](std::string_view bytes) {
                keys_.push(bytes);
                feed();
              },
              [this](int) {
                if (!std::exchange(ended_, true)) listener_.on_input_end();
              }},
      winch_{loop, SIGWINCH, [this] { resized(); }},
      stop_{loop, SIGTSTP, [this] { suspend(); }},
      cont_{loop, SIGCONT,
            [this] {
              end_editing();
              begin_editing();
            }},
      foreground_{loop, [this] { begin_editing(); }},
      turn_end_{loop, [this] { redraw(); }} {
  g_terminal = this;
  reader_.pause();
  open_readline();
}

Terminal::~Terminal() {
  if (!print_.empty()) redraw();
  end_editing();
  rl_callback_handler_remove();
  g_terminal = nullptr;
  rl_instream = nullptr;
  rl_outstream = nullptr;
  if (out_ != nullptr) std::fclose(out_);
  if (in_ != nullptr) std::fclose(in_);
}

void Terminal::open_readline() {
  use_utf8();
  rl_instream = in_;
  rl_outstream = out_;
  rl_readline_name = "chatd";
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  rl_change_environment = 0;
  rl_getc_function = &Hooks::getc;
  rl_input_available_hook = &Hooks::input_available;
  rl_prep_term_function = &Hooks::prepare;
  rl_deprep_term_function = &Hooks::restore;
  rl_startup_hook = &Hooks::begin_line;
  rl_initialize();
  // A bell would go to standard error, which may be a terminal that stands still.
  rl_variable_bind("bell-style", "none");
  for (Keymap keymap : {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap}) {
    rl_bind_key_in_map('\r', &Hooks::accept_line, keymap);
    rl_bind_key_in_map('\n', &Hooks::accept_line, keymap);
  }
  for (Keymap keymap : {emacs_standard_keymap, vi_insertion_keymap}) {
    rl_bind_key_in_map('\t', &Hooks::complete_word, keymap);
  }
  // By default Alt-1 and so on are arguments for the next key, which nobody uses here.
  for (const char* keys :
       {"\\ea", "\\e1", "\\e2", "\\e3", "\\e4", "\\e5", "\\e6", "\\e7", "\\e8", "\\e9"}) {
    rl_bind_keyseq_in_map(keys, &Hooks::jump, emacs_standard_keymap);
  }
  rl_bind_keyseq_in_map("\\eo", &Hooks::only, emacs_standard_keymap);
  using_history();
  clear_history();
  stifle_history(
      static_cast<int>(std::min<std::size_t>(history_, std::numeric_limits<int>::max())));
}

void Terminal::begin_editing() {
  if (editing_ || ended_ || held_ || closed_) return;
  if (io::in_background(::fileno(in_))) return foreground_.start(kForegroundLook);
  editing_ = true;
  prompt_shown_ = prompt_;
  if (!std::exchange(installed_, true)) {
    rl_callback_handler_install(prompt_.c_str(), &Hooks::line);
  } else {
    rl_prep_terminal(1);
    rl_reset_screen_size();
  }
  columns_ = width();
  dirty_ = true;
  show_title();
  reader_.resume();
}

void Terminal::end_editing() {
  foreground_.stop();
  if (!std::exchange(editing_, false)) return;
  reader_.pause();
  if (io::in_background(::fileno(in_))) return;
  // A terminal that was stopped (Ctrl-S) would hold these last words back, too.
  ::tcflow(::fileno(in_), TCOON);
  rl_clear_visible_line();
  rl_on_new_line();
  rl_deprep_terminal();
  std::fflush(out_);
  give_title_back();
  writer_.flush();
}

void Terminal::close() {
  hold_input(true);
  if (dirty_) redraw();
  end_editing();
  // Where this is called inside readline, it still means to show its prompt.
  mute_ = closed_ = true;
}

bool Terminal::erase_line() {
  if (!editing_) return false;
  const bool searching = RL_ISSTATE(kOwnPrompt) != 0;
  if (!searching && rl_end == 0) return false;
  rl_callback_sigcleanup();
  rl_free_line_state();  // which shows the line once more
  rl_replace_line("", 1);
  rl_clear_visible_line();
  rl_on_new_line();
  rl_redisplay();
  std::fflush(out_);
  listener_.on_edited(true);
  return true;
}

void Terminal::print(std::string_view line, std::size_t hang) {
  append_rows(print_, line, {width(), hang, wide_letters_}, "\r\n");
  dirty_ = true;
}

void Terminal::set_prompt(std::string_view prompt) {
  if (prompt_ == prompt) return;
  prompt_ = prompt;
  dirty_ = true;
}

std::string Terminal::line() const {
  if (!installed_) return next_line_.value_or(std::string{});
  return {rl_line_buffer, static_cast<std::size_t>(rl_end)};
}

void Terminal::set_line(std::string_view text) {
  if (in_line_ || !installed_) {
    next_line_ = text;
    return;
  }
  if (RL_ISSTATE(kOwnPrompt)) rl_callback_sigcleanup();
  leave_history();
  rl_replace_line(std::string{text}.c_str(), 1);
  rl_point = rl_end;
  rl_mark = 0;
  dirty_ = true;
}

// A line that waits behind the earlier ones that were looked at is recalled as one of them.
void Terminal::leave_history() {
  if (where_history() == history_length) return;
  rl_end_of_history(1, 0);
  remember({rl_line_buffer, static_cast<std::size_t>(rl_end)});
  using_history();
}

void Terminal::alert(bool bell, std::string_view title) {
  if (!editing_) bell = false;
  if (bell) writer_.write("\a");
  if (title_ == title) return;
  title_ = title;
  show_title();
}

void Terminal::show_title() {
  if (!editing_ || !has_titles_) return;
  if (title_.empty()) return give_title_back();
  if (!std::exchange(titled_, true)) writer_.write("\x1b[22;2t");
  writer_.write("\x1b]2;" + escaped(title_) + "\a");
}

void Terminal::give_title_back() {
  if (std::exchange(titled_, false)) writer_.write("\x1b[23;2t");
}

void Terminal::redraw() {
  if (!dirty_) return;
  dirty_ = false;
  if (!editing_) {
    writer_.write(std::exchange(print_, {}));
    return;
  }
  rl_clear_visible_line();
  std::fflush(out_);
  writer_.write(std::exchange(print_, {}));
  if (prompt_ != prompt_shown_ && !RL_ISSTATE(kOwnPrompt)) {
    rl_set_prompt(prompt_.c_str());
    prompt_shown_ = prompt_;
  }
  rl_on_new_line();
  rl_redisplay();
  std::fflush(out_);
}

void Terminal::hold_input(bool held) {
  held_ = held;
  if (held) {
    reader_.pause();
  } else if (!editing_) {
    begin_editing();
  } else {
    feed();
    if (!held_ && !ended_) reader_.resume();
  }
}

void Terminal::feed() {
  // The listener may hold and release the input while it is given a line.
  if (std::exchange(feeding_, true)) return;
  while (!held_ && !ended_ && editing_ && keys_.ready()) {
    rl_callback_read_char();
    listener_.on_edited(rl_end == 0);
  }
  feeding_ = false;
  if (prompt_ != prompt_shown_ && !RL_ISSTATE(kOwnPrompt)) dirty_ = true;
  std::fflush(out_);
}

int Terminal::accept_line() {
  // Readline inserts what was typed ahead in one go: this may be the first that
  // the listener hears of the line.
  listener_.on_edited(rl_end == 0);
  const std::string line{rl_line_buffer, static_cast<std::size_t>(rl_end)};
  LineFate fate = LineFate::kTaken;
  if (line.size() > kMaxLine) {
    listener_.on_long_line();
  } else {
    fate = give_line(line);
  }
  if (fate == LineFate::kKept) {
    if (next_line_) set_line(*std::exchange(next_line_, std::nullopt));
    return 0;
  }
  accepted_ = true;
  if (fate == LineFate::kErase) {
    rl_clear_visible_line();
    std::fflush(out_);
    mute_ = true;
  }
  rl_newline(1, '\n');
  std::fflush(out_);
  mute_ = closed_;
  listener_.on_edited(true);
  return 0;
}

LineFate Terminal::give_line(std::string_view line) {
  in_line_ = true;
  const LineFate fate = listener_.on_line(line);
  in_line_ = false;
  return fate;
}

// Called by readline when a line has ended: by accept_line(), by Ctrl-D (null), or
// by a key that the user's inputrc binds to readline's own accept-line.
void Terminal::line_ended(const char* line) {
  if (line == nullptr) {
    if (!std::exchange(ended_, true)) listener_.on_input_end();
    return;
  }
  if (!std::exchange(accepted_, false)) {
    if (std::strlen(line) > kMaxLine) {
      listener_.on_long_line();
    } else if (give_line(line) == LineFate::kKept) {
      if (!next_line_) next_line_ = line;
      return;
    }
    listener_.on_edited(true);
  }
  remember(line);
}

void Terminal::remember(std::string_view line) {
  if (line.empty() || history_ == 0) return;
  const HIST_ENTRY* last =
      history_length > 0 ? history_get(history_base + history_length - 1) : nullptr;
  if (last != nullptr && line == last->line) return;
  add_history(std::string{line}.c_str());
}

int Terminal::complete_word() {
  const auto point = static_cast<std::size_t>(rl_point);
  const std::string before{rl_line_buffer, point};
  const Completion completion = listener_.on_complete(before);
  if (completion.in_text) return rl_insert(1, '\t');
  const std::string word = before.substr(completion.begin);
  std::string grown = completion.common(word);
  const bool single = completion.candidates.size() == 1;
  if (single && rl_line_buffer[point] != ' ') grown += ' ';
  if (grown.empty() || grown == word) {
    if (!single) list_candidates(completion);
    return 0;
  }
  rl_begin_undo_group();
  rl_delete_text(static_cast<int>(completion.begin), rl_point);
  rl_point = static_cast<int>(completion.begin);
  rl_insert_text(grown.c_str());
  rl_end_undo_group();
  return 0;
}

void Terminal::list_candidates(const Completion& completion) {
  const std::size_t columns = width();
  std::string row;
  for (std::size_t i = 0; i < std::min(kListed, completion.candidates.size()); ++i) {
    const std::string label = escaped(completion.candidates[i].label);
    if (!row.empty() && display_width(row) + 2 + display_width(label) > columns) {
      print(std::exchange(row, {}));
    }
    row += (row.empty() ? "" : "  ") + label;
  }
  if (!row.empty()) print(row);
  if (completion.candidates.size() > kListed) {
    print("... " + std::to_string(completion.candidates.size()) + " in all");
  }
}

void Terminal::suspend() {
  end_editing();
  // Once more, and this time with the kernel's own action, which also knows when a
  // process must not be stopped. It ends in SIGCONT.
  struct sigaction standard {};
  struct sigaction ours {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGTSTP, &standard, &ours);
  ::raise(SIGTSTP);
  ::sigaction(SIGTSTP, &ours, nullptr);
  begin_editing();
}

void Terminal::resized() {
  if (!editing_) return;
  const std::size_t before = std::exchange(columns_, width());
  if (line_width() < before) {
    rl_resize_terminal();
  } else {
    // Terminals reflow long lines, so the row where this one begins now is unknown:
    // looking for it would wipe out what stands above.
    rl_reset_screen_size();
    writer_.write("\r\n");
    rl_on_new_line();
    rl_redisplay();
  }
  std::fflush(out_);
}

// What the prompt and the line being typed take on the screen, in columns.
std::size_t Terminal::line_width() const {
  std::string visible;
  bool marked = false;
  for (const char c : prompt_shown_) {
    if (c == RL_PROMPT_START_IGNORE || c == RL_PROMPT_END_IGNORE) {
      marked = c == RL_PROMPT_START_IGNORE;
    } else if (!marked) {
      visible += c;
    }
  }
  append_repaired(visible, {rl_line_buffer, static_cast<std::size_t>(rl_end)});
  return display_width(visible);
}

std::size_t Terminal::queued_bytes() const {
  return writer_.queued_bytes() + print_.size();
}

std::size_t Terminal::width() const {
  // Also where it has hung up, and cannot be asked any more.
  const std::size_t columns = io::terminal_columns(output_);
  return columns == 0 ? io::kUsualColumns : columns;
}

}  // namespace chatd::console
