#include "console/terminal.hpp"

#include <fcntl.h>
#include <langinfo.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "base/rows.hpp"
#include "base/text.hpp"
#include "console/kept_lines.hpp"
#include "console/key_bindings.hpp"
#include "console/table.hpp"

namespace chatd::console {
namespace {

constexpr std::size_t kListed = 60;  // candidates shown at most
// Bytes of a paste that are looked for: readline looks anew after each of them.
constexpr std::size_t kMostSought = 200;
constexpr Duration kForegroundLook{250};
constexpr std::size_t kMostWaiting = 64UL * 1024;  // bytes of keys while the input is held
constexpr char kCtrlBackslash = '\x1c';
constexpr char kCtrlZ = '\x1a';

// While one of these is on, the prompt on the screen is readline's own.
constexpr unsigned long kOwnPrompt =
    RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_VIMOTION;

// While one of these is on, the next key belongs to a command that has begun.
constexpr unsigned long kHalfCommand = kOwnPrompt | RL_STATE_CHARSEARCH | RL_STATE_MULTIKEY;

Terminal* g_terminal = nullptr;

bool is_vi() {
  return rl_editing_mode == 0;
}

// Page-Up, Page-Down and Insert, whatever they are pressed with. To readline the first two are an
// earlier line, on an empty one, and the last changes what all letters do: nobody means that here.
bool is_page_or_insert(const std::string& sequence) {
  constexpr std::array<std::string_view, 3> kBegins{"\x1b[2", "\x1b[5", "\x1b[6"};
  return std::any_of(kBegins.begin(), kBegins.end(), [&sequence](std::string_view begin) {
    return sequence.size() > begin.size() && sequence.starts_with(begin) &&
           std::strchr(";~^$@", sequence[begin.size()]) != nullptr;
  });
}

// --- the terminal's settings ---

// By keys that would be signals a whole group of processes is ended or stopped.
void take_signal_keys(int terminal) {
  termios settings{};
  if (::tcgetattr(terminal, &settings) != 0) return;
  settings.c_lflag &= ~static_cast<tcflag_t>(ISIG);
  ::tcsetattr(terminal, TCSANOW, &settings);
}

// What is needed to give the terminal back in the middle of a crash.
struct Kept {
  int terminal = -1;
  int output = -1;
  termios settings{};
};
Kept g_kept;
constexpr std::array kCrashes{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

void crashed(int signal) {
  constexpr std::string_view kPlain = "\x1b[?2004l\r\n";
  ::tcsetattr(g_kept.terminal, TCSANOW, &g_kept.settings);
  [[maybe_unused]] const auto written = ::write(g_kept.output, kPlain.data(), kPlain.size());
  ::raise(signal);
}

void keep_for_crash(int terminal, int output) {
  if (::tcgetattr(terminal, &g_kept.settings) != 0) return;
  g_kept.terminal = terminal;
  g_kept.output = output;
  struct sigaction action {};
  action.sa_handler = crashed;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : kCrashes) {
    struct sigaction before {};
    // Somebody else, such as a sanitizer, may have plans.
    const bool is_free = ::sigaction(signal, nullptr, &before) == 0 &&
                         (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL;
    if (is_free) ::sigaction(signal, &action, nullptr);
  }
}

void forget_for_crash() {
  for (const int signal : kCrashes) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == crashed) {
      std::signal(signal, SIG_DFL);
    }
  }
}

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term == nullptr || *term == '\0' || std::strcmp(term, "dumb") == 0;
}

