// How operators get what happens: each event once and in order, from the turn in which it
// happened, from the log, or from the transcript; and what they ask the transcript.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "events/event_json.hpp"
#include "operators/control.hpp"
#include "operators/control_operator.hpp"

namespace chatd {

namespace {

/// Together with the queue: 1 MiB may wait for an operator.
constexpr std::size_t kMaxBehind = 1024UL * 1024 - kHighBytes;
/// How long an operator for whom that much waits may take nothing.
constexpr Duration kPatience{1000};
/// Events of the transcript are taken in pages of about this size.
constexpr std::size_t kPageBytes = 128UL * 1024;
/// Messages in an answer of history or search, if it is not said how many, and at most.
constexpr std::uint64_t kUsualMessages = 50;
constexpr std::uint64_t kMaxMessages = 1000;
/// Of one operator that wait for the transcript; its other requests go on meanwhile.
constexpr std::size_t kMaxQuestions = 16;

}  // namespace

/// At the end of each turn: what happened in it goes to everybody who is live.
void Control::publish() {
  std::uint32_t count = 0;
  const Payload lines = log_.seal(count);
  if (lines.empty()) return;
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving || !operators_[id]->subscribed) continue;
    Operator& self = *operators_[id];
    if (self.live && streams_.queued_bytes(id) > kHighBytes) {
      self.live = false;
      self.cursor = log_.sealed_seq() - count;
      self.behind = 0;
    }
    if (self.live) {
      if (!streams_.write(id, lines)) leave(id, "did not read");
      continue;
    }
    self.behind += lines.size();
    if (self.behind > kMaxBehind && !std::exchange(self.suspected, true)) {
      self.taken = streams_.sent_bytes(id);
      patience_.start(kPatience);
    }
  }
}

/// Detaches those for whom too much waits and who have taken nothing of it. Who reads
/// on slowly stays, and hears it if the log could not wait for it.
void Control::judge() {
  bool again = false;
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving || !operators_[id]->suspected) continue;
    Operator& self = *operators_[id];
    const auto taken = streams_.sent_bytes(id);
    self.suspected = self.behind > kMaxBehind;
    if (self.suspected && taken == self.taken && !self.fetching) leave(id, "did not read");
    self.taken = taken;
    again = again || self.suspected;
  }
  if (again) patience_.start(kPatience);
}

void Control::on_drained(io::StreamId id) {
  if (operators_[id]->leaving) return;
  if (operators_[id]->subscribed && !operators_[id]->live) catch_up(id);
  if (!operators_[id]->leaving) process(id);
  loop_.turn_again();  // what it wanted may be an event, and publish() is past in this turn
}

/// Queues events that were missed, as many as fit; the rest when it has read these.
void Control::catch_up(io::StreamId id) {
  Operator& self = *operators_[id];
  if (self.fetching) return;
  if (const auto first = log_.first_seq(); self.cursor + 1 < first) {
    if (transcript_ != nullptr) {
      fetch(id, first - 1);
      return;
    }
    std::string line;
    append_lagged(line, first - 1, first - 1 - self.cursor, wall_now());
    self.cursor = first - 1;
    write(id, line);
  }
  while (!self.leaving && streams_.queued_bytes(id) <= kHighBytes) {
    const Payload lines = log_.after(self.cursor);
    if (lines.empty()) {
      self.live = true;
      self.behind = 0;
      return;
    }
    self.behind -= std::min(self.behind, lines.size());
    if (!streams_.write(id, lines)) leave(id, "did not read");
  }
}

/// Asks the transcript for what the log has no more; the rest follows when it is there. One
/// page at a time, however often an operator begins anew.
void Control::fetch(io::StreamId id, core::Seq upto) {
  Operator& self = *operators_[id];
  self.fetch = ++last_number_;
  self.fetching = true;
  transcript_->replay(
      self.cursor, upto, kPageBytes,
      [this, id, operator_number = self.number, page_number = self.fetch](const ReplayPage& page) {
        Operator* asked = find(id, operator_number);
        if (asked == nullptr) return;
        asked->fetching = false;
        if (asked->fetch == page_number) {
          fetched(id, page);
        } else if (!asked->live) {
          catch_up(id);
        }
      });
}

void Control::fetched(io::StreamId id, const ReplayPage& page) {
  Operator& self = *operators_[id];
  self.fetch = 0;
  self.cursor = page.last;
  self.behind -= std::min(self.behind, page.lines.size());
  write(id, page.lines);
  // With more than that it goes on when it has read, see on_drained().
  if (!self.leaving && streams_.queued_bytes(id) <= kHighBytes) catch_up(id);
}

Control::Operator* Control::find(io::StreamId id, std::uint64_t number) {
  if (id >= operators_.size() || !operators_[id]) return nullptr;
  Operator& self = *operators_[id];
  return self.number == number && !self.leaving ? &self : nullptr;
}

// ---- what the transcript is asked ----

void Control::question(io::StreamId id, std::string_view method, rpc::Params& params,
                       Reply& reply) {
  MessageQuery query;
  query.search = method == "search";
  if (query.search) query.text = params.text("text");
  if (params.has("session")) query.where.session = params.id("session");
  query.where.before = params.number_or("before", 0);
  query.limit = params.number_or("limit", kUsualMessages);
  if (params.has("before") && query.where.before == 0) params.fail("before must be 1 or more");
  if (query.limit == 0) params.fail("limit must be 1 or more");
  if (!reply.accept(params)) return;
  query.limit = std::min(query.limit, kMaxMessages);
  query.where.before = std::min<std::uint64_t>(query.where.before, INT64_MAX);
  Operator& self = *operators_[id];
  if (transcript_ == nullptr) {
    reply.fail(rpc::kNotAllowed, "transcripts are off: nothing is recorded (see [transcript])");
  } else if (self.questions == kMaxQuestions) {
    reply.fail(rpc::kLimit, "as many questions as may be wait for their answers already");
  } else if (!reply.id.empty()) {
    ++self.questions;
    transcript_->ask(std::move(query), [this, id, number = self.number,
                                        request = std::string{reply.id}](Result<std::string> json) {
      if (find(id, number) != nullptr) answered(id, request, std::move(json));
    });
  }
}

void Control::answered(io::StreamId id, std::string_view request, Result<std::string> json) {
  --operators_[id]->questions;
  Reply reply;
  reply.id = request;
  if (json) {
    reply.result(*json);
  } else {
    reply.fail(rpc::kNotAllowed, "the transcript cannot be read: " + json.error().message);
  }
  write(id, reply.out);
  if (!operators_[id]->leaving) process(id);  // it may have waited to leave
}

}  // namespace chatd
