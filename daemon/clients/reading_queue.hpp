/// Clients that have sent something which is not read in this turn, because the turn is long, the
/// rate of their origin is exceeded, or nobody keeps up with what is said. The origin comes first
/// of which least was read of late, and each has one client read before its turn comes again: so
/// who says little is heard at once, however many others say much.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/time.hpp"
#include "clients/accounts.hpp"
#include "core/outbox.hpp"

namespace chatd {

class ReadingQueue {
 public:
  /// The client at `slot`, if it is still one of `account`, is not read soon.
  using PutOff = std::function<void(core::Slot slot, Accounts::Number account)>;

  /// `accounts` must outlive this.
  ReadingQueue(const Accounts& accounts, PutOff put_off)
      : accounts_{accounts}, tell_put_off_{std::move(put_off)} {}

  /// A client that has gone need not be taken out: it is given back by next() all the same.
  void add(core::Slot slot, Accounts::Number account, Time now);
  /// Whom to read next. With `slowly` nobody who says much, but for a pace at which everybody is
  /// read. Nothing: nobody may be read before next_at().
  [[nodiscard]] std::optional<core::Slot> next(Time now, bool slowly);
  /// Whether nobody waits, of those who may be read.
  [[nodiscard]] bool empty() const { return order_.empty(); }
  /// When somebody may be read who may not now; kNever: nobody waits for that.
  [[nodiscard]] Time next_at() const;

 private:
  struct Waiting {
    std::deque<core::Slot> slots;
    bool put_off = false;
  };
  using Place = std::pair<Time, Accounts::Number>;

  [[nodiscard]] Time order(Accounts::Number account, Time now) const;
  [[nodiscard]] bool put_off(Accounts::Number account, Time now);

  const Accounts& accounts_;
  PutOff tell_put_off_;
  std::map<Accounts::Number, Waiting> waiting_;  ///< none without slots
  std::set<Place> order_;                        ///< who may be read, as far as is known
  std::set<Place> put_off_;                      ///< who may not before that time
  bool slowly_ = false;                          ///< as next() was told last
};

}  // namespace chatd
