/// How far one node has the log of another, and what it has to ask for. It is told what comes and
/// the time; it knows no network, no database and no event.
///
/// A log is what happened at one node, in the order of the numbers that this node gave it. The
/// numbers go up, and not always by one: a node numbers what it hears of others as well, and leaves
/// out what it could not record. So a block of a log says which numbers it covers, those after
/// `after` up to `upto`, whether there is an event of each or not.
///
/// Blocks come as they like: twice, late, or never. What is missed is asked for where it happened.
///
/// Invariant: what take() let pass, one after the other, is the log up to cursor(), each of its
/// events once and in order.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace chatd::cluster {

/// The number that an event has at its own node.
using Number = std::uint64_t;

/// The numbers that a block covers. Never empty: `after` is less than `upto`.
struct Interval {
  Number after;
  Number upto;
};

class Mirror {
 public:
  /// What is to be done with a block.
  enum class Verdict : std::uint8_t {
    kTake,   ///< with those of its events that are new: after the cursor as it was
    kKnown,  ///< nothing: all of it was taken before
    kAhead,  ///< nothing: something before it is missing
  };

  /// How long an answer is waited for. The answer, or the question, may be lost.
  static constexpr Duration kPatience{300};

  /// Everything up to `cursor` is there; 0: nothing.
  explicit Mirror(Number cursor) : cursor_{cursor}, known_{cursor} {}

  /// A block has come, asked for or not.
  [[nodiscard]] Verdict take(Interval block);
  /// The node says that its last number is `last`. One that is behind what is known means nothing:
  /// it was said before.
  void heard(Number last);

  /// Whether the events after cursor() are to be asked for at `now`. Whoever is told so asks: the
  /// next question is not due before kPatience.
  [[nodiscard]] bool asks(Time now);
  /// When asks() may be true if nothing comes; kNever: nothing is missed.
  [[nodiscard]] Time deadline() const;
  /// The node is not there: what was asked for will not come, and nothing is asked until it is
  /// heard again.
  void lost();

  /// Up to which number everything is there.
  [[nodiscard]] Number cursor() const { return cursor_; }
  /// The last number that the node is known to have used.
  [[nodiscard]] Number known() const { return known_; }
  [[nodiscard]] bool is_behind() const { return cursor_ < known_; }

 private:
  Number cursor_;
  Number known_;
  Time next_ask_{};  ///< not before; kNever: the node is not there
};

}  // namespace chatd::cluster
