/// What a closing stream still owes its peer: which payloads the peer has not acknowledged
/// whole, and how long that is waited for. Knows no descriptor and no clock: whoever asks the
/// kernel says what was found, and when.
///
/// Positions are bytes that were given to the kernel since the stream was adopted, as
/// Connection::sent_bytes counts them; what another process gave it lies below 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"
#include "io/send_queue.hpp"

namespace chatd::io {

class Farewell {
 public:
  /// The first look comes so long after the beginning, each further one after twice the time.
  static constexpr Duration kFirstLook{20};
  static constexpr Duration kSlowestLook{500};

  /// Where no payload ended that has a weight.
  static constexpr std::int64_t kNowhere = INT64_MIN;

  /// Of a stream that is not clear: `queue` is what waits to be given to the kernel behind the
  /// `sent` bytes that it has. Where nothing waits, something of those is not acknowledged.
  /// `weighty`: where the last payload that has a weight ends, of those that the kernel has whole.
  Farewell(const SendQueue& queue, std::uint64_t sent, std::int64_t weighty, Time now);

  /// The kernel has taken some of the queue.
  void taken(Time now) { progress_ = now; }
  /// Of the `sent` bytes that the kernel has, `owed` are not acknowledged (see
  /// io/unacknowledged.hpp, the end of file left out).
  void seen(std::uint64_t sent, std::size_t owed, Time now);
  /// What was queued behind the `sent` bytes will never be given to the kernel.
  void forget_queue(std::uint64_t sent);

  /// Whether every byte is acknowledged, the end of file left out.
  [[nodiscard]] bool is_acknowledged() const { return acknowledged_ >= end_; }
  /// The same, true only once.
  [[nodiscard]] bool becomes_clear();
  /// So that becomes_clear() is not true any more.
  void say_nothing() { told_ = true; }
  [[nodiscard]] bool is_told() const { return told_; }

  /// Whether there was no progress for so long.
  [[nodiscard]] bool is_over(Time now, Duration patience) const;
  /// When the kernel is to be asked again. Each call makes the next one later.
  [[nodiscard]] Time next_look(Time now, Duration patience);

  /// The weight of the payloads of which a byte is not known to be acknowledged: those that
  /// were queued at the beginning, and one, whatever its weight was, if something up to the last
  /// one from before that has a weight is not acknowledged either. `exact`: seen() was told bytes.
  /// Where it was not, nobody knows of what the rest is, and that one counts only if there is no
  /// other.
  [[nodiscard]] std::size_t unsent(bool exact) const;

 private:
  struct Owed {
    std::int64_t end;
    std::uint32_t weight;
  };

  std::vector<Owed> owed_;      // in order
  std::size_t first_ = 0;       // those before it are acknowledged
  std::int64_t weighty_;        // where the last one with a weight ends that was not queued
  std::int64_t end_;            // of everything
  std::int64_t acknowledged_;   // up to here, at the last look
  Time progress_;               // the last time that something was taken or acknowledged
  Duration pace_ = kFirstLook;  // to the next look
  bool told_ = false;           // that everything is acknowledged
};

}  // namespace chatd::io
