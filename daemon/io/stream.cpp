#include "io/stream.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/bytes.hpp"
#include "io/send_queue.hpp"
#include "io/unanswered.hpp"

namespace chatd::io {
namespace {

/// What one readiness event may bring; more waits for its next turn, so that one
/// fast peer does not keep the others waiting.
constexpr std::size_t kReadBytes = 64 * 1024;
/// Room for so many streams is made at a time: doubling would leave up to half unused.
constexpr std::size_t kGrowth = 1024;
/// Payloads in one system call.
constexpr std::size_t kSendParts = 64;
/// Several small payloads are copied together first: for the kernel that is less work than
/// to gather as many parts.
constexpr std::size_t kCopiedBytes = 4096;
/// Whether the descriptor is non-blocking is not ours to say.
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

/// How often it is looked at who owes an acknowledgement, which is a call for each; so many
/// of them in a turn; and how exact the kernel's times are taken to be.
constexpr Duration kLookInterval{20'000};
constexpr std::size_t kLooksAtOnce = 512;
constexpr Duration kLookMargin{1000};
/// Silent at so many looks in a row, a peer has vanished: two minutes, as long as keepalive
/// takes (see acceptor.cpp).
constexpr std::uint8_t kMostSilences = 6;
/// One that takes nothing is asked by the kernel once in two minutes, if it has been so for
/// long: three such questions are not answered.
constexpr std::uint8_t kMostSilencesWithoutRoom = 20;

bool is_readable(int fd) {
  pollfd ask{fd, POLLIN, 0};
  return ::poll(&ask, 1, 0) == 1;
}

}  // namespace

enum class StreamSet::State : std::uint8_t {
  kFree,
  kOpen,
  kFlushing,   // close() was called, the end of file is not sent yet
  kLingering,  // the end of file is sent, the peer's own is waited for
  kFinished,   // the descriptor is closed, on_closed() is due
};

/// One cache line: a broadcast touches one of these for each stream.
struct StreamSet::Stream {
  SendQueue queue;
  std::uint64_t sent_bytes = 0;
  Time deadline = kNever;  // while closing
  UniqueFd socket;
  State state = State::kFree;
  Events watched = kNothing;
  /// Why nothing can be sent any more. The stream is kept until what the peer
  /// had sent before is read.
  std::uint8_t send_error = 0;
  std::uint16_t generation = 0;  // of this use of the id
  bool paused : 1 = false;
  bool ended : 1 = false;    // the peer's end of file was read
  bool touched : 1 = false;  // it is in touched_
  bool high : 1 = false;
  bool blocked : 1 = false;   // the kernel takes no more until it says so
  bool shared : 1 = false;    // somebody else may have a duplicate of the descriptor
  bool owes : 1 = false;      // what it was sent may not be acknowledged yet
  std::uint8_t silences = 0;  // looks in a row at which it owed that and had said nothing
};

StreamSet::StreamSet(Loop& loop, StreamListener& listener, StreamLimits limits)
    : Watcher{loop.poller()},
      loop_{loop},
      listener_{listener},
      limits_{limits},
      buffer_{std::make_unique<char[]>(kReadBytes)},
      linger_{loop, [this] { on_linger_over(); }},
      look_{loop, [this] { look_for_silence(); }},
      turn_end_{loop, [this] { flush(); }} {
  static_assert(sizeof(Stream) <= 64);
}

StreamSet::~StreamSet() {
  for (Stream& stream : streams_) unwatch(stream);
}

Result<StreamId> StreamSet::adopt(UniqueFd socket) {
  const StreamId id = free_.empty() ? static_cast<StreamId>(streams_.size()) : free_.top();
  if (free_.empty()) {
    if (streams_.size() == streams_.capacity()) streams_.reserve(streams_.size() + kGrowth);
    streams_.emplace_back();
    free_.push(id);
  }
  Stream& stream = streams_[id];
  const int error = watch(socket.get(), {id, stream.generation}, stream.watched, kReadable);
  if (error != 0) return Error::from_errno("watch a socket", error);
  free_.pop();
  stream.state = State::kOpen;
  stream.socket = std::move(socket);
  ++size_;
  return id;
}

SavedStream SavedStream::read(ByteReader& in) {
  SavedStream saved;
  for (auto count = in.count(); count > 0 && in.ok(); --count) saved.queue.push_back(in.payload());
  saved.linger_left = Duration{in.number<std::uint32_t>()};
  saved.closing = in.flag();
  saved.end_sent = in.flag();
  saved.paused = in.flag();
  saved.ended = in.flag();
  in.require(saved.closing || !saved.end_sent);
  in.require(saved.queue.empty() || !saved.end_sent);
  return saved;
}

int StreamSet::save(StreamId id, ByteWriter& out) {
  Stream& stream = at(id);
  std::uint64_t payloads = 0;
  stream.queue.each([&](const Payload&, std::string_view) { ++payloads; });
  out.number(payloads);
  stream.queue.each([&](const Payload& payload, std::string_view rest) {
    if (rest.size() == payload.size()) {
      out.payload(payload);
    } else {
      out.payload(rest, payload.weight());
    }
  });
  const Duration left = stream.deadline == kNever
                            ? Duration{0}
                            : std::max(stream.deadline - loop_.now(), Duration{1});
  out.number(static_cast<std::uint32_t>(left.count()));
  out.flag(stream.state != State::kOpen);
  out.flag(stream.state == State::kLingering);
  out.flag(stream.paused);
  out.flag(stream.ended);
  stream.shared = true;
  return stream.socket.get();
}

int StreamSet::descriptor(StreamId id) const {
  return at(id).socket.get();
}

int StreamSet::share(StreamId id) {
  at(id).shared = true;
  return at(id).socket.get();
}

bool StreamSet::exists(StreamId id) const {
  return id < streams_.size() && streams_[id].state != State::kFree &&
         streams_[id].state != State::kFinished;
}

Result<StreamId> StreamSet::restore(UniqueFd socket, SavedStream saved) {
  auto id = adopt(std::move(socket));
  if (!id) return id;
  Stream& stream = streams_[*id];
  for (auto& payload : saved.queue) {
    queued_bytes_ += payload.size();
    stream.queue.push(std::move(payload));
  }
  stream.high = stream.queue.bytes() > limits_.high_bytes;
  stream.paused = saved.paused;
  stream.ended = saved.ended;
  stream.shared = true;  // who has kept it for us may still have it
  expect_answer(stream);
  if (saved.closing) {
    stream.state = saved.end_sent ? State::kLingering : State::kFlushing;
    const bool known = saved.linger_left > Duration{0};
    if (known || saved.end_sent) {
      const Duration left = known ? std::min(saved.linger_left, limits_.linger) : limits_.linger;
      set_deadline(*id, loop_.now() + left);
    }
  }
  touch(*id);
  return id;
}

Result<void, WriteError> StreamSet::write(StreamId id, Payload bytes) {
  Stream& stream = at(id);
  assert(stream.state == State::kOpen);
  if (stream.state != State::kOpen || bytes.empty()) return {};
  const auto fits = [&] {
    if (stream.queue.empty()) return true;
    return bytes.size() <= limits_.hard_bytes &&
           stream.queue.bytes() <= limits_.hard_bytes - bytes.size();
  };
  if (!fits()) {
    if (stream.send_error == 0) {
      send(stream);
      touch(id);  // it may have drained or failed, and that is told at the end of the turn
    }
    if (!fits()) return WriteError::kOverflow;
  }
  queued_bytes_ += bytes.size();
  stream.queue.push(std::move(bytes));
  if (!stream.blocked) touch(id);
  if (stream.queue.bytes() > limits_.high_bytes) {
    // Only what the kernel does not take is too much.
    if (!stream.blocked && stream.send_error == 0) send(stream);
    if (stream.queue.bytes() > limits_.high_bytes) stream.high = true;
  }
  return {};
}

void StreamSet::pause(StreamId id) {
  Stream& stream = at(id);
  if (stream.paused) return;
  stream.paused = true;
  touch(id);
}

void StreamSet::resume(StreamId id) {
  Stream& stream = at(id);
  if (!stream.paused) return;
  stream.paused = false;
  touch(id);
}

void StreamSet::close(StreamId id) {
  Stream& stream = at(id);
  if (stream.state != State::kOpen) return;
  stream.state = State::kFlushing;
  touch(id);
}

void StreamSet::abort(StreamId id) {
  const State state = at(id).state;
  if (state != State::kFree && state != State::kFinished) finish(id);
}

void StreamSet::flush() {
  // Called back in here, a listener may call flush(): what it wants is under way,
  // or, if it came too late for that, in the turn that follows at once.
  if (flushing_) return;
  flushing_ = true;
  flushed_turn_ = loop_.turn();
  // One pass: a listener that always has more to write must not keep the loop.
  const std::size_t count = touched_.size();
  for (std::size_t i = 0; i < count; ++i) attend(touched_[i]);
  touched_.erase(touched_.begin(), touched_.begin() + static_cast<std::ptrdiff_t>(count));
  report_finished();
  flushing_ = false;
}

std::size_t StreamSet::queued_bytes(StreamId id) const {
  return at(id).queue.bytes();
}

std::size_t StreamSet::unsent(StreamId id) const {
  const Stream& stream = at(id);
  if (stream.state != State::kFinished) return stream.queue.weight();
  const auto place = std::find_if(finished_.rbegin(), finished_.rend(),
                                  [id](const Finished& finished) { return finished.id == id; });
  return place == finished_.rend() ? 0 : place->unsent;
}

std::uint64_t StreamSet::sent_bytes(StreamId id) const {
  return at(id).sent_bytes;
}

StreamSet::Stream& StreamSet::at(StreamId id) {
  assert(id < streams_.size() && streams_[id].state != State::kFree);
  return streams_[id];
}

const StreamSet::Stream& StreamSet::at(StreamId id) const {
  assert(id < streams_.size() && streams_[id].state != State::kFree);
  return streams_[id];
}

void StreamSet::on_ready(Tag tag, Events events) {
  const StreamId id = tag.id;
  Stream& stream = streams_[id];
  // Closed in this turn, and perhaps another one since.
  if (stream.generation != tag.generation || !exists(id)) return;
  const bool failed = (events & (kError | kHangUp)) != 0;
  if (stream.blocked && (failed || (events & kWritable) != 0)) {
    stream.blocked = false;
    touch(id);
  }
  if ((events & kError) != 0) touch(id);  // the next system call learns which error it is
  const bool reading = !stream.ended && !(stream.paused && stream.state == State::kOpen);
  if (reading) {
    if (failed || (events & kReadable) != 0) receive(id);
  } else if (stream.ended && stream.queue.empty()) {
    if (failed) hung_up(id);
  }
}

void StreamSet::receive(StreamId id) {
  Stream& stream = at(id);
  const ssize_t count = ::recv(stream.socket.get(), buffer_.get(), kReadBytes, MSG_DONTWAIT);
  if (count > 0) {
    if (stream.send_error != 0) touch(id);  // to see whether this was the last of it
    if (stream.state == State::kOpen) {
      listener_.on_read(id, {buffer_.get(), static_cast<std::size_t>(count)});
    }
  } else if (count == 0) {
    stream.ended = true;
    touch(id);
    if (stream.state == State::kLingering) {
      finish(id);
    } else if (stream.state == State::kOpen && stream.send_error == 0) {
      listener_.on_end(id);
    }
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    fail(id, errno);
  }
}

/// The peer had closed its sending side, and now an error or a hang-up arrived.
void StreamSet::hung_up(StreamId id) {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(at(id).socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  fail(id, error != 0 ? error : EPIPE);
}

/// Puts a stream on the list of those that are attended to at the end of the turn.
void StreamSet::touch(StreamId id) {
  Stream& stream = streams_[id];
  if (stream.touched) return;
  stream.touched = true;
  touched_.push_back(id);
  call_for_flush();
}

/// What is found after the flush of this turn is done in another one, at once.
void StreamSet::call_for_flush() {
  if (flushed_turn_ == loop_.turn()) loop_.turn_again();
}

/// Does what is due for one stream at the end of a turn. Calls back last, and
/// touches `stream` no more after that: the listener may adopt another.
void StreamSet::attend(StreamId id) {
  Stream& stream = streams_[id];
  stream.touched = false;
  const bool closing = stream.state == State::kFlushing || stream.state == State::kLingering;
  if (!closing && stream.state != State::kOpen) return;

  std::size_t sent = 0;
  if (!stream.blocked && stream.send_error == 0) sent = send(stream);

  if (stream.send_error != 0) {
    const int error = stream.send_error;
    // A peer that sent its last words and left is read to the end all the same.
    const bool read_on = !closing && !stream.ended && !stream.paused;
    if (!read_on || !is_readable(stream.socket.get())) {
      fail(id, error);
      return;
    }
  } else if (stream.state == State::kFlushing) {
    if (stream.queue.empty()) {
      if (stream.ended || ::shutdown(stream.socket.get(), SHUT_WR) != 0) {
        finish(id);
        return;
      }
      stream.state = State::kLingering;
      set_deadline(id, loop_.now() + limits_.linger);
    } else if (sent > 0 || stream.deadline == kNever) {
      set_deadline(id, loop_.now() + limits_.linger);
    }
  }

  if (const int error = watch_for_what_is_due(id); error != 0) {
    fail(id, error);
    return;
  }
  if (stream.high && stream.queue.bytes() <= limits_.low_bytes) {
    stream.high = false;
    if (stream.state == State::kOpen) listener_.on_drained(id);
  }
}

/// Gives the kernel what waits, as far as it takes it. Returns how many bytes that
/// was; sets `blocked` or `send_error` if some could not be given.
std::size_t StreamSet::send(Stream& stream) {
  std::array<iovec, kSendParts> parts;
  std::size_t total = 0;
  while (!stream.queue.empty()) {
    std::size_t count = stream.queue.gather(parts);
    std::array<char, kCopiedBytes> copied;
    if (count > 1 && stream.queue.bytes() <= copied.size()) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < count; size += parts[i++].iov_len) {
        std::memcpy(&copied[size], parts[i].iov_base, parts[i].iov_len);
      }
      parts[0] = {copied.data(), size};
      count = 1;
    }
    ssize_t sent = 0;
    if (count == 1) {
      sent = ::send(stream.socket.get(), parts[0].iov_base, parts[0].iov_len, kSendFlags);
    } else {
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = count;
      sent = ::sendmsg(stream.socket.get(), &message, kSendFlags);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        stream.blocked = true;
      } else {
        stream.blocked = false;
        stream.send_error = static_cast<std::uint8_t>(errno);
      }
      break;
    }
    const auto taken = static_cast<std::size_t>(sent);
    std::size_t given = 0;
    for (std::size_t i = 0; i < count; ++i) given += parts[i].iov_len;
    stream.queue.consume(taken);
    stream.sent_bytes += taken;
    expect_answer(stream);
    queued_bytes_ -= taken;
    total += taken;
    if (taken < given) {
      stream.blocked = true;
      break;
    }
  }
  if (stream.queue.empty()) stream.blocked = false;
  return total;
}

