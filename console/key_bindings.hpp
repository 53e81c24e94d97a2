/// What the line editor's keys do here. Readline comes with many more than a chat can bear: keys
/// that send a line, put an earlier one in its place, change what all other keys mean, or start
/// an editor; and a user's inputrc may bind them to any key. After restrict_keys() a key can only
/// move the cursor, change the line in sight, or recall an earlier one in sight.
#pragma once

#include <readline/readline.h>

#include <string>

namespace chatd::console {

/// To be called once readline has read the user's bindings. Enter becomes `accept` and Tab
/// `complete`, in every editing mode. Also binds no key to the settings of the terminal later.
void restrict_keys(rl_command_func_t* accept, rl_command_func_t* complete);

/// Whether `sequence` does something in the mode that the editor is in now.
[[nodiscard]] bool is_bound(const std::string& sequence);

}  // namespace chatd::console