// Whether the terminal has a title that can be set, and can keep the one that it had.
bool has_titles() {
  const char* term = std::getenv("TERM");
  if (term == nullptr) return false;
  constexpr std::array<std::string_view, 13> kKinds{
      "xterm",   "screen", "tmux", "rxvt",  "alacritty", "foot",   "kitty",
      "konsole", "gnome",  "vte",  "putty", "st-",       "wezterm"};
  return std::any_of(kKinds.begin(), kKinds.end(), [term](std::string_view kind) {
    return std::string_view{term}.starts_with(kind);
  });
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
  static int getc(std::FILE*) {
    if (g_terminal == nullptr || input_available() == 0) return EOF;
    return static_cast<unsigned char>(g_terminal->given_[g_terminal->given_next_++]);
  }
  static int input_available() {
    return g_terminal != nullptr && g_terminal->given_next_ < g_terminal->given_.size() ? 1 : 0;
  }
  static void prepare(int meta) {
    if (g_terminal != nullptr && g_terminal->editing_) rl_prep_terminal(meta);
  }
  static void restore() {}  // not after each line: end_editing() does it
  static int accept_line(int, int) { return g_terminal == nullptr ? 0 : g_terminal->accept_line(); }
  static int complete_word(int, int) {
    return g_terminal == nullptr ? 0 : g_terminal->complete_word();
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
                   TerminalHabits habits)
    : loop_{loop},
      listener_{listener},
      habits_{std::move(habits)},
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
      reader_{loop, input, [this](std::string_view bytes) { heard(bytes); },
              [this](int) {
                if (!std::exchange(ended_, true)) listener_.on_input_end();
              }},
      winch_{loop, SIGWINCH, [this] { resized(); }},
      stop_{loop, SIGTSTP, [this] { stop_key(); }},
      cont_{loop, SIGCONT,
            [this] {
              end_editing();
              begin_editing();
            }},
      foreground_{loop, [this] { begin_editing(); }},
      lapse_{loop, [this] { lapse(); }},
      turn_end_{loop, [this] { redraw(); }} {
  g_terminal = this;
  reader_.pause();
  open_readline();
  read_history();
}

Terminal::~Terminal() {
  if (!print_.empty()) redraw();
  if (installed_) {
    if (RL_ISSTATE(RL_STATE_NSEARCH)) cancel_half_command();
    if (RL_ISSTATE(kHalfCommand)) rl_callback_sigcleanup();
    leave_history();
    Terminal::remember(Terminal::line());
  }
  end_editing();
  rl_callback_handler_remove();
  g_terminal = nullptr;
  rl_instream = nullptr;
  rl_outstream = nullptr;
  if (out_ != nullptr) std::fclose(out_);
  if (in_ != nullptr) std::fclose(in_);
  // Whoever cannot keep them does without: a console must be able to end.
  if (habits_.history > 0 && !habits_.lines_file.empty() && !typed_.empty()) {
    // A daemon's own console, which cannot be stopped, does not let its clients wait for others.
    (void)keep_lines(habits_.lines_file, typed_, habits_.history,
                     habits_.can_be_stopped ? kLockAttempts : 1);
  }
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
  // Whatever the user's bindings say: else each line of a paste would be one of its own, and
  // letters would be taken for Alt with others.
  if (!is_dumb()) rl_variable_bind("enable-bracketed-paste", "on");
  rl_variable_bind("enable-meta-key", "off");
  rl_variable_bind("input-meta", "on");
  rl_variable_bind("output-meta", "on");
  rl_variable_bind("convert-meta", "off");
  restrict_keys(&Hooks::accept_line, &Hooks::complete_word);
}

void Terminal::read_history() {
  using_history();
  clear_history();
  stifle_history(
      static_cast<int>(std::min<std::size_t>(habits_.history, std::numeric_limits<int>::max())));
  if (habits_.history == 0 || habits_.lines_file.empty()) return;
  for (const std::string& line : read_kept_lines(habits_.lines_file, habits_.history)) {
    add_history(line.c_str());
  }
}

void Terminal::begin_editing() {
  if (editing_ || ended_ || held_ || closed_) return;
  if (io::in_background(::fileno(in_))) return foreground_.start(kForegroundLook);
  editing_ = true;
  prompt_shown_ = prompt_;
  keep_for_crash(::fileno(in_), output_);
  if (!std::exchange(installed_, true)) {
    rl_callback_handler_install(prompt_.c_str(), &Hooks::line);
  } else {
    rl_deprep_terminal();  // which could not be done in the background
    rl_prep_terminal(1);
    rl_reset_screen_size();
  }
  take_signal_keys(::fileno(in_));
  columns_ = width();
  dirty_ = true;
  show_title();
  reader_.resume();
}

void Terminal::end_editing() {
  foreground_.stop();
  if (editing_ && RL_ISSTATE(RL_STATE_NSEARCH) && !io::in_background(::fileno(in_))) {
    cancel_half_command();
  }
  if (!std::exchange(editing_, false)) return;
  reader_.pause();
  lapse_.stop();
  keys_.clear();
  if (io::in_background(::fileno(in_))) return;
  // A terminal that was stopped (Ctrl-S) would hold these last words back, too.
  ::tcflow(::fileno(in_), TCOON);
  rl_clear_visible_line();
  rl_on_new_line();
  rl_deprep_terminal();
  std::fflush(out_);
  give_title_back();
  writer_.flush();
  forget_for_crash();
}

void Terminal::close() {
  hold_input(true);
  if (dirty_) redraw();
  // What was typed for this console is not for the shell.
  if (editing_) ::tcflush(::fileno(in_), TCIFLUSH);
  end_editing();
  // Where this is called inside readline, it still means to show its prompt.
  mute_ = closed_ = true;
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
  if (RL_ISSTATE(kOwnPrompt)) cancel_half_command();
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
  if (held) return;
  if (!editing_) return begin_editing();
  feed();
}

// --- keys ---

void Terminal::heard(std::string_view bytes) {
  keys_.push(bytes, loop_.now());
  feed();
  watch_keys();
}

void Terminal::lapse() {
  keys_.lapse(loop_.now());
  feed();
  watch_keys();
}

void Terminal::watch_keys() {
  if (!editing_ || ended_) return;
  if (keys_.deadline() == kNever) {
    lapse_.stop();
  } else {
    lapse_.start(std::max(Duration{1}, keys_.deadline() - loop_.now()));
  }
  // What is typed while the input is held waits here, up to a point.
  if (keys_.waiting() < kMostWaiting) {
    reader_.resume();
  } else {
    reader_.pause();
  }
}

void Terminal::feed() {
  // The listener may hold and release the input while it is given a line.
  if (std::exchange(feeding_, true)) return;
  while (!ended_ && editing_) {
    if (held_) {
      if (!take_signal_key()) break;
    } else if (keys_.has_keys()) {
      take(keys_.take());
    } else {
      break;
    }
  }
  feeding_ = false;
  if (editing_ && keys_.waiting() < kMostWaiting) reader_.resume();
  if (prompt_ != prompt_shown_ && !RL_ISSTATE(kOwnPrompt)) dirty_ = true;
  std::fflush(out_);
}

// As a terminal does it for a program that does not read: such a key throws away what was typed
// before it, and acts at once.
bool Terminal::take_signal_key() {
  for (const char key : {kCtrlC, kCtrlBackslash, kCtrlZ}) {
    if (!keys_.skip_to(key)) continue;
    take({Key::Kind::kControl, {key}});
    return true;
  }
  return false;
}

void Terminal::take(const Key& key) {
  using Kind = Key::Kind;
  const bool may_leave =
      key.kind == Kind::kControl && (key.bytes[0] == kCtrlC || key.bytes[0] == kCtrlD);
  if (!may_leave) listener_.on_key();
  const bool searched = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);
  // Any of these may recall an earlier line, and end with that one being sent.
  if (key.kind != Kind::kText && at_own_line()) own_line_ = line();
  switch (key.kind) {
    case Kind::kText:
      if (!search_more(key.bytes)) to_readline(key.bytes);
      break;
    case Kind::kControl:
      control(key);
      break;
    case Kind::kAlt:
      alt(key);
      break;
    case Kind::kSequence:
      cancel_half_command();
      if (!is_page_or_insert(key.bytes)) pass_if_bound(key.bytes);
      break;
    case Kind::kEscape:
      cancel_half_command();
      if (is_vi()) to_readline("\x1b");
      break;
    case Kind::kPaste:
      insert(key.bytes);
      break;
    case Kind::kLongPaste:
      listener_.on_long_line();
      break;
  }
  // Of what was looked for, where that had several rows, readline leaves a part on the screen.
  if (searched && !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)) dirty_ = true;
  // In vi's search the line is what is looked for, and the one being typed is put by.
  if (editing_ && !RL_ISSTATE(RL_STATE_NSEARCH)) listener_.on_edited(rl_end == 0);
}

