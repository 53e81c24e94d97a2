#include "operators/control_door.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/user.hpp"
#include "operators/control_folder.hpp"
#include "operators/rpc.hpp"

namespace chatd {

namespace {

constexpr int kBacklog = 64;
constexpr mode_t kMode = 0660;

/// -1 if `group` is empty.
Result<int> gid_of(const std::string& group) {
  if (group.empty()) return -1;
  auto gid = find_group(group);
  if (!gid) return std::move(gid.error()).while_doing("control.group");
  return static_cast<int>(*gid);
}

/// Gives the socket at `path` to the group; -1: it stays as it is. Nothing is done where the
/// group is right already: under systemd it is, and chown is forbidden.
Result<> give_to(const std::string& path, int group, const std::string& name) {
  struct stat status {};
  const auto gid = static_cast<gid_t>(group);
  if (group < 0 || (stat(path.c_str(), &status) == 0 && status.st_gid == gid)) return {};
  if (chown(path.c_str(), static_cast<uid_t>(-1), gid) == 0) return {};
  return Error::from_errno("give " + path + " to the group " + name, errno);
}

void log_failure(const Error& error) {
  spdlog::error("{}", error.message);
}

}  // namespace

ControlDoor::ControlDoor(io::Loop& loop, ControlSocket& socket, std::size_t max_connections)
    : loop_{loop},
      socket_{socket},
      max_connections_{max_connections},
      refusals_{loop, "operator"},
      again_{loop, [this] { ask_all(); }} {}

// ---- the socket ----

Result<> ControlDoor::open(const std::string& path, const std::string& group) {
  path_ = path;
  group_name_ = group;
  auto gid = gid_of(group);
  if (!gid) return std::move(gid.error());
  group_ = *gid;
  const std::string attempt = "open the control socket " + path;
  if (auto folder = prepare_control_folder(path, group_); !folder) {
    return std::move(folder.error()).while_doing(attempt);
  }
  auto acceptor = open_socket(path);
  if (!acceptor) return std::move(acceptor.error()).while_doing("open the control socket");
  acceptor_ = std::move(*acceptor);
  if (auto given = give_to(path, group_, group); !given) return given;
  spdlog::info("operators attach at {}", path);
  return {};
}

Result<> ControlDoor::reopen() {
  if (!acceptor_ || acceptor_->is_in_place()) return {};
  spdlog::warn("the control socket {} is not there any more", path_);
  auto before = std::move(acceptor_);
  // Copies, because open() assigns to both members.
  auto opened = open(std::string{path_}, std::string{group_name_});
  if (!opened) acceptor_ = std::move(before);
  return opened;
}

Result<> ControlDoor::set_group(const std::string& group) {
  if (group == group_name_) return {};
  auto gid = gid_of(group);
  if (!gid) return std::move(gid.error());
  if (auto given = give_to(path_, *gid, group); !given) return given;
  group_name_ = group;
  group_ = *gid;
  members_.clear();
  return {};
}

/// The socket of an earlier process, if it is still at that path; or a new one.
Result<std::unique_ptr<io::Acceptor>> ControlDoor::open_socket(const std::string& path) {
  const io::Endpoint endpoint{"unix:" + path, 0};
  if (acceptor_ && acceptor_->endpoint() == endpoint) return std::move(acceptor_);
  acceptor_.reset();
  return io::Acceptor::listen(loop_, endpoint, kBacklog, on_accept(), log_failure, kMode);
}

int ControlDoor::save(ByteWriter& out) {
  assert(acceptor_);
  acceptor_->save(out);
  return acceptor_->descriptor();
}

void ControlDoor::restore(UniqueFd socket, ByteReader& in) {
  auto acceptor = io::Acceptor::restore(loop_, std::move(socket), in, on_accept(), log_failure);
  if (acceptor) acceptor_ = std::move(*acceptor);
}

io::Acceptor::AcceptCallback ControlDoor::on_accept() {
  return [this](UniqueFd connection, const sockaddr_storage&, socklen_t) {
    accepted(std::move(connection));
  };
}

// ---- who comes ----

void ControlDoor::accepted(UniqueFd connection) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return;
  if (auto reason = objection(connection.get()); !reason.empty()) {
    refuse(std::move(connection), rpc::kNotAllowed, reason);
  } else if (socket_.count() >= max_connections_) {
    refuse(std::move(connection), rpc::kLimit,
           "the limit of connections of operators is reached (control.max_operators)");
  } else {
    (void)socket_.admit(std::move(connection), user_name(peer.uid), false);
  }
}

/// Why the process at the other end may not be an operator; empty if it may: one of root, of
/// this user, or of the group.
///
/// What groups a process has is the kernel's word, and stays what it was when the process
/// began. So a user whom the databases had in the group, and have no more, is not let in by it.
/// Whom they never had there may come all the same: a service of systemd, for example, has
/// groups of its own (SupplementaryGroups=).
std::string ControlDoor::objection(int connection) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return Error::from_errno("ask who it is", errno).message;
  }
  if (peer.uid == 0 || peer.uid == geteuid()) return {};
  const auto refusal = "user " + user_name(peer.uid) + " is not allowed here: ";
  if (!is_in_group(connection, peer.gid)) {
    return refusal + "not root, not the daemon's user, not in control.group";
  }
  const auto named = is_member(peer.uid, static_cast<gid_t>(group_));
  if (named == true) members_.insert(peer.uid);
  if (named == false && members_.contains(peer.uid)) {
    return refusal + "not in control.group any more";
  }
  return {};
}

/// Whether the process has the group; `gid` is its first one.
bool ControlDoor::is_in_group(int connection, gid_t gid) const {
  if (group_ < 0) return false;
  if (gid == static_cast<gid_t>(group_)) return true;
  std::vector<gid_t> groups(1024);
  auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) {
    if (errno != ERANGE) return false;
    groups.resize(bytes / sizeof(gid_t));
  }
  groups.resize(bytes / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), static_cast<gid_t>(group_)) != groups.end();
}

void ControlDoor::ask_all() {
  for (const OperatorId id : socket_.all()) {
    if (!socket_.has(id)) continue;
    const auto reason = objection(socket_.descriptor(id));
    if (reason.empty()) continue;
    std::string answer;
    rpc::append_failure(answer, {"null", rpc::kNotAllowed, reason});
    socket_.write(id, answer);
    if (socket_.has(id)) socket_.leave(id, reason);
  }
}

void ControlDoor::refuse(UniqueFd connection, int code, const std::string& reason) {
  refusals_.add(reason);
  std::string answer;
  rpc::append_failure(answer, {"null", code, reason});
  socket_.refuse(std::move(connection), answer);
}

}  // namespace chatd
