/// What each origin costs, and what it may have: its sessions, connects, bytes and messages, the
/// records that are made of them. Asked wherever a stranger makes the daemon do something; nothing
/// beside it limits strangers. Reads no clock and knows no socket.
///
/// Whatever an origin costs is charged to the wider ones around it as well, which may have more of
/// it (Origin::share()). Rates delay, or refuse who connects; they never drop what was said.
///
/// Invariants: each enter() is matched by one leave(). An account exists while it, or one within
/// it, has sessions; of the others those that were used last, at most kMostIdle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/meter.hpp"
#include "base/time.hpp"
#include "clients/origin.hpp"
#include "core/outbox.hpp"
#include "io/peer.hpp"
#include "store/record.hpp"

namespace chatd {

class Accounts {
 public:
  /// An account. The number of one that was forgotten may become another's, not soon.
  using Number = std::uint32_t;
  static constexpr Number kNone = store::kNoOrigin;
  static constexpr std::size_t kMostIdle = 4096;

  /// Of a narrowest origin; zero is no limit.
  struct Limits {
    std::size_t sessions = 0;
    double connects_per_second = 0;  ///< on average; at once kBurst seconds' worth
    double bytes_per_second = 0;     ///< on average; at once kReadBurst seconds' worth
  };
  static constexpr double kConnectBurst = 5;
  static constexpr double kReadBurst = 8;
  /// What a request of HTTP that was answered counts as, of a connect: a page is a dozen of them.
  static constexpr double kRequestCosts = 0.1;

  /// Since the account was opened.
  struct Totals {
    std::uint64_t connects = 0;
    std::uint64_t refused = 0;  ///< of the connects
    std::uint64_t bytes = 0;    ///< that were read
    std::uint64_t messages = 0;
    std::uint64_t records = 0;       ///< events that were given to the transcript
    std::uint64_t records_lost = 0;  ///< of these, those that it could not take
  };

  /// Lower limits end no session.
  void set_limits(const Limits& limits) { limits_ = limits; }

  /// The account of the narrowest origin of `peer`; it is opened if there is none.
  [[nodiscard]] Number of(const io::Peer& peer);

  // Who comes and goes.
  /// Somebody has connected. False: too many have, and this one is to be refused.
  [[nodiscard]] bool connect(Number number, Time now);
  /// It was a request, and is answered: it counts kRequestCosts from now on.
  void answered(Number number);
  /// Who is about to take a place.
  enum class Coming : std::uint8_t {
    kClient,   ///< one more
    kVisitor,  ///< one more, or one who is away: where somebody is, the places count twice
    kInside,   ///< nobody: one who counts already, and may have come as a kVisitor
  };
  /// The account, this one or a wider one, whose sessions leave no place; kNone: there is one.
  [[nodiscard]] Number full(Number number, Coming coming = Coming::kClient) const;
  void enter(Number number);
  void leave(Number number);
  /// A session that counts goes on without a connection, which counts by itself until it leaves.
  void enter_away(Number number);
  void leave_away(Number number);
  void refused(Number number);
  [[nodiscard]] std::size_t sessions() const { return sessions_; }
  /// Of the sessions, those that are away.
  [[nodiscard]] std::size_t away() const { return away_; }

  // What clients say.
  void read(Number number, std::size_t bytes, Time now);
  /// When more may be read: not after `now` unless the rate is exceeded.
  [[nodiscard]] Time may_read_at(Number number, Time now) const;
  /// The same for times in which not everything can be read: then nobody is read much faster
  /// than kPace.
  [[nodiscard]] Time may_read_slowly_at(Number number, Time now) const;
  /// The earlier, the less was read of late: who is to be read first.
  [[nodiscard]] Time order(Number number, Time now) const;
  void said(Number number, std::uint64_t messages);
  void recorded(Number number, std::uint64_t records);
  void not_recorded(Number number, std::uint64_t records);

  // Who waits for one answer, and may give way.
  void asks(Number number, core::SessionId session);
  void asks_no_more(Number number, core::SessionId session);
  [[nodiscard]] const std::set<core::SessionId>& asking(Number number) const {
    return at(number).asking;
  }

  [[nodiscard]] const Origin& origin(Number number) const { return at(number).origin; }
  [[nodiscard]] const Totals& totals(Number number) const { return at(number).totals; }
  [[nodiscard]] std::size_t sessions(Number number) const { return at(number).sessions; }
  /// The widest account around this one, perhaps itself.
  [[nodiscard]] Number widest(Number number) const;
  /// The next wider one; kNone: there is none.
  [[nodiscard]] Number wider(Number number) const { return at(number).wider; }
  [[nodiscard]] bool exists(Number number) const {
    return number < accounts_.size() && accounts_[number].has_value();
  }
  /// All that exist.
  [[nodiscard]] std::vector<Number> all() const;
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

 private:
  struct Account {
    Origin origin;
    Number wider = kNone;
    std::uint32_t share = 1;
    std::size_t sessions = 0;
    std::size_t away = 0;       ///< of the sessions
    std::uint32_t within = 0;   ///< accounts whose next wider one this is
    std::uint64_t idle_at = 0;  ///< its place in idle_; 0: it has none
    Totals totals{};
    Meter connects{};
    Meter bytes{};
    Meter pace{};
    std::set<core::SessionId> asking{};
  };

  [[nodiscard]] Account& at(Number number);
  [[nodiscard]] const Account& at(Number number) const;
  [[nodiscard]] Number open(const Origin& origin);
  void rest(Number number);
  void wake(Number number);
  void trim();
  void forget(Number number);
  template <class Act>
  void each(Number number, Act act);
  template <class Ask>
  [[nodiscard]] Time latest(Number number, Ask ask) const;

  Limits limits_;
  std::size_t sessions_ = 0;
  std::size_t away_ = 0;
  std::vector<std::optional<Account>> accounts_;  ///< by number
  std::vector<Number> free_;                      ///< used again in the order in which they came
  std::size_t next_free_ = 0;                     ///< of free_
  std::map<Origin, Number> numbers_;
  std::map<std::uint64_t, Number> idle_;  ///< without sessions, in the order of their last use
  std::uint64_t last_idle_ = 0;
};

}  // namespace chatd
