#include "console/control_client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/payload.hpp"
#include "base/protocol.hpp"
#include "base/text.hpp"
#include "console/socket_owner.hpp"
#include "console/wire.hpp"

namespace chatd::console {
namespace {

using nlohmann::json;

// The daemon answers a longer line by an error and closes the connection.
constexpr std::size_t kMaxRequest = kMaxControlLine - 1;
// The last one bounds what the daemon has not read yet: a request beyond eight of the
// longest is refused.
constexpr io::StreamLimits kLimits{kMaxControlLine, kMaxControlLine / 4, 8 * kMaxControlLine};

// What the operator typed need not be UTF-8; JSON must be.
std::string repaired(std::string_view text) {
  std::string out;
  append_repaired(out, text);
  return out;
}

json to_params(const Whose& whose, Page page) {
  json params{{"limit", page.limit}};
  if (page.before > 0) params["before"] = page.before;
  if (whose.session) params["session"] = *whose.session;
  if (!whose.name.empty()) params["name"] = repaired(whose.name);
  return params;
}

}  // namespace

RpcError decode_error(const json& error) {
  RpcError result{0, "the daemon gave no reason"};
  if (!error.is_object()) return result;
  if (const auto code = error.find("code"); code != error.end() && code->is_number_integer()) {
    result.code = code->get<int>();
  }
  if (const auto message = error.find("message"); message != error.end() && message->is_string()) {
    result.message = message->get_ref<const std::string&>();
  }
  return result;
}

ControlClient::ControlClient(io::Loop& loop, Callbacks callbacks)
    : streams_{loop, *this, kLimits},
      flush_{loop, [this] { streams_.flush(); }},
      callbacks_{std::move(callbacks)} {}

Result<> ControlClient::attach(UniqueFd socket) {
  auto stream = streams_.adopt(std::move(socket));
  if (!stream) return std::move(stream.error()).while_doing("talking to the daemon");
  stream_ = *stream;
  partial_.clear();
  return {};
}

void ControlClient::close() {
  if (!stream_) return;
  streams_.close(*std::exchange(stream_, std::nullopt));
  fail_all({kLostCode, "the console is closing"});
}

void ControlClient::pause() {
  if (stream_) streams_.pause(*stream_);
}

void ControlClient::resume() {
  if (stream_) streams_.resume(*stream_);
}

void ControlClient::hello(std::string_view name, bool quiet, ReplyCallback callback) {
  json params = json::object();
  if (!name.empty()) params["name"] = repaired(name);
  if (quiet) params["quiet"] = true;
  call("hello", params, std::move(callback));
}

void ControlClient::subscribe(std::optional<std::uint64_t> since, bool watch,
                              ReplyCallback callback) {
  json params = json::object();
  if (since) params["since"] = *since;
  if (watch) params["watch"] = true;
  call("subscribe", params, std::move(callback));
}

void ControlClient::sessions(ReplyCallback callback) {
  call("sessions", json::object(), std::move(callback));
}

void ControlClient::send(SessionId to, std::string_view text, ReplyCallback callback) {
  call("send", {{"to", to}, {"text", repaired(text)}}, std::move(callback));
}

void ControlClient::send_all(std::string_view text, ReplyCallback callback) {
  call("send", {{"to", "all"}, {"text", repaired(text)}}, std::move(callback));
}

void ControlClient::bye(SessionId session, ReplyCallback callback) {
  call("bye", {{"session", session}}, std::move(callback));
}

void ControlClient::kick(SessionId session, std::string_view reason, ReplyCallback callback) {
  end_sessions({{"session", session}}, reason, std::move(callback));
}

void ControlClient::kick_all(const std::vector<SessionId>& sessions, std::string_view reason,
                             ReplyCallback callback) {
  end_sessions({{"session", sessions}}, reason, std::move(callback));
}

void ControlClient::kick_network(std::string_view address, std::string_view reason,
                                 ReplyCallback callback) {
  end_sessions({{"address", repaired(address)}}, reason, std::move(callback));
}

void ControlClient::end_sessions(json params, std::string_view reason, ReplyCallback callback) {
  if (!reason.empty()) params["reason"] = repaired(reason);
  call("kick", params, std::move(callback));
}

void ControlClient::name(SessionId session, std::string_view name, ReplyCallback callback) {
  call("name", {{"session", session}, {"name", repaired(name)}}, std::move(callback));
}

void ControlClient::claim(SessionId session, bool force, bool stay, ReplyCallback callback) {
  json params{{"session", session}};
  if (force) params["force"] = true;
  if (stay) params["stay"] = true;
  call("claim", params, std::move(callback));
}

void ControlClient::release(SessionId session, ReplyCallback callback) {
  call("release", {{"session", session}}, std::move(callback));
}

void ControlClient::give(SessionId session, std::string_view to, ReplyCallback callback) {
  call("give", {{"session", session}, {"to", repaired(to)}}, std::move(callback));
}

void ControlClient::note(SessionId session, std::string_view text, ReplyCallback callback) {
  call("note", {{"session", session}, {"text", repaired(text)}}, std::move(callback));
}

void ControlClient::notes(SessionId session, ReplyCallback callback) {
  call("notes", {{"session", session}}, std::move(callback));
}

void ControlClient::ops(std::string_view text, ReplyCallback callback) {
  call("ops", {{"text", repaired(text)}}, std::move(callback));
}

void ControlClient::writing(SessionId session, ReplyCallback callback) {
  call("writing", {{"session", session}}, std::move(callback));
}

void ControlClient::operators(ReplyCallback callback) {
  call("operators", json::object(), std::move(callback));
}

void ControlClient::desk(ReplyCallback callback) {
  call("desk", json::object(), std::move(callback));
}

void ControlClient::history(const Whose& whose, Page page, ReplyCallback callback) {
  call("history", to_params(whose, page), std::move(callback));
}

void ControlClient::search(std::string_view text, const Whose& whose, Page page,
                           ReplyCallback callback) {
  json params = to_params(whose, page);
  params["text"] = repaired(text);
  call("search", params, std::move(callback));
}

void ControlClient::ban(std::string_view address, std::optional<std::uint64_t> seconds, bool now,
                        ReplyCallback callback) {
  json params{{"address", repaired(address)}};
  if (seconds) params["seconds"] = *seconds;
  if (now) params["now"] = true;
  call("ban", params, std::move(callback));
}

void ControlClient::unban(std::string_view address, ReplyCallback callback) {
  call("unban", {{"address", repaired(address)}}, std::move(callback));
}

void ControlClient::origins(std::optional<std::uint64_t> limit, ReplyCallback callback) {
  json params = json::object();
  if (limit) params["limit"] = *limit;
  call("origins", params, std::move(callback));
}

void ControlClient::bans(ReplyCallback callback) {
  call("bans", json::object(), std::move(callback));
}

void ControlClient::away(std::string_view text, ReplyCallback callback) {
  call("away", {{"text", repaired(text)}}, std::move(callback));
}

void ControlClient::back(ReplyCallback callback) {
  call("back", json::object(), std::move(callback));
}

void ControlClient::stats(ReplyCallback callback) {
  call("stats", json::object(), std::move(callback));
}

void ControlClient::reload(ReplyCallback callback) {
  call("reload", json::object(), std::move(callback));
}

void ControlClient::stop(ReplyCallback callback) {
  call("stop", json::object(), std::move(callback));
}

void ControlClient::call(std::string_view method, const json& params, ReplyCallback callback) {
  if (!stream_) {
    return callback({RpcError{kLostCode, "there is no connection to the daemon"}, nullptr});
  }
  const std::uint64_t id = next_id_++;
  const json request{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
  std::string line = request.dump(-1, ' ', false, json::error_handler_t::replace);
  if (line.size() > kMaxRequest) {
    return callback({RpcError{kTooLongCode, "too long; the limit is 1 MiB"}, nullptr});
  }
  line += '\n';
  if (!streams_.write(*stream_, Payload{line})) {
    return callback({RpcError{kTooLongCode, "the daemon is not reading at the moment"}, nullptr});
  }
  waiting_.emplace(id, std::move(callback));
}

void ControlClient::on_read(io::StreamId id, std::string_view bytes) {
  // A callback may close the connection: then what follows is nobody's.
  while (stream_ == id && !bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      if (partial_.size() > kMaxControlAnswer) {
        streams_.abort(id);
        lost({"the daemon sent a line that does not end"});
      }
      return;
    }
    const std::string_view rest = bytes.substr(end + 1);
    if (partial_.empty()) {
      handle_line(bytes.substr(0, end));
    } else {
      partial_.append(bytes.substr(0, end));
      handle_line(std::exchange(partial_, {}));
    }
    bytes = rest;
  }
}

void ControlClient::handle_line(std::string_view line) {
  const json document = json::parse(line, nullptr, false);
  const bool object = document.is_object();
  if (object && document.contains("id")) return handle_answer(document);
  if (object) {
    const auto method = document.find("method");
    const auto params = document.find("params");
    if (method != document.end() && method->is_string() && params != document.end()) {
      callbacks_.on_event(decode_event(method->get_ref<const std::string&>(), *params), document);
      return;
    }
  }
  callbacks_.on_nonsense("the daemon sent something that is not the control protocol: " +
                         escaped(prefix_of(repaired(line.substr(0, 100)), 80)));
}

void ControlClient::handle_answer(const json& document) {
  const json& id = document["id"];
  const auto error = document.find("error");
  const auto found =
      id.is_number_unsigned() ? waiting_.find(id.get<std::uint64_t>()) : waiting_.end();
  if (found == waiting_.end()) {
    const std::string what =
        error == document.end() ? "an answer to no request" : escaped(decode_error(*error).message);
    callbacks_.on_nonsense("the daemon said: " + what);
    return;
  }
  // The callback may make further requests, or close.
  const ReplyCallback callback = std::move(found->second);
  waiting_.erase(found);
  if (error != document.end()) return callback({decode_error(*error), nullptr});
  const auto result = document.find("result");
  static const json kNothing;
  callback({std::nullopt, result == document.end() ? &kNothing : &*result});
}

void ControlClient::on_end(io::StreamId id) {
  if (stream_ != id) return;
  streams_.close(id);
  lost({"the daemon closed the connection"});
}

void ControlClient::on_broken(io::StreamId id, int error) {
  if (stream_ == id) lost(Error::from_errno("the connection to the daemon broke", error));
}

void ControlClient::on_drained(io::StreamId) {}
void ControlClient::on_clear(io::StreamId) {}
void ControlClient::on_closed(io::StreamId, std::size_t) {}

void ControlClient::lost(const Error& error) {
  stream_.reset();
  fail_all({kLostCode, error.message});
  callbacks_.on_lost(error);
}

void ControlClient::fail_all(const RpcError& error) {
  for (auto& [id, callback] : std::exchange(waiting_, {})) callback({error, nullptr});
}

Result<UniqueFd> connect_control(const std::string& path) {
  const std::string attempt = "connecting to " + escaped(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error::from_errno(attempt, ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return Error::from_errno(attempt, errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Error::from_errno(attempt, errno);
  }
  if (auto trusted = check_server(socket.get(), path); !trusted) return std::move(trusted.error());
  return socket;
}

}  // namespace chatd::console
