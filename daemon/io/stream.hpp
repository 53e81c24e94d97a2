/// Connected sockets, many of one kind in one set, each known by a small dense
/// StreamId. Knows nothing of chat.
///
/// Why not uv_tcp_t: the set reads and sends on the descriptor itself and asks the
/// loop's Poller when it may. That makes one send for each stream a turn, with everything
/// that is pending, keeps no read buffer and no handle for an idle stream, and leaves the
/// descriptor ours, so that it can be handed over.
///
/// Callbacks go by id to one long-lived listener, so a stream may be closed
/// inside its own callback. Invariant: after close() or abort() the only further
/// callbacks for an id are at most one on_clear() and then one on_closed(), and never inside
/// that call; the id is given to a new stream only after that.
///
/// Connection is one stream, and SilenceWatch knows when a peer has vanished. Farewell knows
/// what a closing stream waits for; there is no event for an acknowledgement, so Deadlines
/// says when the kernel is asked again. stream_closing.cpp has all that concerns the end of a
/// stream, stream_sealing.cpp what goes through a cipher.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/payload.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "base/unique_fd.hpp"
#include "io/connection.hpp"
#include "io/deadlines.hpp"
#include "io/farewell.hpp"
#include "io/loop.hpp"
#include "io/poller.hpp"
#include "io/saved_stream.hpp"
#include "io/sealed.hpp"
#include "io/silence.hpp"
#include "io/stream_cipher.hpp"

namespace chatd {
class ByteWriter;
}

namespace chatd::io {

/// Dense: the lowest free number is used first.
using StreamId = std::uint32_t;

/// Hears of the streams of one StreamSet. Must outlive it.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  /// Something has arrived. False: it is not to be read now; the listener calls
  /// StreamSet::read() when it is, and is not asked again before that.
  [[nodiscard]] virtual bool may_read(StreamId /*id*/) { return true; }
  /// `bytes` is never empty and valid during the call only.
  virtual void on_read(StreamId id, std::string_view bytes) = 0;
  /// The peer closed its sending side. It may still be reading. Called once.
  virtual void on_end(StreamId id) = 0;
  /// The connection broke (errno: ECONNRESET, ETIMEDOUT, EPIPE, ...). The stream
  /// is as if abort() had been called: on_closed() follows. What the peer sent
  /// before that is read first; of what a paused stream has not read, only the first
  /// 64 KiB, by one on_read() although it is paused. A stream learns of it at once, paused or not,
  /// but for a paused one of a unix peer, which is read to the end when it is resumed. ETIMEDOUT is
  /// also what a TCP peer gets that has vanished (see SilenceWatch), ENOBUFS one that makes its
  /// cipher answer and reads none of it (Sealed::kMostUnread).
  virtual void on_broken(StreamId id, int error) = 0;
  /// The peer of a stream with a cipher agrees on it: now its text follows. Once, if at all.
  virtual void on_secured(StreamId /*id*/) {}
  /// What the peer of a stream with a cipher sends makes no sense, as its failure() says. Nothing
  /// more is heard of it, and nothing that is written from now on can be sent: the listener closes
  /// it, and the peer hears why.
  virtual void on_insecure(StreamId /*id*/) {}
  /// The bytes waiting fell to StreamLimits::low_bytes or below, after having
  /// been above StreamLimits::high_bytes.
  virtual void on_drained(StreamId id) = 0;
  /// All that was written to a closing stream is acknowledged. Called once for each stream
  /// that was not clear (see StreamSet::is_clear()) at its close(), if it becomes so at all.
  /// Never called for one that was clear then.
  virtual void on_clear(StreamId id) = 0;
  /// The last callback: descriptor and id are free. `unsent` is the weight of the
  /// payloads of which at least one byte was never acknowledged, as far as that is known.
  /// Of a stream that broke or was aborted while it was open, these are the ones that were still
  /// queued: nobody looks at what the kernel had. Of a closing stream they are those of the ones
  /// queued at its close() that are not acknowledged, and if something is not acknowledged of those
  /// that the kernel had before, up to the last that has a weight, one more: that was at least one
  /// payload. What another process gave the kernel before a restore() is before, too. Of a unix
  /// peer that has left without having read everything, only what was seen before it left is
  /// acknowledged.
  virtual void on_closed(StreamId id, std::size_t unsent) = 0;
};