void Terminal::control(const Key& key) {
  switch (key.bytes[0]) {
    case kCtrlC:
      return press_ctrl_c();
    case kCtrlD:
      if (rl_end == 0 && !RL_ISSTATE(kOwnPrompt)) return listener_.on_leave(kCtrlD);
      return is_vi() ? void() : pass_if_bound(key.bytes);
    case kCtrlBackslash:
      return listener_.on_quit_key();
    case kCtrlZ:
      return stop_key();
    case '\n':
      return new_line();
    default:
      // A search takes all of them, and ends by those that it does not know.
      return RL_ISSTATE(kOwnPrompt) ? to_readline(key.bytes) : pass_if_bound(key.bytes);
  }
}

void Terminal::alt(const Key& key) {
  cancel_half_command();
  const char c = key.bytes[0];
  if (c == '\r' || c == '\n') return new_line();
  if (c == 'a' || c == 'A') return listener_.on_jump(0);
  if (c >= '1' && c <= '9') return listener_.on_jump(c - '0');
  if (c == 'o' || c == 'O') return listener_.on_only();
  if (is_vi() && !is_bound("\x1b" + key.bytes)) {
    if (c == '\x7f' || static_cast<unsigned char>(c) < ' ') return;
    // Esc and then a command, by somebody who is fast.
    to_readline("\x1b");
    return to_readline(key.bytes);
  }
  pass_if_bound("\x1b" + key.bytes);
}

