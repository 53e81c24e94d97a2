#include "clients/reading_queue.hpp"

namespace chatd {

void ReadingQueue::add(core::Slot slot, Accounts::Number account, Time now) {
  Waiting& waiting = waiting_[account];
  waiting.slots.push_back(slot);
  if (waiting.put_off) {
    tell_put_off_(slot, account);
  } else if (waiting.slots.size() == 1) {
    order_.emplace(order(account, now), account);
  }
}

std::optional<core::Slot> ReadingQueue::next(Time now, bool slowly) {
  // Others keep up again: whoever waits only for that may be read.
  const bool all = slowly_ && !slowly;
  slowly_ = slowly;
  while (!put_off_.empty() && (all || put_off_.begin()->first <= now)) {
    const auto account = put_off_.begin()->second;
    put_off_.erase(put_off_.begin());
    waiting_.at(account).put_off = false;
    order_.emplace(order(account, now), account);
  }
  while (!order_.empty()) {
    const auto account = order_.begin()->second;
    order_.erase(order_.begin());
    if (put_off(account, now)) continue;
    auto& slots = waiting_.at(account).slots;
    const auto slot = slots.front();
    slots.pop_front();
    if (slots.empty()) {
      waiting_.erase(account);
    } else {
      // It is read now, so others come before it that have read as much.
      order_.emplace(order(account, now) + Duration{1}, account);
    }
    return slot;
  }
  return {};
}

/// An account without clients may have been forgotten.
Time ReadingQueue::order(Accounts::Number account, Time now) const {
  return accounts_.exists(account) ? accounts_.order(account, now) : now;
}

bool ReadingQueue::put_off(Accounts::Number account, Time now) {
  if (!accounts_.exists(account)) return false;
  const auto when =
      slowly_ ? accounts_.may_read_slowly_at(account, now) : accounts_.may_read_at(account, now);
  if (when <= now) return false;
  put_off_.emplace(when, account);
  Waiting& waiting = waiting_.at(account);
  waiting.put_off = true;
  for (const auto slot : waiting.slots) tell_put_off_(slot, account);
  return true;
}

Time ReadingQueue::next_at() const {
  return put_off_.empty() ? kNever : put_off_.begin()->first;
}

}  // namespace chatd
