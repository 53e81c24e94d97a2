#include "console/talk.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "console/arguments.hpp"
#include "console/happy_eyeballs.hpp"
#include "console/interactive.hpp"
#include "console/resolve.hpp"
#include "console/talk_pipe.hpp"
#include "console/talk_terminal.hpp"

namespace chatd::console {
namespace {

// "cannot reach localhost:8080: ::1: Connection refused; 127.0.0.1: Connection refused"
std::string why_unreached(const ServerName& server, const AllUnreached& all) {
  std::string why = "cannot reach " + server.to_string() + ": ";
  for (const Unreached& each : all) {
    if (&each != &all.front()) why += "; ";
    if (each.address.address != server.host) why += each.address.address + ": ";
    why += std::strerror(each.error);
  }
  return why;
}

// "connected to 127.0.0.1:8080 (localhost)"
std::string where_reached(const ServerName& server, const io::Endpoint& address) {
  std::string where = "connected to " + address.to_string();
  if (address.address != server.host) where += " (" + server.host + ")";
  return where;
}

ExitCode code_of(const AllUnreached& all) {
  const int error = all.size() == 1 ? all.front().error : 0;
  return error == EACCES || error == EPERM ? ExitCode::kNotAllowed : ExitCode::kNoDaemon;
}

}  // namespace

int run_talk(io::Loop& loop, const ServerName& server, bool color) {
  auto addresses = resolve(server);
  if (!addresses) {
    complain(addresses.error().message);
    return static_cast<int>(ExitCode::kNoDaemon);
  }
  auto outcome = reach(loop, interleaved(*addresses));
  if (const auto* unreached = std::get_if<AllUnreached>(&outcome)) {
    complain(why_unreached(server, *unreached));
    return static_cast<int>(code_of(*unreached));
  }
  auto& reached = *std::get_if<Reached>(&outcome);
  const std::string where = where_reached(server, reached.address);
  int code = 0;
  const auto on_done = [&](int how) {
    code = how;
    loop.stop();
  };
  if (can_be_interactive(STDIN_FILENO, STDOUT_FILENO)) {
    const TalkTerminal talk{loop, std::move(reached.socket), {where, color}, on_done};
    loop.run();
  } else {
    complain(where);
    const TalkPipe talk{loop, std::move(reached.socket), on_done};
    loop.run();
  }
  return code;
}

}  // namespace chatd::console
