/// One connection to the daemon's control socket: requests with their answers, and
/// events. JSON-RPC 2.0, one object a line. Knows nothing of screens or commands.
/// Invariant: every request is answered exactly once, by the daemon or by one of our own
/// codes below.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "console/event.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"

namespace chatd::console {

/// Why the daemon did not do what it was asked for.
struct RpcError {
  int code = 0;
  std::string message;
};

/// Of JSON-RPC 2.0: the params are wrong, or one of them is not known.
inline constexpr int kInvalidParamsCode = -32602;
/// The daemon's own codes.
inline constexpr int kNoSuchSessionCode = 1;
inline constexpr int kClaimedCode = 2;
inline constexpr int kNotAllowedCode = 3;
/// Not the daemon's: the connection was lost before the answer, or there is none.
inline constexpr int kLostCode = -1;
/// Not the daemon's: the request is longer than a line of the protocol may be, or too much
/// waits to be read by the daemon; nothing was sent.
inline constexpr int kTooLongCode = -2;

[[nodiscard]] RpcError decode_error(const nlohmann::json& error);

/// `result` is never null when `error` is empty; valid during the call only.
struct Reply {
  std::optional<RpcError> error;
  const nlohmann::json* result = nullptr;
};

/// A part of the earlier messages: at most `limit` messages, the newest of those before
/// the event `before` (0: of all).
struct Page {
  std::uint64_t before = 0;
  std::size_t limit = 0;
};

/// Whose earlier messages are asked for: those of one session, those of all sessions that were
/// called so when it was said, or without either all.
struct Whose {
  std::optional<SessionId> session = {};
  std::string name = {};
};

class ControlClient : private io::StreamListener {
 public:
  using ReplyCallback = std::function<void(const Reply&)>;

  struct Callbacks {
    /// `document` is the notification as it came.
    std::function<void(const Event&, const nlohmann::json& document)> on_event;
    /// Once for each connection: the daemon closed it, or it broke. All requests
    /// have been answered before.
    std::function<void(const Error&)> on_lost;
    /// Something came that is no answer and no event; one sentence about it.
    std::function<void(std::string_view)> on_nonsense;
  };

  ControlClient(io::Loop& loop, Callbacks callbacks);
  ~ControlClient() override = default;
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  /// Takes a connected socket, in place of one that was lost.
  Result<> attach(UniqueFd socket);
  /// Closes the connection as soon as what is queued has been sent. No further event
  /// comes, and every request is answered with kLostCode inside this call.
  void close();
  [[nodiscard]] bool attached() const { return stream_.has_value(); }

  /// The methods of the protocol. Each calls back exactly once, and not inside the
  /// call unless nothing can be sent at all.
  /// `quiet`: nobody hears of this connection, and it is no operator of the limit.
  void hello(std::string_view name, bool quiet, ReplyCallback callback);
  /// `watch`: nobody is there who could answer a client.
  void subscribe(std::optional<std::uint64_t> since, bool watch, ReplyCallback callback);
  void sessions(ReplyCallback callback);
  void send(SessionId to, std::string_view text, ReplyCallback callback);
  void send_all(std::string_view text, ReplyCallback callback);
  void bye(SessionId session, ReplyCallback callback);
  void kick(SessionId session, std::string_view reason, ReplyCallback callback);
  void kick_all(const std::vector<SessionId>& sessions, std::string_view reason,
                ReplyCallback callback);
  /// Everybody who is connected from there.
  void kick_network(std::string_view address, std::string_view reason, ReplyCallback callback);
  void name(SessionId session, std::string_view name, ReplyCallback callback);
  /// `stay`: the claim outlives this connection.
  void claim(SessionId session, bool force, bool stay, ReplyCallback callback);
  void release(SessionId session, ReplyCallback callback);
  /// The claim is `to`'s from now on, an operator who has to be there.
  void give(SessionId session, std::string_view to, ReplyCallback callback);
  /// Kept with the session, for operators.
  void note(SessionId session, std::string_view text, ReplyCallback callback);
  /// What has been kept so.
  void notes(SessionId session, ReplyCallback callback);
  /// A text for the operators alone.
  void ops(std::string_view text, ReplyCallback callback);
  /// The other operators are told, if they listen, that this one is writing to the session.
  void writing(SessionId session, ReplyCallback callback);
  void operators(ReplyCallback callback);
  void desk(ReplyCallback callback);
  void history(const Whose& whose, Page page, ReplyCallback callback);
  void search(std::string_view text, const Whose& whose, Page page, ReplyCallback callback);
  /// Without `seconds` it has no end. `now`: it ends who is connected from there.
  void ban(std::string_view address, std::optional<std::uint64_t> seconds, bool now,
           ReplyCallback callback);
  void unban(std::string_view address, ReplyCallback callback);
  void bans(ReplyCallback callback);
  /// Those that cost most; without `limit` as many as the daemon thinks right.
  void origins(std::optional<std::uint64_t> limit, ReplyCallback callback);
  void away(std::string_view text, ReplyCallback callback);
  void back(ReplyCallback callback);
  void stats(ReplyCallback callback);
  void reload(ReplyCallback callback);
  void stop(ReplyCallback callback);

  /// How many requests have no answer yet.
  [[nodiscard]] std::size_t unanswered() const { return waiting_.size(); }

  /// Stops and resumes reading from the daemon. Lines that had been read already still
  /// call back.
  void pause();
  void resume();

 private:
  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_drained(io::StreamId id) override;
  void on_clear(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  void end_sessions(nlohmann::json params, std::string_view reason, ReplyCallback callback);
  void call(std::string_view method, const nlohmann::json& params, ReplyCallback callback);
  void handle_line(std::string_view line);
  void handle_answer(const nlohmann::json& document);
  void fail_all(const RpcError& error);
  void lost(const Error& error);

  io::StreamSet streams_;
  io::TurnEnd flush_;
  Callbacks callbacks_;
  std::optional<io::StreamId> stream_;
  std::string partial_;  // the line that has not ended yet
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, ReplyCallback> waiting_;
};

/// Connects to a daemon's unix socket, if check_server() trusts whoever serves it. Does not
/// wait: EAGAIN if the queue of that socket is full.
[[nodiscard]] Result<UniqueFd> connect_control(const std::string& path);

}  // namespace chatd::console
