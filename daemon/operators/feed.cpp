#include "operators/feed.hpp"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "base/protocol.hpp"
#include "base/wall_time.hpp"
#include "events/event_json.hpp"

namespace chatd {

namespace {

/// The part of kMaxControlWaiting that is not in the queue.
constexpr std::size_t kMaxBehind = kMaxControlWaiting - ControlSocket::kHighBytes;
/// How long an operator for whom more than that waits may take nothing.
constexpr Duration kPatience{1000};
/// Who has no more than this before it is as good as up to date.
constexpr std::size_t kLittle = 64UL * 1024;
/// Events of the transcript are taken in pages of about this size.
constexpr std::size_t kPageBytes = 128UL * 1024;

}  // namespace

Feed::Feed(io::Loop& loop, ControlSocket& socket, Journal& journal, Transcript* transcript)
    : loop_{loop},
      socket_{socket},
      journal_{journal},
      transcript_{transcript},
      patience_{loop, [this] { judge(); }} {}

bool Feed::keeps_up() {
  bool all = true;
  for (OperatorId id = 0; id < subscriptions_.size(); ++id) {
    Subscription* const self = find(id);
    if (self == nullptr) continue;
    self->was_live = self->was_live || self->live;
    if (!self->was_live || (self->live && socket_.queued_bytes(id) <= kLittle)) {
      self->behind_since = kNever;
      continue;
    }
    const auto taken = socket_.sent_bytes(id);
    if (self->behind_since == kNever || taken != self->taken_then) {
      self->behind_since = loop_.now();
      self->taken_then = taken;
    }
    all = all && loop_.now() - self->behind_since > kPatience;
  }
  return all;
}

Feed::Subscription* Feed::find(OperatorId id) {
  return id < subscriptions_.size() ? subscriptions_[id].get() : nullptr;
}

void Feed::subscribe(OperatorId id, std::optional<Seq> since) {
  assert(socket_.has(id));
  if (id >= subscriptions_.size()) subscriptions_.resize(id + 1);
  if (!subscriptions_[id]) subscriptions_[id] = std::make_unique<Subscription>();
  Subscription& self = *subscriptions_[id];
  self.page = 0;
  self.live = !since || *since >= journal_.sealed_seq();
  self.was_live = false;
  self.cursor = since.value_or(0);
  if (!self.live) catch_up(id);
}

void Feed::forget(OperatorId id) {
  if (find(id) != nullptr) subscriptions_[id].reset();
}

void Feed::seal() {
  std::uint32_t count = 0;
  const Payload lines = journal_.seal(count);
  if (lines.empty()) return;
  // Within this, others would get the next events before these.
  assert(!sealing_);
  sealing_ = true;
  for (OperatorId id = 0; id < subscriptions_.size(); ++id) {
    Subscription* self = find(id);
    if (self == nullptr) continue;
    if (self->live && !has_room(id)) {
      self->live = false;
      self->cursor = journal_.sealed_seq() - count;
      self->behind = 0;
    }
    if (self->live) {
      socket_.send(id, lines);
    } else {
      fall_behind(id, *self, lines.size());
    }
  }
  sealing_ = false;
}

void Feed::tell(std::string_view line, const std::function<bool(OperatorId)>& may_hear) {
  const Payload bytes{line};
  for (OperatorId id = 0; id < subscriptions_.size(); ++id) {
    const Subscription* self = find(id);
    if (self != nullptr && self->live && has_room(id) && may_hear(id)) socket_.send(id, bytes);
  }
}

void Feed::fall_behind(OperatorId id, Subscription& self, std::size_t bytes) {
  self.behind += bytes;
  if (self.behind <= kMaxBehind || std::exchange(self.suspected, true)) return;
  self.taken = socket_.sent_bytes(id);
  patience_.start(kPatience);
}

/// Those for whom too much waits, and who have taken nothing of it, have to leave. An operator
/// who reads slowly stays, and is told by `lagged` what the log could not keep for it.
void Feed::judge() {
  bool again = false;
  for (OperatorId id = 0; id < subscriptions_.size(); ++id) {
    Subscription* self = find(id);
    if (self == nullptr || !self->suspected) continue;
    const auto taken = socket_.sent_bytes(id);
    self->suspected = self->behind > kMaxBehind;
    again = again || self->suspected;
    if (self->suspected && taken == self->taken && self->asked == 0) {
      socket_.leave(id, "did not read");
    } else {
      self->taken = taken;
    }
  }
  if (again) patience_.start(kPatience);
}

void Feed::drained(OperatorId id) {
  if (const Subscription* self = find(id); self != nullptr && !self->live) catch_up(id);
}

/// Queues events that were missed, as many as fit; the rest when the operator has read these.
void Feed::catch_up(OperatorId id) {
  Subscription* self = find(id);
  assert(self != nullptr && !self->live);
  if (self->asked != 0) return;
  if (const auto first = journal_.first_seq(); self->cursor + 1 < first) {
    if (transcript_ != nullptr) {
      fetch(id, first - 1);
      return;
    }
    std::string line;
    append_lagged(line, first - 1, first - 1 - self->cursor, wall_now());
    self->cursor = first - 1;
    socket_.write(id, line);
  }
  // With each piece the operator may have to leave, and its subscription goes with it.
  while ((self = find(id)) != nullptr && has_room(id)) {
    const Payload lines = journal_.after(self->cursor);
    if (lines.empty()) {
      self->live = true;
      self->behind = 0;
      return;
    }
    self->behind -= std::min(self->behind, lines.size());
    socket_.send(id, lines);
  }
}

/// Asks the transcript for what the log does not keep any more; the rest follows when that is
/// there. One page is asked for at a time, however often an operator begins anew.
void Feed::fetch(OperatorId id, Seq upto) {
  Subscription& self = *subscriptions_[id];
  assert(self.asked == 0 && self.cursor < upto);
  self.page = self.asked = ++last_page_;
  transcript_->replay(
      id, self.cursor, upto, kPageBytes,
      [this, id, number = self.page](const ReplayPage& page) { page_came(id, number, page); });
}

void Feed::page_came(OperatorId id, std::uint64_t number, const ReplayPage& page) {
  Subscription* self = find(id);
  if (self == nullptr || self->asked != number) return;  // whoever asked has left
  self->asked = 0;
  if (self->page != number) {  // it has begun anew since
    if (!self->live) catch_up(id);
    return;
  }
  assert(!self->live && page.last > self->cursor);
  self->page = 0;
  self->cursor = page.last;
  self->behind -= std::min(self->behind, page.lines.size());
  socket_.write(id, page.lines);
  // With more waiting it goes on when the operator has read, see drained().
  if (find(id) != nullptr && has_room(id)) catch_up(id);
}

}  // namespace chatd
