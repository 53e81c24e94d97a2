// Requests about bans: who may not come in, by network.
#include <chrono>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/wall_time.hpp"
#include "operators/requests.hpp"

namespace chatd {

namespace {

static_assert(Bans::kMost == 10'000, "a sentence below says 10,000");

void append_ban(std::string& out, const io::Network& network, const Bans::Ban& ban) {
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

std::optional<io::Network> network_of(rpc::Params& params) {
  auto network = io::Network::parse(params.text("address"));
  if (network) return *network;
  params.fail("address: " + network.error().message);
  return {};
}

void ask_ban(const Requests::Request& request) {
  const auto network = network_of(request.params);
  const bool ends = request.params.has("seconds");
  const auto seconds = request.params.number_or("seconds", 0);
  const bool now = request.params.flag("now");
  constexpr auto kLongest = std::chrono::duration_cast<std::chrono::seconds>(Bans::kLongest);
  if (ends && (seconds == 0 || seconds > static_cast<std::uint64_t>(kLongest.count()))) {
    request.params.fail(
        "seconds must be at least 1 and at most 100 years; without it the ban has no end");
  }
  if (!request.accept()) return;
  auto& entrance = request.parts.clients.entrance();
  if (!entrance.ban(*network, std::chrono::seconds{seconds}, request.operator_name())) {
    request.reply.fail(rpc::kLimit, "the limit of bans is reached (10,000)");
    return;
  }
  std::string result = "{";
  append_ban(result, *network, entrance.bans().all().at(*network));
  auto& sessions = request.parts.clients.sessions();
  auto staying = sessions.within(*network);
  if (now) {
    const auto ended = sessions.kick_all(staying, "banned", request.operator_name());
    staying.clear();
    for (const auto& refused : ended.refused) staying.push_back(refused.session);
    result += ',';
    append_kicked(result, ended);
  }
  result += ",\"sessions\":";
  append_json_ids(result, staying);
  result += entrance.keeps_bans() ? ",\"kept\":true}" : ",\"kept\":false}";
  request.reply.result(result);
}

void ask_unban(const Requests::Request& request) {
  const auto network = network_of(request.params);
  if (!request.accept()) return;
  auto& entrance = request.parts.clients.entrance();
  if (entrance.unban(*network, request.operator_name())) {
    request.reply.result("{}");
    return;
  }
  std::string why = network->to_string() + " is not banned";
  if (const auto wider = entrance.bans().match(*network)) {
    why += " by itself, but as part of " + wider->to_string();
  }
  request.reply.fail(rpc::kInvalidParams, why);
}

void ask_bans(const Requests::Request& request) {
  if (!request.accept()) return;
  std::string list = "[";
  for (const auto& [network, ban] : request.parts.clients.entrance().bans().all()) {
    list += list.size() > 1 ? ",{" : "{";
    append_ban(list, network, ban);
    list += '}';
  }
  list += ']';
  request.reply.result(list);
}

}  // namespace chatd
