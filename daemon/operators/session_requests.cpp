// Requests about sessions: who is connected, what is said to them, and whose they are.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/names.hpp"
#include "base/text.hpp"
#include "base/wall_time.hpp"
#include "base/words.hpp"
#include "core/talk.hpp"
#include "operators/requests.hpp"

namespace chatd {

namespace {

/// "4 minutes".
std::string in_words(Duration time) {
  struct Unit {
    std::chrono::seconds size;
    std::string_view word;
  };
  constexpr std::array kUnits{Unit{std::chrono::hours{24}, "day"},
                              Unit{std::chrono::hours{1}, "hour"},
                              Unit{std::chrono::minutes{1}, "minute"}};
  const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(),
                                        [time](const Unit& each) { return time >= each.size; });
  const auto size = unit == kUnits.end() ? std::chrono::seconds{1} : unit->size;
  const auto count = time / size;
  std::string words = std::to_string(count) + ' ';
  words += unit == kUnits.end() ? "second" : unit->word;
  return count == 1 ? words : words + 's';
}

std::string no_session(const Requests::Parts& parts, core::SessionId id) {
  std::string sentence = "no such session: " + std::to_string(id);
  if (const auto ago = parts.clients.sessions().left_ago(id)) {
    sentence += "; it left " + in_words(*ago) + " ago";
  }
  return sentence;
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

/// The ids that `session` is: one or an array of them; what is wrong with it becomes the problem
/// of `params`.
std::vector<core::SessionId> ids_of(rpc::Params& params, const nlohmann::json* session) {
  std::vector<core::SessionId> all;
  const auto is_id = [](const nlohmann::json& item) {
    return item.is_number_unsigned() && item.get<core::SessionId>() > 0;
  };
  if (session == nullptr) {
    params.fail("session or address is missing");
  } else if (is_id(*session)) {
    all.push_back(session->get<core::SessionId>());
  } else if (session->is_array() && std::all_of(session->begin(), session->end(), is_id)) {
    for (const auto& item : *session) all.push_back(item.get<core::SessionId>());
  } else {
    params.fail("session must be the id of a session, a whole number from 1, or an array of ids");
  }
  return all;
}

/// Bytes; of several sessions each has an event with the reason in it.
constexpr std::size_t kMaxReason = 1024;
static_assert(kMaxReason == 1024, "a sentence below says 1024 bytes");

/// What others may do about a claim, beside taking it by force: nothing while its holder is
/// there, or may come back any moment.
std::string way_out(const Attendance& attendance, const std::string& holder) {
  if (attendance.is_awaited(holder)) return {};
  switch (attendance.presence(holder)) {
    case Attendance::Presence::kPresent:
      return {};
    case Attendance::Presence::kAway:
      return "; " + holder + " is away: claim it to take over";
    case Attendance::Presence::kWatching:
    case Attendance::Presence::kNotHere:
      break;
  }
  return "; " + holder + " is not here: claim it to take over";
}

/// Whether an operator who is not there to answer it has claimed the session.
bool is_left_alone(const Requests::Parts& parts, core::SessionId session) {
  const auto holder = parts.clients.sessions().claimed_by(session);
  return !holder.empty() && !parts.attendance.is_awaited(holder) &&
         parts.attendance.presence(holder) != Attendance::Presence::kPresent;
}

/// Who is there to be given a session; what is wrong with `wish` becomes the problem of `params`.
std::string receiver_of(rpc::Params& params, const Attendance& attendance,
                        const std::string& wish) {
  if (wish.empty() || wish.size() > kMaxName) {
    params.fail("to must be the name of an operator");
    return {};
  }
  std::string others;
  for (const auto& each : attendance.list()) {
    if (each.presence == Attendance::Presence::kWatching) continue;
    if (is_same_name(each.name, wish)) return std::string{each.name};
    others.append(others.empty() ? "" : ", ").append(each.name);
  }
  params.fail("no operator is called " + wish + "; " +
              (others.empty() ? "nobody is here" : "here: " + others));
  return {};
}

/// Whoever answers first goes on answering, if the configuration wants that and somebody is there
/// to do it.
void claim_by_answer(const Requests::Parts& parts, OperatorId from, core::SessionId session) {
  if (!parts.hooks.config().console.claim_on_answer) return;
  auto& sessions = parts.clients.sessions();
  if (!sessions.is_open(session) || !sessions.claimed_by(session).empty()) return;
  const auto& name = parts.attendance.name_of(from);
  const auto presence = parts.attendance.presence(name);
  using enum Attendance::Presence;
  if (presence != kPresent && presence != kAway) return;
  (void)sessions.claim(session, {name, false}, false);
}

/// Bytes of a note; each session keeps some of them.
constexpr std::size_t kMaxNote = 1024;
static_assert(kMaxNote == 1024, "a sentence below says 1024 bytes");

void answer(const Requests::Parts& parts, Reply& reply, core::Outcome outcome,
            core::SessionId session) {
  switch (outcome) {
    case core::Outcome::kDone:
      reply.result("{}");
      break;
    case core::Outcome::kNoSession:
      fail_no_session(parts, reply, session);
      break;
    case core::Outcome::kClaimed: {
      const std::string holder{parts.clients.sessions().claimed_by(session)};
      reply.fail(rpc::kClaimed, "session " + std::to_string(session) + " is claimed by " + holder +
                                    way_out(parts.attendance, holder));
      break;
    }
  }
}

/// Null if it is empty.
void append_name(std::string& out, std::string_view name) {
  if (name.empty()) {
    out += "null";
  } else {
    append_json_string(out, name);
  }
}

/// As much of its beginning as takes core::Talk::kMostText bytes in JSON: the list of many sessions
/// must not become too long, whatever clients say.
void append_beginning(std::string& out, std::string_view text) {
  out += '"';
  const auto begin = out.size();
  append_json(out, text);
  while (out.size() - begin > core::Talk::kMostText) {
    text = prefix_of(text, text.size() * core::Talk::kMostText / (out.size() - begin));
    out.resize(begin);
    append_json(out, text);
  }
  out += '"';
}

/// How its client came: of most there is nothing to say.
void append_way(std::string& out, const SessionInfo& session) {
  const auto add = [&out](std::string_view before, std::string_view text) {
    if (text.empty()) return;
    out += before;
    append_json_string(out, text);
  };
  add(R"(,"verified":)", session.verified);
  add(R"(,"via":)", session.via);
  add(R"(,"tls":)", session.tls);
}

void append_talk(std::string& out, const SessionInfo& session) {
  out += ",\"waiting_since\":";
  if (session.waiting_since) {
    out += '"';
    append_rfc3339(out, *session.waiting_since);
    out += '"';
  } else {
    out += "null";
  }
  out += ",\"last_text\":";
  if (session.last_text) {
    append_beginning(out, *session.last_text);
  } else {
    out += "null";
  }
  out += ",\"last_operator\":";
  append_name(out, session.last_operator);
  out += ",\"answered_by\":";
  append_name(out, session.answered_by);
  out += ",\"notes\":";
  append_number(out, session.notes);
}

}  // namespace

void fail_no_session(const Requests::Parts& parts, Reply& reply, core::SessionId session) {
  reply.fail(rpc::kNoSession, no_session(parts, session));
}

void append_kicked(std::string& out, const Sessions::Kicked& all) {
  out += "\"kicked\":";
  append_json_ids(out, all.kicked);
  out += ",\"refused\":[";
  for (const auto& refused : all.refused) {
    if (out.back() != '[') out += ',';
    out += "{\"session\":" + std::to_string(refused.session) + ",\"reason\":";
    append_json_string(out, refused.reason);
    out += '}';
  }
  out += ']';
}

void ask_sessions(const Requests::Request& request) {
  if (!request.accept()) return;
  std::string list = "[";
  for (const SessionInfo& session : request.parts.clients.sessions().list()) {
    if (list.size() > 1) list += ',';
    list += "{\"session\":" + std::to_string(session.id) + ",\"name\":";
    append_name(list, session.name);
    list += ",\"address\":";
    append_json_string(list, session.address);
    list += ",\"listener\":";
    append_json_string(list, session.listener);
    append_way(list, session);
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
    append_name(list, session.claimed_by);
    append_talk(list, session);
    list += '}';
  }
  list += ']';
  request.reply.result(list);
}

void ask_send(const Requests::Request& request) {
  const auto* wish = request.params.raw("to");
  const auto to = recipients(request.params, wish);
  const bool single = wish != nullptr && wish->is_number();
  const auto text = request.params.text("text");
  if (!request.accept()) return;
  send_to(request.parts, request.from, to, single, text, request.reply);
}

void send_to(const Requests::Parts& parts, OperatorId from, const core::Recipients& to, bool single,
             std::string_view text, Reply& reply) {
  const auto sent = parts.clients.sessions().send(to, text, parts.attendance.name_of(from));
  const auto& receipt = sent.receipt;
  parts.socket.wrote_to_clients(from, sent.congested);
  if (single && !receipt.refused.empty()) {
    const auto& refused = receipt.refused.front();
    if (refused.why == core::Refusal::kNoSession) {
      fail_no_session(parts, reply, refused.session);
    } else if (refused.why == core::Refusal::kClaimed) {
      answer(parts, reply, core::Outcome::kClaimed, refused.session);
    } else {
      reply.fail(rpc::kLimit, "session " + std::to_string(refused.session) + ": " + refused.reason);
    }
    return;
  }
  if (single) claim_by_answer(parts, from, to.sessions.front());
  reply.result_by([&](std::string& out) {
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
    out += ']';
    if (to.everyone) {
      out += ",\"left_out\":";
      append_json_ids(out, receipt.left_out);
    }
    out += '}';
  });
}

void ask_bye(const Requests::Request& request) {
  const auto session = request.params.id("session");
  if (!request.accept()) return;
  const auto outcome = request.parts.clients.sessions().bye(session, request.operator_name());
  if (outcome == core::Outcome::kDone && request.parts.clients.sessions().is_parting(session)) {
    request.reply.result(R"({"parting":true})");
  } else {
    answer(request.parts, request.reply, outcome, session);
  }
}

void ask_kick(const Requests::Request& request) {
  auto& params = request.params;
  auto& sessions = request.parts.clients.sessions();
  const auto reason = params.text_or("reason", {});
  const auto* const wish = params.raw("session");
  const bool single = wish != nullptr && !wish->is_array();
  std::optional<io::Network> network;
  std::vector<core::SessionId> ids;
  if (!params.has("address")) {
    ids = ids_of(params, wish);
  } else if (wish == nullptr) {
    network = network_of(params);
  } else {
    params.fail("session and address exclude each other");
  }
  if (!single && reason.size() > kMaxReason) {
    params.fail("the reason for several sessions must have at most 1024 bytes");
  }
  if (!request.accept()) return;
  if (single) {
    answer(request.parts, request.reply,
           sessions.kick(ids.front(), reason, request.operator_name()), ids.front());
    return;
  }
  if (network) ids = sessions.within(*network);
  std::string result = "{";
  append_kicked(result, sessions.kick_all(ids, reason, request.operator_name()));
  request.reply.result(result += '}');
}

void ask_name(const Requests::Request& request) {
  const auto session = request.params.id("session");
  const auto name = request.params.text("name");
  check_name(request.params, name);
  if (const auto fault = fault_of_client_name(name); !fault.empty()) {
    request.params.fail("name " + std::string{fault});
  } else if (const auto other = request.parts.clients.sessions().called(name);
             other != 0 && other != session) {
    request.params.fail("name is that of session " + std::to_string(other));
  }
  if (!request.accept()) return;
  answer(request.parts, request.reply,
         request.parts.clients.sessions().name(session, name, request.operator_name()), session);
}

void ask_note(const Requests::Request& request) {
  const auto session = request.params.id("session");
  const auto text = request.params.text("text");
  if (trimmed(text).empty()) {
    request.params.fail("text must not be blank");
  } else if (text.size() > kMaxNote) {
    request.params.fail("text of a note must have at most 1024 bytes");
  }
  if (!request.accept()) return;
  answer(request.parts, request.reply,
         request.parts.clients.sessions().note(session, text, request.operator_name()), session);
}

void ask_notes(const Requests::Request& request) {
  const auto session = request.params.id("session");
  if (!request.accept()) return;
  const auto notes = request.parts.clients.sessions().notes(session);
  if (!notes) {
    fail_no_session(request.parts, request.reply, session);
    return;
  }
  request.reply.result_by([&](std::string& out) {
    out += '[';
    for (const NoteInfo& note : *notes) {
      out += out.back() == '[' ? R"({"time":")" : R"(,{"time":")";
      append_rfc3339(out, note.time);
      out += R"(","operator":)";
      append_json_string(out, note.operator_name);
      out += R"(,"text":)";
      append_json_string(out, note.text);
      out += '}';
    }
    out += ']';
  });
}

void ask_claim(const Requests::Request& request) {
  const auto session = request.params.id("session");
  const bool force = request.params.flag("force");
  const bool stay = request.params.flag("stay");
  if (!request.accept()) return;
  const bool may_take = force || is_left_alone(request.parts, session);
  answer(request.parts, request.reply,
         request.parts.clients.sessions().claim(session, {request.operator_name(), stay}, may_take),
         session);
}

void ask_give(const Requests::Request& request) {
  const auto session = request.params.id("session");
  const auto wish = request.params.text("to");
  std::string to;
  if (request.params.good()) to = receiver_of(request.params, request.parts.attendance, wish);
  if (!request.accept()) return;
  auto& sessions = request.parts.clients.sessions();
  const auto& giver = request.operator_name();
  const auto holder = sessions.claimed_by(session);
  if (holder == to) {
    request.reply.result("{}");
    return;
  }
  const bool may_take = holder == giver || is_left_alone(request.parts, session);
  answer(request.parts, request.reply, sessions.claim(session, {to, false}, may_take, giver),
         session);
}

void ask_release(const Requests::Request& request) {
  const auto session = request.params.id("session");
  if (!request.accept()) return;
  answer(request.parts, request.reply,
         request.parts.clients.sessions().release(session, request.operator_name()), session);
}

}  // namespace chatd
