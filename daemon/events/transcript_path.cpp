#include "events/transcript_path.hpp"

#include <sys/stat.h>

#include <cerrno>

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

Result<> make_folder_of(const std::string& path) {
  for (auto end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return Error::from_errno("make the folder " + folder, errno);
    }
  }
  return {};
}

}  // namespace chatd
