#include "console/find_daemon.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/control_path.hpp"
#include "base/text.hpp"
#include "console/control_client.hpp"
#include "console/knock.hpp"

namespace chatd::console {
namespace {

// A folder in /tmp that somebody else made first could hold somebody else's socket.
bool is_foreign(const std::string& path) {
  if (path != detail::temporary_control_path()) return false;
  struct stat status {};
  const std::string folder = path.substr(0, path.rfind('/'));
  return ::lstat(folder.c_str(), &status) == 0 && status.st_uid != ::geteuid();
}

// Where nobody said which daemon, it has to let this user in as well.
Result<UniqueFd> connect_to(const std::string& path, bool is_only_place, Duration patience) {
  if (is_only_place) return connect_control(path);
  if (is_foreign(path)) return Error{escaped(path) + ": its folder belongs to somebody else"};
  return knock(path, patience);
}

}  // namespace

std::variant<FoundDaemon, Exit> find_daemon(const std::string& socket, Duration patience) {
  // A script's variable that is unset must not mean some other daemon.
  const char* named = std::getenv("CHATD_SOCKET");
  if (socket.empty() && named != nullptr && *named == '\0') {
    complain("CHATD_SOCKET is empty: give it the path of a socket, or unset it");
    return Exit{ExitCode::kUsage};
  }
  const auto places = socket.empty() ? control_path_candidates() : std::vector{socket};
  std::string tried;
  bool locked_out = false;
  for (const std::string& place : places) {
    auto control = connect_to(place, places.size() == 1, patience);
    if (control) return FoundDaemon{std::move(*control), place};
    const Error& error = control.error();
    locked_out = locked_out || error.code == EACCES || error.code == EPERM;
    tried += (tried.empty() ? "" : "; ") + error.message;
  }
  complain((locked_out ? "no daemon that lets you in: " : "no daemon: ") + tried);
  return Exit{locked_out ? ExitCode::kNotAllowed : ExitCode::kNoDaemon};
}

}  // namespace chatd::console
