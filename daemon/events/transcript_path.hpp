/// Where the transcript is when nobody said otherwise. Reads the environment.
#pragma once

#include <string>

namespace chatd {

/// The default for `transcript.path`: $STATE_DIRECTORY/transcript.db under systemd,
/// else $XDG_STATE_HOME/chatd/transcript.db, which is ~/.local/state/chatd/transcript.db
/// where that variable is not set. Empty if there is no home either.
[[nodiscard]] std::string default_transcript_path();

}  // namespace chatd