struct StreamLimits {
  std::size_t high_bytes;  ///< above this many waiting bytes a stream is "high"
  std::size_t low_bytes;   ///< at or below it is drained again
  /// A payload with which more bytes than this would wait is refused. Where nothing waits,
  /// one payload is taken whatever its size: its size says nothing of how the peer reads.
  std::size_t hard_bytes;
  /// How long the peer's own end of file is waited for, once it has acknowledged everything,
  /// our end of file included.
  Duration linger = Duration{2000};
  /// A closing stream of which something is not acknowledged ends when for so long nothing
  /// more was acknowledged, nor taken by the kernel. It ends by a reset.
  Duration patience = Duration{30'000};
};

enum class WriteError { kOverflow };

class StreamSet : private Watcher, private SilenceWatch::Peers {
 public:
  /// What one call of on_read() brings at most; more waits for its next turn, so that one
  /// fast peer does not keep the others waiting.
  static constexpr std::size_t kReadBytes = 64UL * 1024;

  StreamSet(Loop& loop, StreamListener& listener, StreamLimits limits);
  /// Aborts what is still open, without callbacks.
  ~StreamSet() override;
  StreamSet(const StreamSet&) = delete;
  StreamSet& operator=(const StreamSet&) = delete;

  /// Takes a connected stream socket, blocking or not, and begins to read.
  /// Errors: it cannot be watched; the socket is closed then.
  [[nodiscard]] Result<StreamId> adopt(UniqueFd socket);

  /// Takes an id for something that is no stream: it is given to none until release().
  [[nodiscard]] StreamId reserve();
  void release(StreamId id);

  /// Takes a stream of another process, and goes on with it where that one stopped. The
  /// listener hears of it as of any other stream; of one that is closing, on_clear(), unless the
  /// listener there heard it or it was clear, and on_closed(). `patience` begins anew.
  [[nodiscard]] Result<StreamId> restore(UniqueFd socket, SavedStream saved);
  /// From now on what is read and written goes through `cipher`, beginning with the bytes `first`,
  /// which have been read already. The stream must be open, and nothing may have been written to
  /// it. Calls back as if `first` were read now.
  void secure(StreamId id, std::unique_ptr<StreamCipher> cipher, std::string_view first);
  /// Goes on with the cipher of another process, and with what waited there to be sealed, behind
  /// restore(). `input_over`: the peer has said that it says no more.
  void restore_cipher(StreamId id, std::unique_ptr<StreamCipher> cipher, std::vector<Payload> text,
                      bool input_over);
  /// The cipher of a stream which exists(); null: it has none. It stays ours.
  [[nodiscard]] StreamCipher* cipher(StreamId id);
  /// What waits to be sealed for a stream with a cipher, in order, the first perhaps a part.
  [[nodiscard]] std::vector<Payload> unsealed(StreamId id) const;
  [[nodiscard]] bool is_input_over(StreamId id) const;

  /// Writes down a stream that is open or closing (see exists()) as SavedStream reads
  /// it; of one with a cipher what is sealed. Returns its descriptor, which stays ours.
  int save(StreamId id, ByteWriter& out);
  /// The descriptor of a stream which exists(); it stays ours.
  [[nodiscard]] int descriptor(StreamId id) const;
  /// The same, where another process will be given a copy of it.
  int share(StreamId id);
  /// Whether the stream is open or closing, and on_closed() is not due yet.
  [[nodiscard]] bool exists(StreamId id) const;
  /// Whether it exists, and close() was not called.
  [[nodiscard]] bool is_open(StreamId id) const;

  /// Queues `bytes` for one stream; nothing is sent before the end of the turn, unless
  /// more than high_bytes wait: then it is tried at once.
  /// The bytes are shared, not copied. Never blocks, never calls back.
  /// The stream must be open: not after close() or abort(), nor after on_broken().
  /// Errors: kOverflow if after one attempt to send what already waits some of it is left,
  /// and more than hard_bytes would wait; then nothing is queued.
  [[nodiscard]] Result<void, WriteError> write(StreamId id, Payload bytes);
  /// Whether write() would take so many bytes now. Tries, as that does, to send what waits.
  [[nodiscard]] bool has_room(StreamId id, std::size_t bytes);

  /// Stops and resumes reading; both may be repeated.
  void pause(StreamId id);
  void resume(StreamId id);

  /// Reads at most `most` bytes of what has arrived on a stream for which may_read() was false,
  /// unless it has been paused or has ended meanwhile. It need not exist any more.
  void read(StreamId id, std::size_t most = kReadBytes);
  /// Whether something has arrived on a stream which exists() that was not read yet. Asks the
  /// kernel.
  [[nodiscard]] bool has_unread(StreamId id) const;
  /// Such a stream will not be read soon: the kernel is not asked about it meanwhile, which would
  /// tell in each turn what is known.
  void put_off(StreamId id);

