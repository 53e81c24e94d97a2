#include "console/key_bindings.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace chatd::console {
namespace {

// Keymaps may lie within each other, by a user's bindings also in a circle.
constexpr int kDeepest = 16;
constexpr int kCtrlX = 'X' & 0x1f;

// By name, for not every version has all of them.
constexpr std::array kAllowed{
    // moving
    "backward-byte", "backward-char", "backward-word", "beginning-of-line", "clear-screen",
    "end-of-line", "exchange-point-and-mark", "forward-byte", "forward-char", "forward-word",
    "next-screen-line", "previous-screen-line", "redraw-current-line", "set-mark",

    // changing what is in sight
    "abort", "backward-delete-char", "backward-kill-line", "backward-kill-word",
    "bracketed-paste-begin", "capitalize-word", "copy-backward-word", "copy-forward-word",
    "copy-region-as-kill", "delete-char", "delete-horizontal-space", "do-lowercase-version",
    "downcase-word", "forward-backward-delete-char", "kill-line", "kill-region", "kill-whole-line",
    "kill-word", "self-insert", "transpose-chars", "transpose-words", "undo",
    "unix-filename-rubout", "unix-line-discard", "unix-word-rubout", "upcase-word", "yank",
    "yank-pop",
    // recalling
    "fetch-history", "forward-search-history", "history-search-backward", "history-search-forward",
    "history-substring-search-backward", "history-substring-search-forward", "next-history",
    "previous-history", "reverse-search-history",
    // the vi mode's own
    "vi-append-eol", "vi-append-mode", "vi-arg-digit", "vi-back-to-indent", "vi-backward-bigword",
    "vi-backward-word", "vi-bWord", "vi-bword", "vi-change-case", "vi-change-char", "vi-change-to",
    "vi-char-search", "vi-column", "vi-delete", "vi-delete-to", "vi-eWord", "vi-end-bigword",
    "vi-end-word", "vi-eword", "vi-fWord", "vi-fetch-history", "vi-first-print",
    "vi-forward-bigword", "vi-forward-word", "vi-fword", "vi-goto-mark", "vi-insert-beg",
    "vi-insertion-mode", "vi-match", "vi-movement-mode", "vi-next-word", "vi-prev-word", "vi-put",
    "vi-redo", "vi-replace", "vi-rubout", "vi-search", "vi-search-again", "vi-set-mark", "vi-subst",
    "vi-undo", "vi-unix-word-rubout", "vi-yank-pop", "vi-yank-to"};

std::vector<rl_command_func_t*> allowed() {
  std::vector<rl_command_func_t*> functions;
  for (const char* name : kAllowed) {
    if (auto* function = rl_named_function(name)) functions.push_back(function);
  }
  return functions;
}

// As the vi mode has it for keys without a meaning.
bool is_control(int key) {
  return key < ' ' || key == 0x7f;
}

void take_away(KEYMAP_ENTRY& entry) {
  // A macro is the entry's own, in the place of a function, as readline has it where it binds
  // another one to the key.
  // NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
  if (entry.type == ISMACR) std::free(reinterpret_cast<void*>(entry.function));
  entry.type = ISFUNC;
  entry.function = nullptr;
}

// A macro that ends a line was written for a shell.
bool ends_a_line(const KEYMAP_ENTRY& entry) {
  const auto* macro = reinterpret_cast<const char*>(entry.function);
  return macro != nullptr && std::strpbrk(macro, "\r\n") != nullptr;
}

void restrict_keymap(Keymap keymap, const std::vector<rl_command_func_t*>& functions, int depth) {
  for (int key = 0; key < KEYMAP_SIZE; ++key) {
    KEYMAP_ENTRY& entry = keymap[key];
    if (entry.function == nullptr) continue;
    if (entry.type == ISKMAP) {
      if (depth < kDeepest) {
        restrict_keymap(reinterpret_cast<Keymap>(entry.function), functions, depth + 1);
      } else {
        take_away(entry);
      }
    } else if (entry.type == ISMACR) {
      if (ends_a_line(entry)) take_away(entry);
    } else if (std::find(functions.begin(), functions.end(), entry.function) == functions.end() ||
               (entry.function == rl_insert && is_control(key))) {
      take_away(entry);
    }
  }
}

}  // namespace

void restrict_keys(rl_command_func_t* accept, rl_command_func_t* complete) {
  // Else each time that the terminal is prepared its own keys are bound again.
  rl_variable_bind("bind-tty-special-chars", "off");
  // A prefix eats the key after it.
  take_away(emacs_standard_keymap[kCtrlX]);
  const auto functions = allowed();
  for (Keymap keymap : {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap}) {
    restrict_keymap(keymap, functions, 0);
    rl_bind_key_in_map('\r', accept, keymap);
  }
  for (Keymap keymap : {emacs_standard_keymap, vi_insertion_keymap}) {
    rl_bind_key_in_map('\t', complete, keymap);
  }
}

bool is_bound(const std::string& sequence) {
  int type = ISFUNC;
  auto* function =
      rl_function_of_keyseq_len(sequence.data(), sequence.size(), rl_get_keymap(), &type);
  return function != nullptr && type != ISKMAP;
}

}  // namespace chatd::console