/// Lets the stream be watched for what it needs now. Returns 0 or an errno.
int StreamSet::watch_for_what_is_due(StreamId id) {
  Stream& stream = streams_[id];
  const bool open = stream.state == State::kOpen;
  Events wanted = kNothing;
  if (!stream.ended && !(stream.paused && open)) wanted |= kReadable;
  if (stream.blocked) wanted |= kWritable;
  // After the end of file there is nothing to read, but the peer may still go away.
  // A paused stream is not watched: it is a hang-up already when a unix peer that
  // wrote and left has not been read yet.
  if (wanted == kNothing && stream.ended) wanted = kHangUp;
  return watch(stream.socket.get(), {id, stream.generation}, stream.watched, wanted);
}

/// Before the descriptor is closed.
void StreamSet::unwatch(Stream& stream) {
  // What has a duplicate is not forgotten by the kernel, and would be told of for ever.
  if (stream.shared) (void)watch(stream.socket.get(), {}, stream.watched, kNothing);
  forget(stream.watched);
}

void StreamSet::expect_answer(Stream& stream) {
  stream.owes = true;
  anybody_owes_ = true;
  if (looking_) return;
  looking_ = true;
  looked_at_ = loop_.now();
  look_.start(kLookInterval);
}

/// One round over all who owe an acknowledgement, in steps. As long as nobody is sent
/// anything there is none.
void StreamSet::look_for_silence() {
  if (next_look_ == 0) {
    look_since_ = loop_.now() - std::exchange(looked_at_, loop_.now()) + kLookMargin;
    anybody_owes_ = false;
  }
  for (std::size_t asked = 0; next_look_ < streams_.size() && asked < kLooksAtOnce; ++next_look_) {
    const Stream& stream = streams_[next_look_];
    if (!stream.owes || stream.state != State::kOpen) continue;
    ++asked;
    judge_silence(next_look_);
  }
  if (next_look_ < streams_.size()) {
    look_.start(Duration{1});
    return;
  }
  next_look_ = 0;
  looking_ = anybody_owes_;
  if (looking_) look_.start(kLookInterval);
}

