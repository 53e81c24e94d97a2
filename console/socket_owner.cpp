#include "console/socket_owner.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>

#include "base/control_path.hpp"
#include "base/text.hpp"
#include "base/trusted_path.hpp"
#include "base/user.hpp"

namespace chatd::console {
namespace {

// Whether root gave `uid` something on the way: so far nobody but root can have had a hand in
// what is there.
bool is_given_by_root(const std::vector<PathStep>& way, uid_t uid) {
  assert(!way.empty());
  const uid_t root = way.front().status.st_uid;
  for (const auto& step : way) {
    const uid_t owner = step.status.st_uid;
    if (owner == uid) return true;
    if (owner != root) return false;
    if (!S_ISLNK(step.status.st_mode) && (step.status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      return false;
    }
  }
  return false;
}

}  // namespace

Result<> check_server(int socket, const std::string& path) {
  const auto attempt = "asking who serves " + escaped(path);
  ucred server{};
  socklen_t length = sizeof server;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &server, &length) != 0) {
    return Error::from_errno(attempt, errno);
  }
  if (server.uid == 0 || server.uid == ::geteuid()) return {};
  if (path == detail::temporary_control_path(server.uid)) return {};
  auto way = steps_to(path);
  if (!way) return std::move(way.error()).while_doing(attempt);
  if (is_given_by_root(*way, server.uid)) return {};
  return Error{escaped(path) + " is served by " + user_name(server.uid) +
                   ", who is neither root nor you and did not get its folder from root",
               EPERM};
}

}  // namespace chatd::console
