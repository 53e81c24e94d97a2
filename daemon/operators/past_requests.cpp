// What was said: the transcript is asked for it, so the answers are due later.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "events/transcript_json.hpp"
#include "operators/requests.hpp"
#include "store/wanted.hpp"

namespace chatd {

namespace {

/// Messages in an answer where the request does not say how many it wants, and at most.
constexpr std::uint64_t kUsualMessages = 50;
constexpr std::uint64_t kMaxMessages = 1000;

static_assert(ControlSocket::kMaxDeferred == 16, "a sentence below says 16");

void ask_transcript(const Requests::Request& request, MessageQuery query) {
  auto& params = request.params;
  if (params.has("session")) query.where.session = params.id("session");
  if (params.has("name")) {
    query.where.name = params.text("name");
    if (query.where.name.empty()) params.fail("name must not be empty");
    check_name(params, query.where.name);
  }
  query.where.before = params.number_or("before", 0);
  query.limit = params.number_or("limit", kUsualMessages);
  if (params.has("before") && query.where.before == 0) params.fail("before must be 1 or more");
  if (query.limit == 0) params.fail("limit must be 1 or more");
  if (!request.accept()) return;
  query.limit = std::min(query.limit, kMaxMessages);
  query.where.before = std::min<std::uint64_t>(query.where.before, INT64_MAX);
  const auto& parts = request.parts;
  if (parts.transcript == nullptr) {
    request.reply.fail(rpc::kNotAllowed,
                       "transcripts are off: nothing is recorded (see [transcript])");
    return;
  }
  if (request.reply.id.empty()) return;  // nobody wants the answer
  auto deferred = parts.socket.defer(request.from, request.reply.id);
  if (!deferred) {
    request.reply.fail(rpc::kLimit,
                       "16 questions wait for their answers already, which is the limit of one "
                       "operator");
    return;
  }
  const auto answer = [&socket = parts.socket,
                       deferred = std::move(*deferred)](Result<std::string> json) {
    Reply reply;
    reply.id = deferred.request;
    if (json) {
      reply.result(*json);
    } else if (json.error().code == ETIMEDOUT) {
      reply.fail(rpc::kLimit, json.error().message);
    } else {
      reply.fail(rpc::kNotAllowed, "the transcript cannot be read: " + json.error().message);
    }
    socket.answer(deferred, reply.out);
  };
  parts.transcript->ask(request.from, std::move(query), answer);
}

}  // namespace

void ask_history(const Requests::Request& request) {
  ask_transcript(request, {});
}

void ask_search(const Requests::Request& request) {
  MessageQuery query;
  query.search = true;
  query.text = request.params.text("text");
  if (auto wanted = store::Wanted::parse(query.text); !wanted) {
    request.params.fail(wanted.error().message);
  }
  ask_transcript(request, std::move(query));
}

}  // namespace chatd
