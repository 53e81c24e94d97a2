#include "io/stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "base/bytes.hpp"
#include "io/unacknowledged.hpp"

namespace chatd::io {
namespace {

using State = Connection::State;

/// So many streams are attended to before the clock is asked whether the turn is long.
constexpr std::size_t kAttendedAtOnce = 32;
/// Room for so many streams is made at a time: doubling would leave up to half unused.
constexpr std::size_t kGrowth = 1024;

}  // namespace

StreamSet::StreamSet(Loop& loop, StreamListener& listener, StreamLimits limits)
    : Watcher{loop.poller()},
      loop_{loop},
      listener_{listener},
      limits_{limits},
      buffer_{std::make_unique<char[]>(kReadBytes)},
      deadlines_{loop, [this](StreamId id) { on_deadline(id); }},
      silence_{loop, *this} {}

StreamSet::~StreamSet() {
  for (Connection& stream : streams_) unwatch(stream);
}

/// The lowest one, which stays in free_.
StreamId StreamSet::free_id() {
  if (!free_.empty()) return free_.top();
  const auto id = static_cast<StreamId>(streams_.size());
  if (streams_.size() == streams_.capacity()) streams_.reserve(streams_.size() + kGrowth);
  streams_.emplace_back();
  free_.push(id);
  return id;
}

StreamId StreamSet::reserve() {
  const StreamId id = free_id();
  free_.pop();
  streams_[id].state = State::kReserved;
  return id;
}

void StreamSet::release(StreamId id) {
  assert(streams_[id].state == State::kReserved);
  streams_[id].state = State::kFree;
  ++streams_[id].generation;
  free_.push(id);
}

Result<StreamId> StreamSet::adopt(UniqueFd socket) {
  const StreamId id = free_id();
  Connection& stream = streams_[id];
  const int error = watch(socket.get(), {id, stream.generation}, stream.watched, kReadable);
  if (error != 0) return Error::from_errno("watch a socket", error);
  free_.pop();
  assert(stream.state == State::kFree && stream.queue.empty());
  stream.state = State::kOpen;
  stream.socket = std::move(socket);
  ++size_;
  return id;
}

int StreamSet::save(StreamId id, ByteWriter& out) {
  const Connection& stream = at(id);
  const Farewell* const farewell = farewell_of(id);
  Duration left{0};
  if (stream.is_closing() && (farewell == nullptr || farewell->is_told())) {
    const bool lingers = farewell == nullptr && stream.deadline != kNever;
    left = std::max(lingers ? stream.deadline - loop_.now() : limits_.linger, Duration{1});
  }
  stream.save(out, left);
  return share(id);
}

int StreamSet::descriptor(StreamId id) const {
  return at(id).socket.get();
}

int StreamSet::share(StreamId id) {
  at(id).shared = true;
  return at(id).socket.get();
}

bool StreamSet::exists(StreamId id) const {
  return id < streams_.size() && streams_[id].exists();
}

bool StreamSet::is_open(StreamId id) const {
  return id < streams_.size() && streams_[id].state == State::kOpen;
}

Result<StreamId> StreamSet::restore(UniqueFd socket, SavedStream saved) {
  auto id = adopt(std::move(socket));
  if (!id) return id;
  Connection& stream = streams_[*id];
  assert(saved.closing || !saved.end_sent);
  assert(saved.queue.empty() || !saved.end_sent);
  const bool clear = saved.queue.empty() && saved.linger_left > Duration{0};
  for (auto& payload : saved.queue) {
    queued_bytes_ += payload.size();
    stream.queue.push(std::move(payload));
  }
  stream.high = stream.queue.bytes() > limits_.high_bytes;
  stream.paused = saved.paused;
  stream.ended = saved.ended;
  stream.shared = true;  // who has kept it for us may still have it
  stream.used = true;
  if (saved.behind_weighty) stream.restore_weighty_end(*saved.behind_weighty);
  silence_.expect_answer(stream.debt);
  if (saved.closing) {
    stream.state = saved.end_sent ? State::kLingering : State::kFlushing;
    if (clear) {
      linger(*id, std::min(saved.linger_left, limits_.linger));
    } else {
      begin_farewell(*id);
    }
  }
  touch(*id);
  return id;
}

Result<void, WriteError> StreamSet::write(StreamId id, Payload bytes) {
  Connection& stream = at(id);
  assert(stream.state == State::kOpen);
  if (stream.state != State::kOpen || bytes.empty()) return {};
  if (!has_room(id, bytes.size())) return WriteError::kOverflow;
  push(id, std::move(bytes));
  if (!stream.blocked) touch(id);
  if (waiting(id) > limits_.high_bytes) {
    // Only what the kernel does not take is too much.
    if (!stream.blocked && stream.send_error == 0) send(id);
    if (waiting(id) > limits_.high_bytes) stream.high = true;
  }
  return {};
}

bool StreamSet::has_room(StreamId id, std::size_t bytes) {
  Connection& stream = at(id);
  assert(stream.state == State::kOpen);
  const auto fits = [&] {
    const std::size_t before = waiting(id);
    return before == 0 || (bytes <= limits_.hard_bytes && before <= limits_.hard_bytes - bytes);
  };
  if (fits()) return true;
  if (stream.send_error == 0) {
    send(id);
    touch(id);  // it may have drained or failed, and that is told at the end of the turn
  }
  return fits();
}

void StreamSet::pause(StreamId id) {
  Connection& stream = at(id);
  if (stream.paused) return;
  stream.paused = true;
  touch(id);
}

void StreamSet::resume(StreamId id) {
  Connection& stream = at(id);
  if (!stream.paused) return;
  stream.paused = false;
  touch(id);
}

void StreamSet::flush(bool all) {
  // Called back in here, a listener may call flush(): what it wants is under way,
  // or, if it came too late for that, in the turn that follows at once.
  if (flushing_) return;
  flushing_ = true;
  flushed_turn_ = loop_.turn();
  // One pass: a listener that always has more to write must not keep the loop.
  const std::size_t count = touched_.size();
  std::size_t done = 0;
  while (done < count) {
    attend(touched_[done++]);
    if (!all && done % kAttendedAtOnce == 0 && done < count && loop_.turn_is_long()) {
      loop_.turn_again();
      break;
    }
  }
  touched_.erase(touched_.begin(), touched_.begin() + static_cast<std::ptrdiff_t>(done));
  report_finished();
  flushing_ = false;
}

bool StreamSet::has_unread(StreamId id) const {
  return unread(at(id).socket.get()) > 0;
}

std::size_t StreamSet::queued_bytes(StreamId id) const {
  return waiting(id);
}

std::size_t StreamSet::unsent(StreamId id) const {
  const Connection& stream = at(id);
  if (stream.state != State::kFinished) return waiting_weight(id);
  const auto place = std::find_if(finished_.rbegin(), finished_.rend(),
                                  [id](const Finished& finished) { return finished.id == id; });
  return place == finished_.rend() ? 0 : place->unsent;
}

std::uint64_t StreamSet::sent_bytes(StreamId id) const {
  return at(id).sent_bytes;
}

Connection& StreamSet::at(StreamId id) {
  assert(id < streams_.size() && streams_[id].state != State::kFree);
  return streams_[id];
}

const Connection& StreamSet::at(StreamId id) const {
  assert(id < streams_.size() && streams_[id].state != State::kFree);
  return streams_[id];
}

void StreamSet::on_ready(Tag tag, Events events) {
  const StreamId id = tag.id;
  Connection& stream = streams_[id];
  // Closed in this turn, and perhaps another one since.
  if (stream.generation != tag.generation || !exists(id)) return;
  const bool failed = (events & (kError | kHangUp)) != 0;
  if (stream.blocked && (failed || (events & kWritable) != 0)) {
    stream.blocked = false;
    touch(id);
  }
  if ((events & kError) != 0) touch(id);  // the next system call learns which error it is
  const bool waits = stream.paused || stream.reading == ReadingTime::kLater;
  if (stream.state == State::kOpen && !stream.ended && waits) {
    if (failed) hung_up(id, events);
  } else if (stream.is_reading()) {
    if (!failed && (events & kReadable) == 0) return;
    if (stream.state == State::kOpen) {
      if (stream.reading != ReadingTime::kAtOnce) return;
      stream.reading = ReadingTime::kSoon;
      if (!listener_.may_read(id)) return;
      stream.reading = ReadingTime::kAtOnce;
    }
    const bool was_all = receive(id, kReadBytes);
    // A question and its end are one thing: whoever writes to the peer in this turn knows both.
    if (was_all && (events & kEnd) != 0 && is_open_for_reading(id, tag)) {
      (void)receive(id, kReadBytes);
    }
  } else if (stream.ended && stream.queue.empty()) {
    if (failed) fail(id, stream.hang_up_error());
  }
}

/// The peer of a stream that is not to be read now has gone. One of a unix socket may have said
/// something before, and hangs up for as long as that is not read.
void StreamSet::hung_up(StreamId id, Events events) {
  Connection& stream = at(id);
  if ((events & kError) != 0 && counts_bytes(stream.socket.get())) {
    fail(id, stream.hang_up_error());
  } else {
    stream.hung_up = true;
    touch(id);
  }
}

bool StreamSet::is_open_for_reading(StreamId id, Tag tag) const {
  const Connection& stream = streams_[id];
  return stream.generation == tag.generation && stream.state == State::kOpen && stream.is_reading();
}

void StreamSet::read(StreamId id, std::size_t most) {
  if (!exists(id)) return;
  Connection& stream = at(id);
  if (stream.reading == ReadingTime::kAtOnce) return;
  if (stream.reading == ReadingTime::kLater) touch(id);
  stream.reading = ReadingTime::kAtOnce;
  if (stream.state == State::kOpen && stream.is_reading()) receive(id, most);
}

void StreamSet::put_off(StreamId id) {
  if (!exists(id)) return;
  Connection& stream = at(id);
  if (stream.reading != ReadingTime::kSoon) return;
  stream.reading = ReadingTime::kLater;
  touch(id);
}

/// Reads once. Returns whether that was all that waited.
bool StreamSet::receive(StreamId id, std::size_t most) {
  Connection& stream = at(id);
  most = std::min(most, kReadBytes);
  const ssize_t count = ::recv(stream.socket.get(), buffer_.get(), most, MSG_DONTWAIT);
  if (count > 0) {
    if (stream.send_error != 0) touch(id);  // to see whether this was the last of it
    if (stream.state == State::kOpen) {
      hear(id, {buffer_.get(), static_cast<std::size_t>(count)});
    }
  } else if (count == 0) {
    stream.ended = true;
    touch(id);
    if (stream.state == State::kLingering) {
      if (owes_nothing(id)) finish(id, Why::kDone);
    } else if (stream.state == State::kOpen && stream.send_error == 0 && !is_input_over(id)) {
      listener_.on_end(id);
    }
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    fail(id, errno);
  }
  return count > 0 && static_cast<std::size_t>(count) < most;
}

/// What a stream has not read before it broke that was paused, or was to be read later, for it
/// will not be. It had to wait because of its rate, so that is not more than one read. False if the
/// listener has ended the stream in there.
bool StreamSet::hear_last_words(StreamId id) {
  const Connection& stream = at(id);
  if (stream.state != State::kOpen || stream.ended) return true;
  if (!stream.paused && stream.reading == ReadingTime::kAtOnce) return true;
  const auto generation = stream.generation;
  // Not buffer_: a listener that is being told what another stream has read may call flush().
  const auto buffer = std::make_unique<char[]>(kReadBytes);
  const ssize_t count = ::recv(stream.socket.get(), buffer.get(), kReadBytes, MSG_DONTWAIT);
  if (count <= 0) return true;
  hear(id, {buffer.get(), static_cast<std::size_t>(count)});
  // It may have adopted others, so that all streams have moved.
  return streams_[id].generation == generation && streams_[id].state == State::kOpen;
}

/// Puts a stream on the list of those that are attended to at the end of the turn.
void StreamSet::touch(StreamId id) {
  Connection& stream = streams_[id];
  if (stream.touched) return;
  stream.touched = true;
  touched_.push_back(id);
  call_for_flush();
}

/// Work that is found after the flush of this turn is done in another turn, at once.
void StreamSet::call_for_flush() {
  if (flushed_turn_ == loop_.turn()) loop_.turn_again();
}

/// Does what is due for one stream at the end of a turn. Calls back last, and
/// touches `stream` no more after that: the listener may adopt another.
void StreamSet::attend(StreamId id) {
  Connection& stream = streams_[id];
  stream.touched = false;
  if (!stream.exists()) return;

  std::size_t sent = 0;
  if (!stream.blocked && stream.send_error == 0) sent = send(id);

  if (stream.send_error != 0) {
    const int error = stream.send_error;
    // A peer that sent its last words and left is read to the end all the same.
    const bool read_on = stream.state == State::kOpen && stream.is_reading();
    if (!read_on || !stream.is_readable()) {
      fail(id, error);
      return;
    }
  } else if (stream.state == State::kFlushing && !end_output(id, sent)) {
    return;
  }

  const int error =
      watch(stream.socket.get(), {id, stream.generation}, stream.watched, stream.wanted());
  if (error != 0) {
    fail(id, error);
    return;
  }
  if (stream.high && waiting(id) <= limits_.low_bytes) {
    stream.high = false;
    if (stream.state == State::kOpen) listener_.on_drained(id);
  }
}

std::size_t StreamSet::send(StreamId id) {
  Connection& stream = at(id);
  std::size_t total = 0;
  do {
    const std::size_t sent = stream.send();
    assert(queued_bytes_ >= sent);
    queued_bytes_ -= sent;
    total += sent;
  } while (stream.sealed && stream.queue.empty() && stream.send_error == 0 && seal_more(id));
  if (total > 0) silence_.expect_answer(stream.debt);
  return total;
}

/// Before the descriptor is closed.
void StreamSet::unwatch(Connection& stream) {
  // What has a duplicate is not forgotten by the kernel, and would be told of for ever.
  if (stream.shared) (void)watch(stream.socket.get(), {}, stream.watched, kNothing);
  forget(stream.watched);
}

StreamId StreamSet::end_of_ids() const {
  return static_cast<StreamId>(streams_.size());
}

Debt* StreamSet::debt_of(StreamId id) {
  Connection& stream = streams_[id];
  return stream.state == State::kOpen ? &stream.debt : nullptr;
}

std::optional<Unanswered> StreamSet::ask(StreamId id) {
  return unanswered(at(id).socket.get());
}

void StreamSet::on_vanished(StreamId id) {
  fail(id, ETIMEDOUT);
}

void StreamSet::fail(StreamId id, int error) {
  if (!hear_last_words(id)) return;
  const bool open = at(id).state == State::kOpen;
  finish(id, Why::kBroken);
  if (open) listener_.on_broken(id, error);
}

}  // namespace chatd::io
