/// Where operators come in: the socket in its folder, and whom it lets in. Knows no
/// connection once it has been accepted.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "io/acceptor.hpp"
#include "io/loop.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class ControlDoor {
 public:
  /// `accepted` gets each connection, whoever is at its other end.
  ControlDoor(io::Loop& loop, std::function<void(UniqueFd)> accepted);

  /// Opens the socket at `path`, in a folder that is made if it is missing (0750). The group
  /// `group` may use it; empty: none may.
  [[nodiscard]] Result<> open(const std::string& path, const std::string& group);
  /// Opens it again if its file was removed. Errors: there is something else now; then it
  /// is as it was.
  [[nodiscard]] Result<> reopen();
  /// Nobody can connect any more.
  void close() { acceptor_.reset(); }

  /// Writes down the socket for the next process and returns its descriptor. It is open.
  int save(ByteWriter& out);
  /// The socket of an earlier process, to be taken by open() if it is the right one. What
  /// cannot be is refused by the reader.
  void restore(UniqueFd socket, ByteReader& in);

  /// Whether a process may be an operator: one of root, of this user, or of the group. `socket`
  /// is a connection to it, with these credentials.
  [[nodiscard]] bool lets_in(int socket, uid_t uid, gid_t gid) const;

 private:
  Result<std::unique_ptr<io::Acceptor>> open_socket(const std::string& path);
  [[nodiscard]] io::Acceptor::AcceptCallback on_accept();

  io::Loop& loop_;
  std::function<void(UniqueFd)> accepted_;
  std::string path_;
  std::string group_name_;
  int group_ = -1;  ///< gid whose members may connect; -1: none
  std::unique_ptr<io::Acceptor> acceptor_;
};

}  // namespace chatd
