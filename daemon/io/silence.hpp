/// Finds the TCP peers that have vanished: those that owe an acknowledgement and have said
/// nothing for so long that they never will. Keepalive (acceptor.cpp) asks only a peer that
/// owes nothing; with one that does, the kernel has a quarter of an hour of patience.
///
/// All peers that owe something are looked at in rounds, some in each turn. While nobody is
/// sent anything there are no rounds. Knows no descriptor: it asks through its Peers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "io/unanswered.hpp"

namespace chatd::io {

/// What is known of one peer. Small, because it is kept for each stream.
struct Debt {
  bool owes : 1 = false;          ///< what it was sent may not be acknowledged yet
  std::uint8_t silences : 7 = 0;  ///< rounds in a row in which it owed that and was silent
};

class SilenceWatch {
 public:
  /// The peers that are watched, by a small dense id.
  class Peers {
   public:
    virtual ~Peers() = default;
    /// All ids are below this.
    [[nodiscard]] virtual std::uint32_t end_of_ids() const = 0;
    /// Null where `id` is nobody's, or nothing is expected of its peer any more.
    [[nodiscard]] virtual Debt* debt_of(std::uint32_t id) = 0;
    /// Asked only where there is a debt.
    [[nodiscard]] virtual std::optional<Unanswered> ask(std::uint32_t id) = 0;
    /// The peer has vanished. From now on it has no debt.
    virtual void on_vanished(std::uint32_t id) = 0;
  };

  /// Silent in so many rounds, a peer has vanished: two minutes, as long as keepalive takes.
  static constexpr std::uint8_t kMostSilences = 6;
  /// The same for a peer that takes nothing. The kernel asks it for room more and more
  /// rarely, at last once in two minutes: three such questions are not answered.
  static constexpr std::uint8_t kMostSilencesWithoutRoom = 20;
  /// From the end of one round to the next one.
  static constexpr Duration kInterval{20'000};
  /// How exact the kernel's times are taken to be.
  static constexpr Duration kMargin{1000};

  /// `peers` must outlive it.
  SilenceWatch(Loop& loop, Peers& peers, Duration interval = kInterval);

  /// Something was sent to the peer whose debt this is.
  void expect_answer(Debt& debt) {
    debt.owes = true;
    anybody_owes_ = true;
    if (!looking_) begin();
  }

 private:
  void begin();
  void look();
  void judge(std::uint32_t id, Debt& debt);

  Loop& loop_;
  Peers& peers_;
  Duration interval_;
  Timer timer_;
  bool looking_ = false;       // a round is under way or will be
  bool anybody_owes_ = false;  // as far as the round has come
  std::uint32_t next_ = 0;     // the id at which the round goes on
  Time looked_at_{};           // when the last round began, or the first was scheduled
  Duration since_{0};          // a peer silent for as long has said nothing since then
};

}  // namespace chatd::io
