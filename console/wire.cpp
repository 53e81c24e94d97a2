#include "console/wire.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace chatd::console {
namespace {

using nlohmann::json;

const json* find(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json& object, const char* key) {
  const json* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>() : "";
}

std::uint64_t to_number(const json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer() && value.get<std::int64_t>() > 0) {
    return static_cast<std::uint64_t>(value.get<std::int64_t>());
  }
  return 0;
}

std::uint64_t number_of(const json& object, const char* key) {
  const json* value = find(object, key);
  return value == nullptr ? 0 : to_number(*value);
}

bool flag_of(const json& object, const char* key) {
  const json* value = find(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

// One id, or a list of them.
std::vector<SessionId> ids_of(const json& object, const char* key) {
  std::vector<SessionId> ids;
  const json* value = find(object, key);
  if (value == nullptr) return ids;
  if (value->is_array()) {
    for (const json& each : *value) ids.push_back(to_number(each));
  } else if (value->is_number()) {
    ids.push_back(to_number(*value));
  }
  return ids;
}

std::vector<RefusedSession> refused_of(const json& object) {
  std::vector<RefusedSession> all;
  const json* refused = find(object, "refused");
  if (refused == nullptr || !refused->is_array()) return all;
  for (const json& each : *refused) {
    all.push_back({number_of(each, "session"), text_of(each, "reason")});
  }
  return all;
}

std::optional<std::string> optional_text_of(const json& object, const char* key) {
  const json* value = find(object, key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_ref<const std::string&>();
}

std::vector<std::string> texts_of(const json& object, const char* key) {
  std::vector<std::string> texts;
  const json* value = find(object, key);
  if (value == nullptr || !value->is_array()) return texts;
  for (const json& each : *value) {
    if (each.is_string()) texts.push_back(each.get_ref<const std::string&>());
  }
  return texts;
}

}  // namespace

Event decode_event(std::string_view method, const json& params) {
  Event event;
  event.kind = event_kind_of(method);
  event.method = method;
  event.seq = number_of(params, "seq");
  event.time = text_of(params, "time");
  event.sessions = ids_of(params, "session");
  event.text = text_of(params, "text");
  event.operator_name = text_of(params, "operator");
  event.from = text_of(params, "from");
  event.by = text_of(params, "by");
  event.name = text_of(params, "name");
  if (event.kind == EventKind::kOperator) event.operator_name = event.name;
  event.address = text_of(params, "address");
  event.listener = text_of(params, "listener");
  event.verified = text_of(params, "verified");
  event.via = text_of(params, "via");
  event.tls = text_of(params, "tls");
  event.reason = text_of(params, "reason");
  event.until = text_of(params, "until");
  event.state = text_of(params, "state");
  event.ref = number_of(params, "ref");
  event.lost = number_of(params, "lost");
  event.cut = flag_of(params, "cut");
  event.automatic = flag_of(params, "automatic");
  if (const json* to = find(params, "session"); event.kind == EventKind::kSent && to != nullptr) {
    event.announced = to->is_array();
  }
  return event;
}

HelloInfo decode_hello(const json& result) {
  HelloInfo hello{text_of(result, "version"), text_of(result, "operator"), number_of(result, "seq"),
                  number_of(result, "unread")};
  if (const json* attended = find(result, "attended"); attended != nullptr) {
    hello.attended = to_number(*attended);
  }
  const json* counting = find(result, "counting");
  hello.counting = counting != nullptr && *counting == true;
  hello.away = text_of(result, "away");
  hello.lineage = text_of(result, "lineage");
  return hello;
}

std::vector<OperatorInfo> decode_operators(const json& result) {
  std::vector<OperatorInfo> operators;
  if (!result.is_array()) return operators;
  for (const json& each : result) {
    operators.push_back({text_of(each, "name"), text_of(each, "state"), text_of(each, "text"),
                         text_of(each, "since"), number_of(each, "connections")});
  }
  return operators;
}

DeskInfo decode_desk(const json& result) {
  DeskInfo desk{text_of(result, "bell"),
                texts_of(result, "highlight"),
                {},
                flag_of(result, "claim_on_answer")};
  const json* replies = find(result, "replies");
  if (replies == nullptr || !replies->is_object()) return desk;
  for (const auto& [name, text] : replies->items()) {
    if (text.is_string()) desk.replies.emplace(name, text.get_ref<const std::string&>());
  }
  return desk;
}

std::uint64_t decode_subscribe(const json& result) {
  return number_of(result, "seq");
}

std::vector<SessionInfo> decode_sessions(const json& result) {
  std::vector<SessionInfo> sessions;
  if (!result.is_array()) return sessions;
  for (const json& each : result) {
    sessions.push_back({number_of(each, "session"), text_of(each, "name"), text_of(each, "address"),
                        text_of(each, "listener"), text_of(each, "dialect"), text_of(each, "state"),
                        text_of(each, "since"), number_of(each, "idle_ms"),
                        number_of(each, "unread"), number_of(each, "held"),
                        text_of(each, "claimed_by"), text_of(each, "waiting_since"),
                        optional_text_of(each, "last_text"), text_of(each, "last_operator"),
                        text_of(each, "answered_by"), number_of(each, "notes"),
                        text_of(each, "verified"), text_of(each, "via"), text_of(each, "tls")});
  }
  return sessions;
}

std::vector<NoteInfo> decode_notes(const json& result) {
  std::vector<NoteInfo> all;
  if (!result.is_array()) return all;
  for (const json& each : result) {
    all.push_back({text_of(each, "time"), text_of(each, "operator"), text_of(each, "text")});
  }
  return all;
}

SendOutcome decode_send(const json& result) {
  return {ids_of(result, "delivered"), ids_of(result, "held"), refused_of(result),
          ids_of(result, "left_out")};
}

PastPage decode_past(const json& result) {
  PastPage page;
  const json* messages = find(result, "messages");
  if (messages != nullptr && messages->is_array()) {
    for (const json& each : *messages) {
      page.messages.push_back({number_of(each, "seq"), text_of(each, "time"),
                               ids_of(each, "session"), text_of(each, "direction") == "in",
                               text_of(each, "operator"), text_of(each, "text"),
                               text_of(each, "state"), text_of(each, "name")});
    }
  }
  std::sort(page.messages.begin(), page.messages.end(),
            [](const PastMessage& a, const PastMessage& b) { return a.seq < b.seq; });
  const json* more = find(result, "more");
  page.more = more != nullptr && more->is_boolean() && more->get<bool>();
  return page;
}

std::vector<BanInfo> decode_bans(const json& result) {
  std::vector<BanInfo> bans;
  if (!result.is_array()) return bans;
  for (const json& each : result) {
    bans.push_back({text_of(each, "address"), text_of(each, "until"), text_of(each, "operator")});
  }
  return bans;
}

std::vector<OriginInfo> decode_origins(const json& result) {
  std::vector<OriginInfo> origins;
  if (!result.is_array()) return origins;
  for (const json& each : result) {
    origins.push_back(
        {text_of(each, "origin"), number_of(each, "sessions"), number_of(each, "connects"),
         number_of(each, "refused"), number_of(each, "bytes"), number_of(each, "messages"),
         number_of(each, "memory"), number_of(each, "records"), number_of(each, "records_lost")});
  }
  return origins;
}

bool decode_parting(const json& result) {
  return flag_of(result, "parting");
}

KickOutcome decode_kick(const json& result) {
  return {ids_of(result, "kicked"), refused_of(result)};
}

BanOutcome decode_ban(const json& result) {
  BanOutcome outcome{ids_of(result, "sessions")};
  outcome.ended = decode_kick(result);
  const json* kept = find(result, "kept");
  outcome.kept = kept == nullptr || !kept->is_boolean() || kept->get<bool>();
  return outcome;
}

ReloadOutcome decode_reload(const json& result) {
  return {texts_of(result, "changed"), texts_of(result, "needs_restart")};
}

Stats decode_stats(const json& result) {
  Stats stats;
  if (!result.is_object()) return stats;
  for (const auto& [name, value] : result.items()) {
    stats.emplace_back(
        name, value.is_string() ? value.get_ref<const std::string&>() : to_plain_json(value));
  }
  return stats;
}

std::string to_plain_json(const json& document) {
  return document.dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace chatd::console