  /// Sends what is queued, then an end of file, and waits with `patience` until all of it is
  /// acknowledged. Meanwhile, and then for `linger`, it reads and discards until
  /// the peer's own end of file (a close with unread bytes would send a reset
  /// that destroys what the peer has not read yet).
  /// Nothing happens if it is closing already. A closing stream keeps the loop running.
  /// Returns is_clear(); if that is false, on_clear() or on_closed() will say more.
  bool close(StreamId id);
  /// Forgets what is queued for a stream that is open or closing, but for what is sealed already,
  /// and returns its weight, which on_closed() will not count. close() then ends it at once and
  /// gently: the end of file goes out behind what the kernel has, which may end within a payload.
  std::size_t discard_queue(StreamId id);
  /// Closes now, a closing stream too; what is queued is lost.
  void abort(StreamId id);

  /// Sends what is pending, for most streams in one system call, and calls back
  /// on_drained(), on_broken() and on_closed() where due. Whoever owns the set calls it
  /// at the end of each turn: in which order sets are flushed is for the owner to say.
  /// Where that takes longer than a turn may last, the rest is sent in the next one.
  void flush() { flush(false); }
  /// The same for all, however long it takes: nothing follows.
  void flush_all() { flush(true); }

  /// Whether nothing waits for the peer of a stream which exists(), neither queued here nor
  /// unacknowledged in the kernel. The kernel is asked only if nothing is queued and something
  /// was ever sent.
  [[nodiscard]] bool is_clear(StreamId id) const;

  /// Bytes that wait for one stream, and for all of them.
  [[nodiscard]] std::size_t queued_bytes(StreamId id) const;
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }
  /// The weight (see Payload) of what waits for one stream, or, once it is broken or
  /// aborted, of what was lost with it.
  [[nodiscard]] std::size_t unsent(StreamId id) const;
  /// Bytes of `id` that were given to the kernel since it was adopted.
  [[nodiscard]] std::uint64_t sent_bytes(StreamId id) const;
  /// Streams that are open or closing.
  [[nodiscard]] std::size_t size() const { return size_; }
  void set_limits(StreamLimits limits) { limits_ = limits; }
  [[nodiscard]] const StreamLimits& limits() const { return limits_; }

 private:
  struct Finished {
    StreamId id;
    std::size_t unsent;
    bool becomes_clear;  // which the listener has not heard
  };
  enum class Why : std::uint8_t { kDone, kBroken };

  Connection& at(StreamId id);
  [[nodiscard]] const Connection& at(StreamId id) const;
  StreamId free_id();

  void on_ready(Tag tag, Events events) override;
  [[nodiscard]] bool is_open_for_reading(StreamId id, Tag tag) const;
  bool receive(StreamId id, std::size_t most);
  void hung_up(StreamId id, Events events);
  void flush(bool all);
  [[nodiscard]] bool hear_last_words(StreamId id);

  [[nodiscard]] StreamId end_of_ids() const override;
  [[nodiscard]] Debt* debt_of(StreamId id) override;
  [[nodiscard]] std::optional<Unanswered> ask(StreamId id) override;
  void on_vanished(StreamId id) override;

  void touch(StreamId id);
  void call_for_flush();
  void attend(StreamId id);
  std::size_t send(StreamId id);
  bool seal_more(StreamId id);
  void finish_sealing(StreamId id);
  void push(StreamId id, Payload bytes);
  void hear(StreamId id, std::string_view bytes);
  void unseal(StreamId id, std::string_view bytes);
  [[nodiscard]] std::size_t waiting(StreamId id) const;
  [[nodiscard]] std::size_t waiting_weight(StreamId id) const;
  void unwatch(Connection& stream);
  void fail(StreamId id, int error);

  Farewell* farewell_of(StreamId id);
  Farewell& begin_farewell(StreamId id);
  void linger(StreamId id, Duration how_long);
  [[nodiscard]] bool end_output(StreamId id, std::size_t sent);
  [[nodiscard]] bool owes_nothing(StreamId id);
  void on_deadline(StreamId id);
  void look(StreamId id, Farewell& farewell);
  void finish(StreamId id, Why why);
  [[nodiscard]] Finished account(StreamId id, Why why);
  void report_finished();

  Loop& loop_;
  StreamListener& listener_;
  StreamLimits limits_;
  std::vector<Connection> streams_;  // by id
  std::priority_queue<StreamId, std::vector<StreamId>, std::greater<>> free_;
  std::size_t size_ = 0;
  std::size_t queued_bytes_ = 0;

  std::vector<StreamId> touched_;   // to be attended to at the end of the turn
  std::vector<Finished> finished_;  // closed, and not reported yet
  bool flushing_ = false;
  std::uint64_t flushed_turn_ = 0;  // the turn of the last flush

  std::unique_ptr<char[]> buffer_;                    // all streams are read through it
  Deadlines deadlines_;                               // of the closing streams
  std::unordered_map<StreamId, Farewell> farewells_;  // of those that wait for acknowledgement
  std::unordered_map<StreamId, Sealed> sealed_;       // of those that have a cipher
  SilenceWatch silence_;
};

}  // namespace chatd::io
