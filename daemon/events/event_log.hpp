/// The last events, encoded, for operators who come back: a ring bounded in bytes.
/// Events are collected through a turn of the loop and sealed into one payload,
/// which every operator is sent, and which is kept. A line is bytes that end with LF: this
/// knows nothing of events.
///
/// Invariant: the blocks that are kept hold every event from first_seq() to
/// last_seq(), each once and in order.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/memory.hpp"
#include "base/payload.hpp"
#include "events/event.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class EventLog {
 public:
  /// At least `max_bytes` of sealed events are kept, and a block more at most; there is
  /// memory for one more.
  EventLog(Seq last_seq, std::size_t max_bytes)
      : sealed_seq_{last_seq}, last_seq_{last_seq}, max_bytes_{max_bytes} {}

  /// Appends the next event: `write(lines)` appends its line to `lines`, with the LF that
  /// ends it.
  template <class Write>
  void append(Write write) {
    write(buffer_);
    assert(buffer_.ends_with('\n'));
    ++last_seq_;
  }

  /// Writes down all that is sealed, and reads it back into a log of the same bound:
  /// numbers go on from there. The reader refuses what cannot be right, and then nothing
  /// has changed.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);
  /// Another process has used the numbers up to `seq`; an impossible number is ignored.
  /// Nothing may be appended yet.
  void go_on_after(Seq seq);

  /// Ends the batch; empty if there is none. `count` is its number of events.
  Payload seal(std::uint32_t& count);

  /// Gives back the memory that is kept for the next batch, if none has begun.
  void release_memory() {
    if (buffer_.empty()) give_back(buffer_);
  }
  [[nodiscard]] std::size_t retained_bytes() const { return buffer_.capacity(); }

  /// Bytes of the batch that seal() will end.
  [[nodiscard]] std::size_t unsealed_bytes() const { return buffer_.size(); }
  /// The number of the last event that was sealed, and of the last one at all.
  [[nodiscard]] Seq sealed_seq() const { return sealed_seq_; }
  [[nodiscard]] Seq last_seq() const { return last_seq_; }
  /// The number of the oldest sealed event that is kept; sealed_seq() + 1 if none is.
  [[nodiscard]] Seq first_seq() const;

  /// The sealed events after `since`, up to the end of a block. Empty if there are none,
  /// else `since` becomes the number of the last one in it. Events that are not kept any
  /// more are left out: first_seq() tells.
  [[nodiscard]] Payload after(Seq& since) const;

 private:
  /// Blocks are large, so that they are memory of their own: small ones would lie
  /// between the sessions, and keep the memory of those that have gone. One that goes leaves
  /// its memory to the next, which else would come from the system each time (see main.cpp).
  /// A batch that is a block by itself is shared with those who are sent it, and not copied.
  struct Block {
    Seq first;
    Seq last;
    std::string lines;
    Payload batch;  ///< in place of `lines`

    [[nodiscard]] std::string_view view() const { return batch.empty() ? lines : batch.view(); }
  };

  [[nodiscard]] bool fits_into_last(std::size_t bytes) const;

  std::string buffer_;
  Seq sealed_seq_;
  Seq last_seq_;
  std::deque<Block> blocks_;
  std::string spare_;  ///< the memory of the block that went last, for the next one
  std::size_t bytes_ = 0;
  std::size_t max_bytes_;
};

}  // namespace chatd
