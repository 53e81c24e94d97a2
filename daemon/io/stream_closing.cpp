/// StreamSet: how a stream ends. A closing one owes its peer what Farewell says, until the
/// kernel says that everything is acknowledged; then it lingers for the peer's end of file.
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "io/stream.hpp"
#include "io/unacknowledged.hpp"

namespace chatd::io {
namespace {

using State = Connection::State;

}  // namespace

bool StreamSet::is_clear(StreamId id) const {
  const Connection& stream = at(id);
  if (waiting(id) > 0) return false;
  return !stream.used || stream.without_end(unacknowledged(stream.socket.get())) == 0;
}

bool StreamSet::close(StreamId id) {
  Connection& stream = at(id);
  if (stream.state != State::kOpen) return farewell_of(id) == nullptr;
  const bool clear = is_clear(id);
  if (stream.sealed) finish_sealing(id);
  if (!clear) begin_farewell(id);
  stream.state = State::kFlushing;
  stream.reading = ReadingTime::kAtOnce;
  touch(id);
  return clear;
}

std::size_t StreamSet::discard_queue(StreamId id) {
  Connection& stream = at(id);
  SendQueue& queue = stream.sealed ? sealed_.at(id).text : stream.queue;
  const std::size_t weight = queue.weight();
  assert(queued_bytes_ >= queue.bytes());
  queued_bytes_ -= queue.bytes();
  queue.clear();
  if (stream.sealed) return weight;
  stream.blocked = false;
  if (Farewell* const farewell = farewell_of(id)) farewell->forget_queue(stream.sent_bytes);
  touch(id);
  return weight;
}

void StreamSet::abort(StreamId id) {
  const Connection& stream = at(id);
  if (!stream.exists()) return;
  const bool broken = farewell_of(id) != nullptr && stream.has_failed();
  finish(id, broken ? Why::kBroken : Why::kDone);
}

Farewell* StreamSet::farewell_of(StreamId id) {
  const auto place = farewells_.find(id);
  return place == farewells_.end() ? nullptr : &place->second;
}

Farewell& StreamSet::begin_farewell(StreamId id) {
  Connection& stream = at(id);
  const Time now = loop_.now();
  assert(!farewells_.contains(id));
  Farewell& farewell =
      farewells_.emplace(id, Farewell{stream.queue, stream.sent_bytes, stream.weighty_end(), now})
          .first->second;
  deadlines_.set(id, stream.deadline, farewell.next_look(now, limits_.patience));
  return farewell;
}

/// Waits for the peer's end of file alone.
void StreamSet::linger(StreamId id, Duration how_long) {
  deadlines_.set(id, at(id).deadline, loop_.now() + std::max(how_long, Duration{1}));
}

/// Sends the end of file of a closing stream once nothing is queued, of which `sent` bytes have
/// just gone. False if that was the end of the stream.
bool StreamSet::end_output(StreamId id, std::size_t sent) {
  Connection& stream = at(id);
  Farewell* const farewell = farewell_of(id);
  if (farewell != nullptr && sent > 0) farewell->taken(loop_.now());
  if (!stream.queue.empty()) return true;
  if (stream.ended && owes_nothing(id)) {
    finish(id, Why::kDone);
    return false;
  }
  if (::shutdown(stream.socket.get(), SHUT_WR) != 0) {
    finish(id, Why::kBroken);
    return false;
  }
  stream.state = State::kLingering;
  if (farewell == nullptr) linger(id, limits_.linger);
  return true;
}

/// Whether a closing stream has nothing to wait for but an end of file.
bool StreamSet::owes_nothing(StreamId id) {
  Farewell* const farewell = farewell_of(id);
  if (farewell == nullptr) return true;
  const Connection& stream = at(id);
  const std::size_t owed = unacknowledged(stream.socket.get());
  farewell->seen(stream.sent_bytes, stream.without_end(owed), loop_.now());
  return farewell->is_acknowledged();
}

void StreamSet::on_deadline(StreamId id) {
  if (Farewell* const farewell = farewell_of(id)) {
    look(id, *farewell);
  } else if (unacknowledged(at(id).socket.get()) == 0) {
    finish(id, Why::kDone);
  } else {
    // It was clear when it was closed, but the peer has no room even for the end of file.
    begin_farewell(id).say_nothing();
  }
}

/// Asks what the peer has acknowledged meanwhile. Calls back last.
void StreamSet::look(StreamId id, Farewell& farewell) {
  Connection& stream = at(id);
  const Time now = loop_.now();
  const std::size_t owed = unacknowledged(stream.socket.get());
  // Nothing may be owed because there is nobody any more (a unix socket), and of one that is not
  // watched nobody else will say so.
  if ((owed == 0 || stream.watched == kNothing) && stream.has_failed()) {
    finish(id, Why::kBroken);
    return;
  }
  farewell.seen(stream.sent_bytes, stream.without_end(owed), now);
  const bool becomes_clear = farewell.becomes_clear();
  const bool acknowledged = farewell.is_acknowledged();
  if (acknowledged && owed == 0 && !stream.ended) {
    farewells_.erase(id);
    linger(id, limits_.linger);
  } else if ((acknowledged && stream.ended) || farewell.is_over(now, limits_.patience)) {
    if (!acknowledged) stream.cut_off();
    finish(id, Why::kDone);
  } else {
    deadlines_.set(id, stream.deadline, farewell.next_look(now, limits_.patience));
  }
  if (becomes_clear) listener_.on_clear(id);
}

/// Closes the descriptor; on_closed() comes at the end of the turn.
void StreamSet::finish(StreamId id, Why why) {
  Connection& stream = at(id);
  assert(stream.exists());
  deadlines_.set(id, stream.deadline, kNever);
  finished_.push_back(account(id, why));
  queued_bytes_ -= waiting(id);
  stream.queue.clear();
  if (stream.sealed) sealed_.erase(id);
  stream.sealed = false;
  unwatch(stream);
  stream.socket.reset();
  stream.state = State::kFinished;
  call_for_flush();
}

/// What is to be said of a stream that ends now. The kernel is asked for the last time.
StreamSet::Finished StreamSet::account(StreamId id, Why why) {
  const Connection& stream = at(id);
  const auto place = farewells_.find(id);
  if (place == farewells_.end()) return {id, waiting_weight(id), false};
  Farewell farewell = std::move(place->second);
  farewells_.erase(place);
  bool exact = true;
  if (!farewell.is_acknowledged()) {
    exact = counts_bytes(stream.socket.get());
    if (exact || why != Why::kBroken) {
      const std::size_t owed = unacknowledged(stream.socket.get());
      farewell.seen(stream.sent_bytes, stream.without_end(owed), loop_.now());
    }
  }
  const std::size_t unsealed = stream.sealed ? sealed_.at(id).text.weight() : 0;
  return {id, farewell.unsent(exact) + unsealed, farewell.becomes_clear()};
}

void StreamSet::report_finished() {
  const std::size_t count = finished_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto [id, unsent, becomes_clear] = finished_[i];
    assert(streams_[id].state == State::kFinished && size_ > 0);
    --size_;
    if (becomes_clear) listener_.on_clear(id);
    listener_.on_closed(id, unsent);
    // Only now: a stream that the listener adopted in there is another one.
    const auto generation = static_cast<std::uint16_t>(streams_[id].generation + 1);
    streams_[id] = Connection{};
    streams_[id].generation = generation;
    free_.push(id);
  }
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace chatd::io
