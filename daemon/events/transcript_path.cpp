#include "events/transcript_path.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "base/control_path.hpp"

namespace chatd {

std::string default_transcript_path() {
  constexpr const char* kFile = "transcript.db";
  // systemd joins several state folders by a colon; the first one is ours.
  const std::string given = detail::environment("STATE_DIRECTORY");
  if (!given.empty()) return given.substr(0, given.find(':')) + '/' + kFile;
  // A relative path there is to be ignored, says its specification.
  std::string state = detail::environment("XDG_STATE_HOME");
  if (!state.starts_with('/')) {
    const std::string home = detail::environment("HOME");
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
