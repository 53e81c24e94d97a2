#include "events/transcript_path.hpp"

#include "base/environment.hpp"

namespace chatd {

std::string default_transcript_path() {
  constexpr const char* kFile = "transcript.db";
  if (const std::string given = first_folder_of("STATE_DIRECTORY"); !given.empty()) {
    return given + '/' + kFile;
  }
  // A relative path there is to be ignored, says its specification.
  std::string state = environment("XDG_STATE_HOME");
  if (!state.starts_with('/')) {
    const std::string home = environment("HOME");
    if (!home.starts_with('/')) return {};
    state = home + "/.local/state";
  }
  return state + "/chatd/" + kFile;
}

}  // namespace chatd
