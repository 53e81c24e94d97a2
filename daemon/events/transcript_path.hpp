/// Where the transcript is when nobody said otherwise. Reads the environment; makes a
/// folder only where it is asked to.
#pragma once

#include <string>

#include "base/result.hpp"

namespace chatd {

/// The default for `transcript.path`: $STATE_DIRECTORY/transcript.db under systemd,
/// else $XDG_STATE_HOME/chatd/transcript.db, which is ~/.local/state/chatd/transcript.db
/// where that variable is not set. Empty if there is no home either.
[[nodiscard]] std::string default_transcript_path();

/// Makes the folder that `path` lies in, and those above it, for this user alone.
[[nodiscard]] Result<> make_folder_of(const std::string& path);

}  // namespace chatd