void StreamSet::judge_silence(StreamId id) {
  Stream& stream = streams_[id];
  const auto answer = unanswered(stream.socket.get());
  if (!answer || !answer->anything) {
    stream.owes = false;
    stream.silences = 0;
    return;
  }
  anybody_owes_ = true;
  if (answer->silence < look_since_) {
    stream.silences = 0;
    return;
  }
  const auto most = answer->has_room ? kMostSilences : kMostSilencesWithoutRoom;
  if (++stream.silences >= most) fail(id, ETIMEDOUT);
}

void StreamSet::set_deadline(StreamId id, Time deadline) {
  Stream& stream = streams_[id];
  if (stream.deadline != kNever) deadlines_.erase({stream.deadline, id});
  stream.deadline = deadline;
  if (deadline != kNever) deadlines_.emplace(deadline, id);
  linger_.start_at(deadlines_.empty() ? kNever : deadlines_.begin()->first);
}

void StreamSet::on_linger_over() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= loop_.now()) {
    finish(deadlines_.begin()->second);
  }
  if (!deadlines_.empty()) linger_.start_at(deadlines_.begin()->first);
}

void StreamSet::fail(StreamId id, int error) {
  const bool open = at(id).state == State::kOpen;
  finish(id);
  if (open) listener_.on_broken(id, error);
}

/// Closes the descriptor; on_closed() comes at the end of the turn.
void StreamSet::finish(StreamId id) {
  Stream& stream = at(id);
  set_deadline(id, kNever);
  finished_.push_back({id, stream.queue.weight()});
  queued_bytes_ -= stream.queue.bytes();
  stream.queue.clear();
  unwatch(stream);
  stream.socket.reset();
  stream.state = State::kFinished;
  call_for_flush();
}

void StreamSet::report_finished() {
  const std::size_t count = finished_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto [id, unsent] = finished_[i];
    --size_;
    listener_.on_closed(id, unsent);
    // Only now: a stream that the listener adopted in there is another one.
    const auto generation = static_cast<std::uint16_t>(streams_[id].generation + 1);
    streams_[id] = Stream{};
    streams_[id].generation = generation;
    free_.push(id);
  }
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace chatd::io
