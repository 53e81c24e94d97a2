// Requests about the daemon as a whole: its counters, its configuration, its end.
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "operators/requests.hpp"

namespace chatd {

void ask_stats(const Requests::Request& request) {
  if (!request.accept()) return;
  const ClientStats stats = request.parts.clients.stats();
  std::string result = "{";
  const auto add = [&result](std::string_view name, const std::string& value) {
    if (result.size() > 1) result += ',';
    result += '"';
    result += name;
    result += "\":";
    result += value;
  };
  add("sessions", std::to_string(stats.sessions));
  add("accepted", std::to_string(stats.accepted));
  add("refused", std::to_string(stats.refused));
  add("messages_in", std::to_string(stats.messages_in));
  add("messages_out", std::to_string(stats.messages_out));
  add("delivered", std::to_string(stats.delivered));
  add("held", std::to_string(stats.held));
  add("lost", std::to_string(stats.lost));
  add("queued_bytes", std::to_string(stats.queued_bytes));
  add("requests", std::to_string(stats.requests));
  add("operators", std::to_string(request.parts.socket.count()));
  add("events", std::to_string(request.parts.journal.last_seq()));
  add("recorded", std::to_string(stats.recorded));
  add("recording_lost", std::to_string(stats.recording_lost));
  add("longest_turn_ms", std::to_string(request.parts.loop.longest_turn_ms()));
  result += '}';
  request.reply.result(result);
}

namespace {

std::string_view word_of(Bell bell) {
  switch (bell) {
    case Bell::kNone:
      return "none";
    case Bell::kFirst:
      return "first";
    case Bell::kAll:
      return "all";
  }
  return {};
}

}  // namespace

void ask_desk(const Requests::Request& request) {
  if (!request.accept()) return;
  const Config& config = request.parts.hooks.config();
  std::string result = R"({"bell":")";
  result += word_of(config.console.bell);
  result += R"(","highlight":[)";
  for (const std::string& word : config.console.highlight) {
    if (result.back() != '[') result += ',';
    append_json_string(result, word);
  }
  result += R"(],"replies":{)";
  for (const auto& [name, text] : config.replies) {
    if (result.back() != '{') result += ',';
    append_json_string(result, name);
    result += ':';
    append_json_string(result, text);
  }
  result += R"(},"claim_on_answer":)";
  result += config.console.claim_on_answer ? "true}" : "false}";
  request.reply.result(result);
}

void ask_reload(const Requests::Request& request) {
  if (!request.accept()) return;
  auto change = request.parts.hooks.reload();
  if (!change) {
    request.reply.fail(rpc::kNotAllowed, change.error().message);
    return;
  }
  std::string result;
  const auto append_keys = [&result](const std::vector<std::string>& keys) {
    char separator = '[';
    for (const auto& key : keys) {
      result += separator;
      append_json_string(result, key);
      separator = ',';
    }
    if (separator == '[') result += '[';
    result += ']';
  };
  result += "{\"changed\":";
  append_keys(change->changed);
  result += ",\"needs_restart\":";
  append_keys(change->needs_restart);
  result += '}';
  request.reply.result(result);
}

void ask_stop(const Requests::Request& request) {
  if (!request.accept()) return;
  request.reply.result("{}");
  request.parts.hooks.stop();
}

}  // namespace chatd
