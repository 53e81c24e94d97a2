/// StreamSet: what goes through a cipher. Text waits in Sealed::text until the kernel takes more,
/// and is sealed then; what is sealed waits in the connection's own queue, with the weights of the
/// text, so that all that is known of a stream's end holds for it as well.
#include <cassert>
#include <cerrno>
#include <string>
#include <utility>

#include "io/stream.hpp"

namespace chatd::io {
namespace {

using State = Connection::State;

}  // namespace

void StreamSet::secure(StreamId id, std::unique_ptr<StreamCipher> cipher, std::string_view first) {
  Connection& stream = at(id);
  assert(stream.state == State::kOpen && !stream.sealed && stream.queue.empty());
  stream.sealed = true;
  stream.opening = true;
  sealed_[id].cipher = std::move(cipher);
  if (!first.empty()) unseal(id, first);
}

void StreamSet::restore_cipher(StreamId id, std::unique_ptr<StreamCipher> cipher,
                               std::vector<Payload> text, bool input_over) {
  Connection& stream = at(id);
  assert(!stream.sealed);
  stream.sealed = true;
  stream.input_over = input_over;
  sealed_[id].cipher = std::move(cipher);
  for (Payload& each : text) push(id, std::move(each));
  stream.high = waiting(id) > limits_.high_bytes;
  touch(id);
}

StreamCipher* StreamSet::cipher(StreamId id) {
  return at(id).sealed ? sealed_.at(id).cipher.get() : nullptr;
}

std::vector<Payload> StreamSet::unsealed(StreamId id) const {
  std::vector<Payload> all;
  if (!at(id).sealed) return all;
  sealed_.at(id).text.each([&all](const Payload& payload, std::string_view rest) {
    const bool whole = rest.size() == payload.size();
    all.push_back(whole ? payload : Payload{rest, payload.weight()});
  });
  return all;
}

bool StreamSet::is_input_over(StreamId id) const {
  return at(id).input_over;
}

/// Bytes that wait for its peer.
std::size_t StreamSet::waiting(StreamId id) const {
  const Connection& stream = at(id);
  return stream.queue.bytes() + (stream.sealed ? sealed_.at(id).text.bytes() : 0);
}

std::size_t StreamSet::waiting_weight(StreamId id) const {
  const Connection& stream = at(id);
  return stream.queue.weight() + (stream.sealed ? sealed_.at(id).text.weight() : 0);
}

/// Queues text.
void StreamSet::push(StreamId id, Payload bytes) {
  Connection& stream = at(id);
  queued_bytes_ += bytes.size();
  (stream.sealed ? sealed_.at(id).text : stream.queue).push(std::move(bytes));
}

/// Seals some of the text that waits. False if there is none, or none can be sealed.
bool StreamSet::seal_more(StreamId id) {
  Sealed& sealed = sealed_.at(id);
  const std::size_t before = sealed.text.bytes();
  Payload bytes = sealed.seal(Sealed::kAtOnce);
  if (bytes.empty()) return false;
  queued_bytes_ -= before - sealed.text.bytes();
  queued_bytes_ += bytes.size();
  at(id).queue.push(std::move(bytes));
  return true;
}

/// No more text follows: all of it is sealed, and the word that this was all. Text that cannot be
/// sealed stays, and is lost with the stream.
void StreamSet::finish_sealing(StreamId id) {
  while (seal_more(id)) {
  }
  std::string bytes;
  sealed_.at(id).cipher->close(bytes);
  queued_bytes_ += bytes.size();
  at(id).queue.push(Payload{bytes, 0});
}

/// Passes on what was read. Calls back last.
void StreamSet::hear(StreamId id, std::string_view bytes) {
  if (at(id).sealed) return unseal(id, bytes);
  listener_.on_read(id, bytes);
}

/// Passes on the text of what was read. The listener may end the stream in each call.
void StreamSet::unseal(StreamId id, std::string_view bytes) {
  using Phase = StreamCipher::State;
  if (is_input_over(id)) return;
  std::string text;
  std::string reply;
  const Phase phase = sealed_.at(id).cipher->open(bytes, text, reply);
  if (!reply.empty()) {
    if (at(id).queue.bytes() > Sealed::kMostUnread) {
      finish(id, Why::kBroken);
      return listener_.on_broken(id, ENOBUFS);
    }
    queued_bytes_ += reply.size();
    at(id).queue.push(Payload{reply, 0});
  }
  if (waiting(id) > 0) touch(id);  // now there may be a way to seal it
  Connection& stream = at(id);
  stream.input_over = phase == Phase::kEnded || phase == Phase::kFailed;
  const bool opens = phase != Phase::kOpening && phase != Phase::kFailed && stream.opening;
  if (opens) stream.opening = false;

  const auto generation = stream.generation;
  const auto is_open = [&] {  // it may have adopted others, so that all streams have moved
    return streams_[id].generation == generation && streams_[id].state == State::kOpen;
  };
  if (opens) listener_.on_secured(id);
  if (!text.empty() && is_open()) listener_.on_read(id, text);
  if (!is_open()) return;
  if (phase == Phase::kEnded) listener_.on_end(id);
  if (phase == Phase::kFailed) listener_.on_insecure(id);
}

}  // namespace chatd::io
