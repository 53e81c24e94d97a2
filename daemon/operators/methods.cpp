#include "operators/methods.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "events/event_json.hpp"

namespace chatd {

namespace {

constexpr std::size_t kMaxName = 64;

std::string no_session(core::SessionId id) {
  return "no such session: " + std::to_string(id);
}

/// The sessions that `to` names; what is wrong with it becomes the problem of `params`.
core::Recipients recipients(rpc::Params& params, const nlohmann::json* to) {
  core::Recipients all;
  const auto is_id = [](const nlohmann::json& item) { return item.is_number_unsigned(); };
  if (to == nullptr) {
    params.fail("to is missing; it must be an id, an array of ids or \"all\"");
  } else if (to->is_string() && *to == "all") {
    all.everyone = true;
  } else if (is_id(*to)) {
    all.sessions.push_back(to->get<core::SessionId>());
  } else if (to->is_array() && std::all_of(to->begin(), to->end(), is_id)) {
    for (const auto& item : *to) all.sessions.push_back(item.get<core::SessionId>());
  } else {
    params.fail("to must be an id, an array of ids or \"all\"");
  }
  return all;
}

/// The network that is asked for; none if it is none, and then params are not good.
std::optional<Network> network_of(rpc::Params& params) {
  auto network = Network::parse(params.text("address"));
  if (network) return *network;
  params.fail("address: " + network.error().message);
  return {};
}

void append_ban(std::string& out, const Network& network, const Bans::Ban& ban) {
  out += "\"address\":\"" + network.to_string() + "\",\"until\":";
  if (ban.until == kNever) {
    out += "null";
  } else {
    out += '"';
    append_rfc3339(out, ban.until_date);
    out += '"';
  }
  out += ",\"since\":\"";
  append_rfc3339(out, ban.since);
  out += "\",\"operator\":";
  append_json_string(out, ban.operator_name);
}

}  // namespace

void check_name(rpc::Params& params, const std::string& name) {
  if (name.size() > kMaxName) {
    params.fail("name must have at most 64 bytes");
  } else if (escaped(name) != name || name.find('\t') != std::string::npos) {
    params.fail("name must not hold control or invisible characters");
  } else if (name.find_first_not_of(' ') == std::string::npos && !name.empty()) {
    params.fail("name must not be blank");
  }
}

bool Methods::call(std::string_view method, const Caller& caller, rpc::Params& params,
                   Reply& reply) {
  const Method found = find(method);
  if (found == nullptr) return false;
  (this->*found)(caller, params, reply);
  return true;
}

void Methods::answer(Reply& reply, core::Outcome outcome, core::SessionId session) const {
  switch (outcome) {
    case core::Outcome::kDone:
      reply.result("{}");
      break;
    case core::Outcome::kNoSession:
      reply.fail(rpc::kNoSession, no_session(session));
      break;
    case core::Outcome::kClaimed:
      reply.fail(rpc::kClaimed, "session " + std::to_string(session) + " is claimed by " +
                                    std::string{clients_.claimed_by(session)});
      break;
  }
}

Methods::Method Methods::find(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Method>, 13> kMethods{{
      {"sessions", &Methods::sessions},
      {"send", &Methods::send},
      {"bye", &Methods::bye},
      {"kick", &Methods::kick},
      {"name", &Methods::name},
      {"claim", &Methods::claim},
      {"release", &Methods::release},
      {"ban", &Methods::ban},
      {"unban", &Methods::unban},
      {"bans", &Methods::bans},
      {"stats", &Methods::stats},
      {"reload", &Methods::reload},
      {"stop", &Methods::stop},
  }};
  for (const auto& [known, method] : kMethods) {
    if (known == name) return method;
  }
  return nullptr;
}

void Methods::sessions(const Caller&, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  std::string list = "[";
  for (const SessionInfo& session : clients_.sessions()) {
    if (list.size() > 1) list += ',';
    list += "{\"session\":" + std::to_string(session.id) + ",\"name\":";
    if (session.name.empty()) {
      list += "null";
    } else {
      append_json_string(list, session.name);
    }
    list += ",\"address\":";
    append_json_string(list, session.address);
    list += ",\"listener\":";
    append_json_string(list, session.listener);
    list += ",\"dialect\":\"";
    list += session.dialect;
    list += "\",\"state\":\"";
    list += session.state;
    list += "\",\"since\":\"";
    append_rfc3339(list, session.since);
    list += "\",\"idle_ms\":" + std::to_string(session.idle_ms);
    list += ",\"unread\":" + std::to_string(session.unread);
    list += ",\"held\":" + std::to_string(session.held);
    list += ",\"claimed_by\":";
    if (session.claimed_by.empty()) {
      list += "null";
    } else {
      append_json_string(list, session.claimed_by);
    }
    list += '}';
  }
  list += ']';
  reply.result(list);
}

void Methods::send(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto* wish = params.raw("to");
  const auto to = recipients(params, wish);
  const bool single = wish != nullptr && wish->is_number();
  const auto text = params.text("text");
  if (!reply.accept(params)) return;
  send_to(caller, to, single, text, reply);
}

void Methods::send_to(const Caller& caller, const core::Recipients& to, bool single,
                      std::string_view text, Reply& reply) {
  const auto receipt = clients_.send(to, text, caller.name);
  if (single && !receipt.refused.empty()) {
    const auto& refused = receipt.refused.front();
    if (refused.why == core::Refusal::kNoSession) {
      reply.fail(rpc::kNoSession, no_session(refused.session));
    } else if (refused.why == core::Refusal::kClaimed) {
      answer(reply, core::Outcome::kClaimed, refused.session);
    } else {
      reply.fail(rpc::kLimit, "session " + std::to_string(refused.session) + ": " + refused.reason);
    }
    return;
  }
  reply.result_by([&receipt](std::string& out) {
    out += "{\"delivered\":";
    append_json_ids(out, receipt.delivered);
    out += ",\"held\":";
    append_json_ids(out, receipt.held);
    out += ",\"refused\":[";
    for (const auto& refused : receipt.refused) {
      if (out.back() != '[') out += ',';
      out += "{\"session\":";
      append_number(out, refused.session);
      out += ",\"reason\":";
      append_json_string(out, refused.reason);
      out += '}';
    }
    out += "]}";
  });
}

void Methods::bye(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto session = params.id("session");
  if (!reply.accept(params)) return;
  const auto outcome = clients_.bye(session, caller.name);
  if (outcome == core::Outcome::kDone && clients_.is_parting(session)) {
    reply.result(R"({"parting":true})");
  } else {
    answer(reply, outcome, session);
  }
}

void Methods::kick(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto session = params.id("session");
  const auto reason = params.text_or("reason", {});
  if (!reply.accept(params)) return;
  answer(reply, clients_.kick(session, reason, caller.name), session);
}

void Methods::name(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto session = params.id("session");
  const auto name = params.text("name");
  check_name(params, name);
  if (!reply.accept(params)) return;
  answer(reply, clients_.name(session, name, caller.name), session);
}

void Methods::claim(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto session = params.id("session");
  const bool force = params.flag("force");
  const bool stay = params.flag("stay");
  if (!reply.accept(params)) return;
  answer(reply, clients_.claim(session, {std::string{caller.name}, stay}, force), session);
}

void Methods::release(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto session = params.id("session");
  if (!reply.accept(params)) return;
  answer(reply, clients_.release(session, caller.name), session);
}

void Methods::ban(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto network = network_of(params);
  const bool ends = params.has("seconds");
  const auto seconds = params.number_or("seconds", 0);
  constexpr auto kLongest = std::chrono::duration_cast<std::chrono::seconds>(Bans::kLongest);
  if (ends && (seconds == 0 || seconds > static_cast<std::uint64_t>(kLongest.count()))) {
    params.fail("seconds must be at least 1 and at most 100 years; without it the ban has no end");
  }
  if (!reply.accept(params)) return;
  if (!clients_.ban(*network, std::chrono::seconds{seconds}, caller.name)) {
    reply.fail(rpc::kLimit, "there are as many bans as may be");
    return;
  }
  std::string result = "{";
  append_ban(result, *network, clients_.bans().all().at(*network));
  result += ",\"sessions\":";
  append_json_ids(result, clients_.sessions_in(*network));
  result += clients_.keeps_bans() ? ",\"kept\":true}" : ",\"kept\":false}";
  reply.result(result);
}

void Methods::unban(const Caller& caller, rpc::Params& params, Reply& reply) {
  const auto network = network_of(params);
  if (!reply.accept(params)) return;
  if (clients_.unban(*network, caller.name)) {
    reply.result("{}");
    return;
  }
  std::string why = network->to_string() + " is not banned";
  if (const auto wider = clients_.bans().match(*network)) {
    why += " by itself, but as part of " + wider->to_string();
  }
  reply.fail(rpc::kInvalidParams, why);
}

void Methods::bans(const Caller&, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  std::string list = "[";
  for (const auto& [network, ban] : clients_.bans().all()) {
    list += list.size() > 1 ? ",{" : "{";
    append_ban(list, network, ban);
    list += '}';
  }
  list += ']';
  reply.result(list);
}

void Methods::stats(const Caller& caller, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  const ClientStats stats = clients_.stats();
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
  add("operators", std::to_string(caller.operators));
  add("events", std::to_string(log_.last_seq()));
  add("recorded", std::to_string(stats.recorded));
  add("recording_lost", std::to_string(stats.recording_lost));
  add("longest_turn_ms", std::to_string(loop_.longest_turn_ms()));
  result += '}';
  reply.result(result);
}

void Methods::reload(const Caller&, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  auto change = hooks_.reload();
  if (!change) {
    reply.fail(rpc::kNotAllowed, change.error().message);
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
  reply.result(result);
}

void Methods::stop(const Caller&, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  reply.result("{}");
  hooks_.stop();
}

}  // namespace chatd
