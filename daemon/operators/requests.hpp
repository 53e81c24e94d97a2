/// What operators ask: one table of methods, which are those of doc/protocol.md, and the way
/// from a line to its answer. Most methods answer at once; one that has to ask somebody else
/// promises its answer (ControlSocket::defer()) and gives it later. What the methods do stands,
/// noun by noun, in session_requests.cpp, team_requests.cpp, ban_requests.cpp, origin_requests.cpp,
/// own_requests.cpp, past_requests.cpp and daemon_requests.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "clients/clients.hpp"
#include "clients/sessions.hpp"
#include "config/config.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/network.hpp"
#include "operators/attendance.hpp"
#include "operators/control_socket.hpp"
#include "operators/feed.hpp"
#include "operators/reply.hpp"
#include "operators/rpc.hpp"
#include "operators/writers.hpp"

namespace chatd {

/// Bytes of a name; two sentences, in requests.cpp and in doc/protocol.md, say how many.
inline constexpr std::size_t kMaxName = 64;

class Requests {
 public:
  /// What only the daemon as a whole can do.
  struct Hooks {
    /// Loads the configuration anew; the error is a text of one or more lines.
    std::function<Result<ConfigChange>()> reload;
    std::function<void()> stop;
    /// The configuration in force.
    std::function<const Config&()> config;
  };
  /// All that requests are about. It must outlive this.
  struct Parts {
    io::Loop& loop;
    Clients& clients;
    Journal& journal;
    Transcript* transcript;  ///< null: there is neither history nor search
    ControlSocket& socket;
    Feed& feed;
    Attendance& attendance;
    Writers& writers;
    Hooks hooks;
  };
  /// One request, while it is being done.
  struct Request {
    const Parts& parts;
    OperatorId from;
    rpc::Params& params;
    Reply& reply;

    [[nodiscard]] const std::string& operator_name() const {
      return parts.attendance.name_of(from);
    }
    /// As Reply::accept().
    [[nodiscard]] bool accept() const { return reply.accept(params); }
  };

  explicit Requests(Parts parts) : parts_{std::move(parts)} {}

  /// The words of the table: all methods, each once.
  [[nodiscard]] static std::vector<std::string_view> words();

  /// Does what a line (without its LF) asks, and appends the answer to `answers`, unless there
  /// is none, or it is due later.
  void perform(OperatorId from, std::string_view line, std::string& answers);

 private:
  Parts parts_;
};

// The methods. Each reads its params, and does nothing if they are not right.
void ask_sessions(const Requests::Request& request);
void ask_send(const Requests::Request& request);
void ask_bye(const Requests::Request& request);
void ask_kick(const Requests::Request& request);
void ask_name(const Requests::Request& request);
void ask_note(const Requests::Request& request);
void ask_notes(const Requests::Request& request);
void ask_claim(const Requests::Request& request);
void ask_release(const Requests::Request& request);
void ask_give(const Requests::Request& request);
void ask_writing(const Requests::Request& request);
void ask_ops(const Requests::Request& request);
void ask_operators(const Requests::Request& request);
void ask_ban(const Requests::Request& request);
void ask_unban(const Requests::Request& request);
void ask_bans(const Requests::Request& request);
void ask_origins(const Requests::Request& request);
void ask_hello(const Requests::Request& request);
void ask_subscribe(const Requests::Request& request);
void ask_away(const Requests::Request& request);
void ask_back(const Requests::Request& request);
void ask_history(const Requests::Request& request);
void ask_search(const Requests::Request& request);
void ask_stats(const Requests::Request& request);
void ask_desk(const Requests::Request& request);
void ask_reload(const Requests::Request& request);
void ask_stop(const Requests::Request& request);

/// `send`, where what is asked has been read already. `single`: `to` is one session, and if
/// that is refused, so is the request.
void send_to(const Requests::Parts& parts, OperatorId from, const core::Recipients& to, bool single,
             std::string_view text, Reply& reply);

/// The answer about a session that is not there.
void fail_no_session(const Requests::Parts& parts, Reply& reply, core::SessionId session);

/// The network that the param `address` names; nothing if it names none, which becomes the
/// problem of `params`.
std::optional<io::Network> network_of(rpc::Params& params);

/// Appends the members `kicked` and `refused` of an answer.
void append_kicked(std::string& out, const Sessions::Kicked& all);

/// A name is one short line without anything that could deceive a reader; what is
/// wrong with it becomes the problem of `params`.
void check_name(rpc::Params& params, const std::string& name);

}  // namespace chatd
