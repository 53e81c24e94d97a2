/// One connected socket, and what waits to be sent on it: what a StreamSet keeps for each
/// of its streams. Knows neither the loop nor a listener.
///
/// Invariant: it fits into one cache line, because a broadcast touches one of these for each
/// stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "base/unique_fd.hpp"
#include "io/poller.hpp"
#include "io/send_queue.hpp"
#include "io/silence.hpp"

namespace chatd {
class ByteWriter;
}

namespace chatd::io {

enum class ConnectionState : std::uint8_t {
  kFree,
  kReserved,  // no stream: StreamSet::reserve()
  kOpen,
  kFlushing,   // close() was called, the end of file is not sent yet
  kLingering,  // the end of file is sent; its acknowledgement and the peer's own are waited for
  kFinished,   // the descriptor is closed, on_closed() is due
};

/// When a connection is read from which something has come.
enum class ReadingTime : std::uint8_t {
  kAtOnce,
  kSoon,   // when the listener says so; it is watched on, for that is the next turn or so
  kLater,  // when the listener says so; the kernel is not asked meanwhile
};

struct Connection {
  using State = ConnectionState;

  /// Whether it is open or closing.
  [[nodiscard]] bool exists() const { return state == State::kOpen || is_closing(); }
  [[nodiscard]] bool is_closing() const {
    return state == State::kFlushing || state == State::kLingering;
  }
  /// Whether it is read. A closing one is, paused or not: the end of file is wanted.
  [[nodiscard]] bool is_reading() const { return !ended && !(paused && state == State::kOpen); }
  /// What it needs to be watched for now.
  [[nodiscard]] Events wanted() const;
  /// Whether something has arrived, be it an end of file.
  [[nodiscard]] bool is_readable() const;
  /// Why the peer hung up: an errno, never 0. Asked once.
  [[nodiscard]] int hang_up_error() const;

  /// Gives the kernel what waits, as far as it takes it. Returns how many bytes that
  /// was; sets `blocked` or `send_error` if some could not be given.
  std::size_t send();

  /// Bytes that the peer has not acknowledged, the end of file that was sent left out of
  /// `owed`, which counts it (see io/unacknowledged.hpp).
  [[nodiscard]] std::size_t without_end(std::size_t owed) const {
    return state == State::kLingering && owed > 0 ? owed - 1 : owed;
  }
  /// The descriptor is to be closed, and the peer has not got everything: a TCP peer is told so
  /// by a reset, for an end of file would say that this was all.
  void cut_off() const;
  /// Whether the socket has an error that nobody was told of yet.
  [[nodiscard]] bool has_failed() const;

  /// Where the last payload that has a weight ends, of those that the kernel was given whole; as
  /// Farewell has it.
  [[nodiscard]] std::int64_t weighty_end() const;
  /// The same of another process, `behind` bytes before those that this one sends.
  void restore_weighty_end(std::uint32_t behind);

  /// Writes it down as SavedStream::read() reads it.
  void save(ByteWriter& out, Duration linger_left) const;

  SendQueue queue;
  std::uint64_t sent_bytes = 0;
  Time deadline = kNever;  // while closing
  UniqueFd socket;
  State state = State::kFree;
  Events watched = kNothing;
  /// Why nothing can be sent any more. The connection is kept until what the peer
  /// had sent before is read.
  std::uint8_t send_error = 0;
  Debt debt;
  std::uint16_t generation = 0;  // of this use of the id
  ReadingTime reading : 2 = ReadingTime::kAtOnce;
  bool paused : 1 = false;
  bool ended : 1 = false;    // the peer's end of file was read
  bool touched : 1 = false;  // the set will attend to it at the end of the turn
  bool high : 1 = false;
  bool blocked : 1 = false;  // the kernel takes no more until it says so
  bool shared : 1 = false;   // somebody else may have a duplicate of the descriptor
  bool used : 1 = false;     // the kernel was given something, perhaps by another process
  bool weighty : 1 = false;  // and a whole payload that has a weight among it
  bool sealed : 1 = false;   // what it says and hears goes through a cipher (io/sealed.hpp)
  bool opening : 1 = false;  // and nobody was told that it is open
  // The peer has said through a cipher that it says no more, or nonsense.
  bool input_over : 1 = false;
  bool hung_up : 1 = false;  // the peer did while reading was paused, and may be read to the end
  /// The last 32 bits of where that ends: the kernel never owes a peer as much as they can tell.
  std::uint32_t weighty_bits = 0;
};

static_assert(sizeof(Connection) <= 64);

}  // namespace chatd::io