void Terminal::to_readline(std::string_view bytes) {
  given_ = bytes;
  given_next_ = 0;
  while (editing_ && given_next_ < given_.size()) {
    const std::size_t before = given_next_;
    rl_callback_read_char();
    if (given_next_ == before) break;
  }
  given_.clear();
  given_next_ = 0;
}

void Terminal::pass_if_bound(const std::string& bytes) {
  if (is_bound(bytes)) to_readline(bytes);
}

// It ends a search.
void Terminal::new_line() {
  cancel_half_command();
  insert_text("\n");
}

// Whether a search is on, which takes the beginning of it: of a paste, or of what a terminal
// without the marks of one has pasted.
bool Terminal::search_more(std::string_view text) {
  if (!RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)) return false;
  std::string sought{prefix_of(text, kMostSought)};
  for (char& c : sought) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  to_readline(sought);
  return true;
}

void Terminal::insert(std::string_view pasted) {
  if (search_more(pasted)) return;
  cancel_half_command();
  insert_text(std::string{pasted});
}

void Terminal::insert_text(const std::string& text) {
  rl_begin_undo_group();
  rl_insert_text(text.c_str());
  rl_end_undo_group();
  rl_redisplay();
}

// What readline waits with for another key (a search, an argument, a motion) ends here. A line
// that was found stays.
void Terminal::cancel_half_command() {
  // Of vi's search readline itself brings the line back.
  if (RL_ISSTATE(RL_STATE_MULTIKEY | RL_STATE_NSEARCH)) to_readline("\x07");
  if (!RL_ISSTATE(kHalfCommand)) return;
  rl_callback_sigcleanup();
  rl_clear_message();
}

// Whether the line is one that is being typed, and not an earlier one.
bool Terminal::at_own_line() const {
  return where_history() == history_length && !RL_ISSTATE(kOwnPrompt);
}

void Terminal::interrupt() {
  if (!editing_) return listener_.on_leave(kCtrlC);
  press_ctrl_c();
  if (!editing_) return;
  listener_.on_edited(rl_end == 0);
  std::fflush(out_);
}

void Terminal::press_ctrl_c() {
  if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)) return to_readline("\x07");
  cancel_half_command();
  if (rl_end == 0) return listener_.on_leave(kCtrlC);
  clear_line();
}

void Terminal::clear_line() {
  leave_history();
  remember(line());
  rl_replace_line("", 1);
  if (is_vi()) rl_vi_insertion_mode(1, 0);
  rl_redisplay();
}

// --- lines ---

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
  // The one that waited behind an earlier line that is sent now is kept once readline is through.
  if (at_own_line()) own_line_.clear();
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

// Called by readline when a line has ended: by accept_line(), or by an end of file that a macro of
// the user's makes (null), which ends nothing.
void Terminal::line_ended(const char* line) {
  if (line == nullptr || !std::exchange(accepted_, false)) return;
  remember(std::exchange(own_line_, {}));
  remember(line);
}

void Terminal::remember(std::string_view line) {
  const bool at_end = where_history() == history_length;
  const bool blank = line.find_first_not_of(" \n\t") == std::string_view::npos;
  if (blank || habits_.history == 0) return;
  const HIST_ENTRY* last =
      history_length > 0 ? history_get(history_base + history_length - 1) : nullptr;
  if (last != nullptr && line == last->line) return;
  add_history(std::string{line}.c_str());
  if (at_end) using_history();  // behind that one
  typed_.emplace_back(line);
  if (typed_.size() > habits_.history) typed_.erase(typed_.begin());
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

void Terminal::stop_key() {
  if (habits_.can_be_stopped) return suspend();
  listener_.on_stop_key();
}

void Terminal::suspend() {
  end_editing();
  // To all that the shell started with this, and with the kernel's own action, which also knows
  // when a process must not be stopped. It ends in SIGCONT.
  struct sigaction standard {};
  struct sigaction ours {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGTSTP, &standard, &ours);
  ::kill(0, SIGTSTP);
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
  listener_.on_resized();
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

std::size_t Terminal::height() const {
  return io::terminal_rows(output_);
}

}  // namespace chatd::console
