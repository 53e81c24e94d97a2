/// The methods of the control protocol that are the same for every operator: what
/// may be asked of the server and of the daemon as a whole. A request goes in, an
/// answer comes out; this knows no connection.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "clients/clients.hpp"
#include "config/config.hpp"
#include "events/event_log.hpp"
#include "io/loop.hpp"
#include "operators/rpc.hpp"

namespace chatd {

/// The answer to one request, as it is built.
struct Reply {
  std::string_view id;  ///< as JSON; empty: nobody wants an answer
  std::string out;      ///< the line, with its LF; empty if there is none

  void result(std::string_view json) {
    result_by([json](std::string& line) { line += json; });
  }
  /// The same; `append(out)` appends the JSON.
  template <class Append>
  void result_by(Append append) {
    if (id.empty()) return;
    rpc::begin_result(out, id);
    append(out);
    rpc::end_result(out);
  }
  void fail(int code, std::string message) {
    if (!id.empty()) rpc::append_failure(out, {std::string{id}, code, std::move(message)});
  }
  /// False, with the answer that says so, if the params are not right.
  bool accept(rpc::Params& params) {
    if (params.good()) return true;
    fail(rpc::kInvalidParams, params.problem());
    return false;
  }
};

/// A name is one short line without anything that could deceive a reader; what is
/// wrong with it becomes the problem of `params`.
void check_name(rpc::Params& params, const std::string& name);

class Methods {
 public:
  /// What only the daemon as a whole can do.
  struct Hooks {
    /// Loads the configuration anew; the error is a text of one or more lines.
    std::function<Result<ConfigChange>()> reload;
    std::function<void()> stop;
  };

  /// Who asks.
  struct Caller {
    std::string_view name;
    std::size_t operators;  ///< how many of them there are
  };

  Methods(io::Loop& loop, Clients& clients, EventLog& log, Hooks hooks)
      : loop_{loop}, clients_{clients}, log_{log}, hooks_{std::move(hooks)} {}

  /// Does what is asked and answers it. False if there is no such method.
  [[nodiscard]] bool call(std::string_view method, const Caller& caller, rpc::Params& params,
                          Reply& reply);

  /// `send`, where what is asked has been read already. `single`: `to` is one session,
  /// and if that is refused, so is the request.
  void send_to(const Caller& caller, const core::Recipients& to, bool single, std::string_view text,
               Reply& reply);

 private:
  using Method = void (Methods::*)(const Caller& caller, rpc::Params& params, Reply& reply);

  static Method find(std::string_view name);
  void answer(Reply& reply, core::Outcome outcome, core::SessionId session) const;
  void sessions(const Caller& caller, rpc::Params& params, Reply& reply);
  void send(const Caller& caller, rpc::Params& params, Reply& reply);
  void bye(const Caller& caller, rpc::Params& params, Reply& reply);
  void kick(const Caller& caller, rpc::Params& params, Reply& reply);
  void name(const Caller& caller, rpc::Params& params, Reply& reply);
  void claim(const Caller& caller, rpc::Params& params, Reply& reply);
  void release(const Caller& caller, rpc::Params& params, Reply& reply);
  void ban(const Caller& caller, rpc::Params& params, Reply& reply);
  void unban(const Caller& caller, rpc::Params& params, Reply& reply);
  void bans(const Caller& caller, rpc::Params& params, Reply& reply);
  void stats(const Caller& caller, rpc::Params& params, Reply& reply);
  void reload(const Caller& caller, rpc::Params& params, Reply& reply);
  void stop(const Caller& caller, rpc::Params& params, Reply& reply);

  io::Loop& loop_;
  Clients& clients_;
  EventLog& log_;
  Hooks hooks_;
};

}  // namespace chatd
