// What the transcript is asked: its answers are due later.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "events/transcript_json.hpp"
#include "operators/requests.hpp"

namespace chatd {

namespace {

/// Messages in an answer of history or search, if it is not said how many, and at most.
constexpr std::uint64_t kUsualMessages = 50;
constexpr std::uint64_t kMaxMessages = 1000;

static_assert(ControlSocket::kMaxDeferred == 16, "a sentence below says so");

void ask_transcript(const Requests::Request& request, MessageQuery query) {
  auto& params = request.params;
  if (params.has("session")) query.where.session = params.id("session");
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
  } else if (!parts.socket.can_defer(request.from)) {
    request.reply.fail(rpc::kLimit,
                       "16 questions of this operator wait for their answers already, which is "
                       "the limit");
  } else if (!request.reply.id.empty()) {
    parts.transcript->ask(
        std::move(query),
        [&socket = parts.socket,
         deferred = parts.socket.defer(request.from, request.reply.id)](Result<std::string> json) {
          Reply reply;
          reply.id = deferred.request;
          if (json) {
            reply.result(*json);
          } else {
            reply.fail(rpc::kNotAllowed, "the transcript cannot be read: " + json.error().message);
          }
          socket.answer(deferred, reply.out);
        });
  }
}

}  // namespace

void ask_history(const Requests::Request& request) {
  ask_transcript(request, {});
}

void ask_search(const Requests::Request& request) {
  MessageQuery query;
  query.search = true;
  query.text = request.params.text("text");
  ask_transcript(request, std::move(query));
}

}  // namespace chatd
