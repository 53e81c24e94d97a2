#include "console/talk.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "console/arguments.hpp"
#include "console/happy_eyeballs.hpp"
#include "console/interactive.hpp"
#include "console/resolve.hpp"
#include "console/server_link.hpp"
#include "console/shake_hands.hpp"
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

// "connected to 127.0.0.1:8080 (localhost)", "... over TLS"
std::string where_reached(const ServerName& server, const io::Endpoint& address) {
  std::string where = "connected to " + address.to_string();
  if (address.address != server.host) where += " (" + server.host + ")";
  return server.tls ? where + " over TLS" : where;
}

ExitCode code_of(const AllUnreached& all) {
  const int error = all.size() == 1 ? all.front().error : 0;
  return error == EACCES || error == EPERM ? ExitCode::kNotAllowed : ExitCode::kNoDaemon;
}

// What is wrong with the command line, before anybody is called.
int wrong_files(const Error& error) {
  complain(error.message);
  return static_cast<int>(ExitCode::kUsage);
}

int strange(const Talk& talk, const Strange& how) {
  std::string why = talk.server.to_string() + " " + how.why;
  if (how.unknown_authority && talk.files.ca.empty()) {
    why += "; --ca FILE says whom else to trust";
  }
  complain(why);
  return static_cast<int>(how.code);
}

}  // namespace

int run_talk(io::Loop& loop, const Talk& talk, bool color) {
  const ServerName& server = talk.server;
  std::optional<tls::ClientHandshake> handshake;
  if (server.tls) {
    auto begun = tls::ClientHandshake::begin(server.host, talk.files);
    if (!begun) return wrong_files(begun.error());
    handshake = std::move(*begun);
  }
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
  Connection connection{std::move(reached.socket)};
  if (handshake) {
    auto shaken = shake_hands(connection.socket.get(), std::move(*handshake));
    if (const auto* how = std::get_if<Strange>(&shaken)) return strange(talk, *how);
    connection.tls = std::move(*std::get_if<tls::ClientSession>(&shaken));
  }
  const std::string where = where_reached(server, reached.address);
  int code = 0;
  const auto on_done = [&](int how) {
    code = how;
    loop.stop();
  };
  if (can_be_interactive(STDIN_FILENO, STDOUT_FILENO)) {
    const TalkTerminal terminal{loop, std::move(connection), {where, color}, on_done};
    loop.run();
  } else {
    complain(where);
    const TalkPipe pipe{loop, std::move(connection), on_done};
    loop.run();
  }
  return code;
}

}  // namespace chatd::console
