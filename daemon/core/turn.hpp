/// The turn of an original client, and the messages that are held for a client that cannot
/// be written to yet. The original client is a loop of one recv(1024) that must end
/// between characters, a prompt, and one send; it listens after each message of
/// its own and at no other time.
///
/// The hard rule: no recv(1024) of it ever returns part of a character. A chunk is
/// whole characters, so the rule holds as long as all that it may not have read yet is
/// at most 1024 bytes. This is known of its reading:
/// - Between two of its messages lies at least one recv, which returned at least the
///   oldest chunk: so each message but the first takes one chunk off the list of
///   what may be unread, and no more, since an answer may have been typed while a
///   chunk that went out later (see original_hold) lay unread.
/// - Having spoken it reads at once, and all that is there: some time after a message
///   nothing is unread that had reached it before. Without this, whoever once pressed
///   Enter on an empty line would have one chunk too many on the list for ever.
///
/// Invariant: unread_bytes() <= 1024; the numbers of the messages that are held count up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/payload.hpp"
#include "base/time.hpp"
#include "core/outbox.hpp"
#include "core/settings.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

/// The numbers by which everybody else knows the messages that are held; for Session::save().
class KnownNumbers {
 public:
  virtual ~KnownNumbers() = default;
  /// The message is held.
  [[nodiscard]] virtual std::uint64_t number_of(SessionId session, MessageNumber number) const = 0;
};

class Turn {
 public:
  /// What let_out() has let out.
  struct LetOut {
    std::string bytes;                     ///< to be written as they are
    std::vector<MessageNumber> delivered;  ///< messages that are now wholly out
    bool bye = false;                      ///< an operator's bye went out with them
  };

  /// The client has sent a message: it listens. By `read_by` it will have read everything
  /// that had reached it before.
  void heard(Time now, Time read_by);

  /// Whether a text of `size` bytes could go out wholly at once.
  [[nodiscard]] bool fits(std::size_t size) const {
    return listening_ && held_.empty() && size <= kOriginalRead - unread_bytes_;
  }
  /// The client has been sent `size` bytes, for which fits() was true.
  void sent(std::size_t size, Time now);

  /// Holds message `number`, which is above those that are held; it may go out, unasked,
  /// at `due`.
  void hold(Payload text, MessageNumber number, Time due);
  /// Holds an operator's bye behind all that is held.
  void hold_bye(Time due);

  /// Lets out what may go out now: if the client listens, everything that fits; else
  /// what is due. Messages are joined by LF.
  void let_out(Time now, LetOut& out);

  /// Lets out everything that is held, message by message, to a client that is not
  /// (or no longer) an original one: calls `each(text)` for each and appends its number
  /// to `delivered`. A bye that is held is forgotten.
  template <class Each>
  void let_out_all(std::vector<MessageNumber>& delivered, Each each);

  /// When let_out() could do something although nothing was heard.
  [[nodiscard]] Time deadline() const;

  /// As Framer's; messages beyond `most` bytes in all are left out. A message of `session` is
  /// written down with the number that `known` gives, which becomes its number in restore().
  void save(ByteWriter& out, Time now, SessionId session, const KnownNumbers& known,
            std::size_t most) const;
  void restore(ByteReader& in, Time now);

  /// Messages that are held, wholly or in part; a bye is not counted.
  [[nodiscard]] std::uint32_t held() const { return held_count_; }
  /// Their numbers, which count up.
  [[nodiscard]] std::vector<MessageNumber> numbers() const;
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] std::size_t unread_bytes() const { return unread_bytes_; }

 private:
  struct Held {
    Payload text;
    std::size_t out;       ///< bytes of it that are out already
    MessageNumber number;  ///< 0 for a bye
    Time due;
    bool bye;

    [[nodiscard]] std::string_view rest() const { return text.view().substr(out); }
  };

  struct Chunk {
    Time sent;
    std::size_t size;
  };

  void push(Held held);
  void pop();
  void forget_read(Time now);
  void forget(std::size_t chunks);

  std::list<Held> held_;
  std::vector<Chunk> unread_;     ///< what may be unread
  std::size_t unread_bytes_ = 0;  ///< their sum
  std::size_t held_bytes_ = 0;
  std::uint32_t held_count_ = 0;
  std::size_t answered_ = 0;  ///< how many of unread_ it had when it last spoke
  Time read_by_ = kNever;     ///< when those are read
  bool listening_ = false;
  /// Its next message tells of no read that is not counted yet. True for its first:
  /// it speaks, and then begins to read.
  bool read_known_ = true;
};

template <class Each>
void Turn::let_out_all(std::vector<MessageNumber>& delivered, Each each) {
  for (; !held_.empty(); pop()) {
    const Held& first = held_.front();
    if (first.bye) continue;
    each(first.out == 0 ? first.text : Payload{first.rest()});
    delivered.push_back(first.number);
  }
}

}  // namespace chatd::core
