#include "operators/requests.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include "base/names.hpp"
#include "operators/send_request.hpp"

namespace chatd {

namespace {

struct Method {
  std::string_view word;
  void (*perform)(const Requests::Request& request);
};

constexpr std::array kMethods{
    Method{"hello", ask_hello},
    Method{"subscribe", ask_subscribe},
    Method{"sessions", ask_sessions},
    Method{"send", ask_send},
    Method{"bye", ask_bye},
    Method{"kick", ask_kick},
    Method{"name", ask_name},
    Method{"note", ask_note},
    Method{"notes", ask_notes},
    Method{"claim", ask_claim},
    Method{"release", ask_release},
    Method{"give", ask_give},
    Method{"ops", ask_ops},
    Method{"writing", ask_writing},
    Method{"operators", ask_operators},
    Method{"away", ask_away},
    Method{"back", ask_back},
    Method{"ban", ask_ban},
    Method{"unban", ask_unban},
    Method{"bans", ask_bans},
    Method{"origins", ask_origins},
    Method{"history", ask_history},
    Method{"search", ask_search},
    Method{"stats", ask_stats},
    Method{"desk", ask_desk},
    Method{"reload", ask_reload},
    Method{"stop", ask_stop},
};

static_assert(
    [] {
      for (std::size_t i = 0; i < kMethods.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          if (kMethods[i].word == kMethods[j].word) return false;
        }
      }
      return true;
    }(),
    "no word stands twice in the table");

void perform_parsed(const Requests::Parts& parts, OperatorId from, rpc::Request& request,
                    Reply& reply) {
  const auto method = std::find_if(kMethods.begin(), kMethods.end(),
                                   [&](const Method& each) { return each.word == request.method; });
  if (method == kMethods.end()) {
    reply.fail(rpc::kMethodNotFound, "no such method: " + request.method);
    return;
  }
  rpc::Params params{request.params};
  method->perform({parts, from, params, reply});
}

}  // namespace

std::vector<std::string_view> Requests::words() {
  std::vector<std::string_view> words;
  for (const Method& method : kMethods) words.push_back(method.word);
  return words;
}

void Requests::perform(OperatorId from, std::string_view line, std::string& answers) {
  Reply reply;
  parts_.attendance.has_acted(from);
  // The request that programs make for every message is read without a tree of JSON.
  if (const auto send = read_send_request(line)) {
    reply.id = send->id;
    core::Recipients to{send->everyone, {}};
    if (!send->everyone) to.sessions.push_back(send->to);
    send_to(parts_, from, to, !send->everyone, send->text, reply);
    answers += reply.out;
    return;
  }
  auto parsed = rpc::parse(line);
  if (const auto* failure = std::get_if<rpc::Failure>(&parsed)) {
    rpc::append_failure(answers, *failure);
    return;
  }
  auto& request = std::get<rpc::Request>(parsed);
  reply.id = request.id;
  perform_parsed(parts_, from, request, reply);
  answers += reply.out;
}

void check_name(rpc::Params& params, const std::string& name) {
  if (name.size() > kMaxName) {
    params.fail("name must have at most 64 bytes");
  } else if (const auto fault = fault_of_name(name); !fault.empty()) {
    params.fail("name " + std::string{fault});
  }
}

}  // namespace chatd
