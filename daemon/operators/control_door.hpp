/// Where operators come in: the socket in its folder, whom it lets in, and how many at most. Knows
/// no connection once ControlSocket has it.
///
/// Invariant: a connection is admitted or told why not, and every refusal is counted in the log.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "io/acceptor.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "log/refusals.hpp"
#include "operators/control_socket.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class ControlDoor {
 public:
  /// Whoever is let in is admitted to `socket`.
  ControlDoor(io::Loop& loop, ControlSocket& socket, std::size_t max_connections);

  /// Opens the socket at `path`, in a folder that is made if it is missing (0750). The group
  /// `group` may use it; empty: no group may.
  [[nodiscard]] Result<> open(const std::string& path, const std::string& group);
  /// Opens it again if its file was removed. Errors: there is something else now; then it
  /// is as it was.
  [[nodiscard]] Result<> reopen();
  /// The group `group` may use it from now on, in place of the one before; what that means for
  /// those who are there is said by ask_again(). Errors: there is no such group; the socket
  /// cannot be given to it. Then nothing has changed.
  [[nodiscard]] Result<> set_group(const std::string& group);
  /// Soon asks for everyone who is attached whether it may still be; whoever may not has to
  /// leave, and is told why.
  void ask_again() { again_.start(Duration{0}); }
  /// Nobody can connect any more.
  void close() { acceptor_.reset(); }

  /// Writes down the socket for the next process and returns its descriptor. It is open.
  int save(ByteWriter& out);
  /// The socket of an earlier process: open() uses it if it is the right one. Data that cannot
  /// be right are refused by the reader.
  void restore(UniqueFd socket, ByteReader& in);

  /// Holds for those who come from now on.
  void set_max_connections(std::size_t count) { max_connections_ = count; }

 private:
  Result<std::unique_ptr<io::Acceptor>> open_socket(const std::string& path);
  [[nodiscard]] io::Acceptor::AcceptCallback on_accept();
  void accepted(UniqueFd connection);
  [[nodiscard]] std::string objection(int connection);
  [[nodiscard]] bool is_in_group(int connection, gid_t gid) const;
  void ask_all();
  void refuse(UniqueFd connection, int code, const std::string& reason);

  io::Loop& loop_;
  ControlSocket& socket_;
  std::size_t max_connections_;
  std::string path_;
  std::string group_name_;
  int group_ = -1;  ///< gid whose members may connect; -1: none
  /// Users whom the databases had in that group when they were let in.
  std::set<uid_t> members_;
  std::unique_ptr<io::Acceptor> acceptor_;
  Refusals refusals_;
  io::Timer again_;
};

}  // namespace chatd
