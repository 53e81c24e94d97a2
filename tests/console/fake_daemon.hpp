/// A daemon as the console sees it, on the same loop: answers and sends what the test tells
/// it to, and keeps what was asked.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/payload.hpp"
#include "io/stream.hpp"
#include "support/io.hpp"

namespace chatd::test {

inline nlohmann::json session_json(int id, const nlohmann::json& name = nullptr) {
  return {{"session", id},
          {"name", name},
          {"address", "somewhere"},
          {"listener", "here"},
          {"dialect", "line"},
          {"state", "open"},
          {"since", "2026-11-23T06:50:00.000Z"},
          {"idle_ms", 0},
          {"unread", 0},
          {"held", 0},
          {"claimed_by", nullptr}};
}

inline nlohmann::json past_json(int seq, int session, const std::string& text) {
  return {{"seq", seq},         {"time", "2026-11-23T06:50:00.000Z"},
          {"session", session}, {"direction", "in"},
          {"text", text},       {"state", "received"}};
}

class FakeDaemon : private io::StreamListener {
 public:
  using Json = nlohmann::json;

  explicit FakeDaemon(io::Loop& loop)
      : streams_{loop, *this, {1 << 20, 1 << 18, 1 << 26}}, flush_{loop, [this] {
                                                                     streams_.flush();
                                                                   }} {
    answers["hello"] = {{"version", "0"}, {"protocol", 1}, {"operator", "root"}, {"seq", 0}};
    answers["subscribe"] = {{"seq", 0}};
    answers["sessions"] = Json::array();
    answers["stats"] = {{"sessions", 1}};
    for (const char* method : {"bye", "kick", "name", "stop", "claim", "release", "ban", "unban",
                               "away", "back", "give", "note", "ops"}) {
      answers[method] = Json::object();
    }
    answers["bans"] = answers["notes"] = Json::array();
    answers["history"] = answers["search"] = {{"messages", Json::array()}, {"more", false}};
    answers["reload"] = {{"changed", Json::array()}, {"needs_restart", Json::array()}};
    answers["send"] = {
        {"delivered", Json::array()}, {"held", Json::array()}, {"refused", Json::array()}};
  }

  /// The console's end of a new connection.
  UniqueFd connect() {
    Pair pair = unix_pair();
    stream_ = *streams_.adopt(std::move(pair.ours));
    return std::move(pair.theirs);
  }

  void say_raw(const std::string& bytes) { (void)streams_.write(stream_, Payload{bytes}); }
  void say(const Json& document) { say_raw(document.dump() + "\n"); }
  void event(const std::string& method, Json params) {
    params["seq"] = ++seq_;
    params["time"] = "2026-11-23T06:50:00.000Z";
    say({{"jsonrpc", "2.0"}, {"method", method}, {"params", params}});
  }
  void connected(int session) {
    answers["sessions"].push_back(session_json(session));
    event("connected", {{"session", session}, {"address", "somewhere"}});
  }
  void disconnected(int session) {
    Json& sessions = answers["sessions"];
    for (std::size_t i = sessions.size(); i-- > 0;) {
      if (sessions[i]["session"] == session) sessions.erase(i);
    }
    event("disconnected", {{"session", session}, {"reason", "gone"}});
  }
  void message(int session, const std::string& text) {
    event("message", {{"session", session}, {"text", text}});
  }
  void hang_up() { streams_.close(stream_); }

  [[nodiscard]] std::vector<Json> asked_for(const std::string& method) const {
    std::vector<Json> params;
    for (const Json& request : asked) {
      if (request["method"] == method) params.push_back(request["params"]);
    }
    return params;
  }

  std::map<std::string, Json> answers;  ///< {"error": {...}} is a refusal
  bool silent = false;                  ///< keeps requests unanswered
  bool ended = false;                   ///< the console has closed
  std::vector<Json> asked;

 private:
  void on_read(io::StreamId, std::string_view bytes) override {
    pending_ += bytes;
    for (std::size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
      asked.push_back(Json::parse(pending_.substr(0, end)));
      pending_.erase(0, end + 1);
      if (!silent) answer(asked.back());
    }
  }
  void answer(const Json& request) {
    const Json& result = answers[request["method"].get<std::string>()];
    Json reply{{"jsonrpc", "2.0"}, {"id", request["id"]}};
    if (result.is_object() && result.contains("error")) {
      reply["error"] = result["error"];
    } else {
      reply["result"] = result;
    }
    say(reply);
  }
  void on_end(io::StreamId id) override {
    ended = true;
    streams_.close(id);
  }
  void on_broken(io::StreamId, int) override { ended = true; }
  void on_drained(io::StreamId) override {}
  void on_clear(io::StreamId) override {}
  void on_closed(io::StreamId, std::size_t) override {}

  std::string pending_;
  std::uint64_t seq_ = 0;
  io::StreamId stream_ = 0;
  io::StreamSet streams_;
  io::TurnEnd flush_;
};

inline nlohmann::json refusal(int code, const std::string& message) {
  return {{"error", {{"code", code}, {"message", message}}}};
}

}  // namespace chatd::test
