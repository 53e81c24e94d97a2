#include "clients/accounts.hpp"

#include <algorithm>
#include <cassert>

namespace chatd {

namespace {

/// In times in which not everything can be read, an origin is read at this rate, in bytes a
/// second, and so much at once.
constexpr double kPace = 64.0 * 1024;
constexpr double kPaceBurst = 64.0 * 1024;
/// What was read longer ago than this is forgotten: whoever has calmed down is as good as others.
constexpr double kMemory = 4 * kPace;
/// After its burst an origin is read again when it may say so much.
constexpr double kResume = 64.0 * 1024;
/// Free numbers are moved to the front when so many places before them are empty.
constexpr std::size_t kCompactAt = 1024;

}  // namespace

Accounts::Account& Accounts::at(Number number) {
  assert(exists(number));
  return *accounts_[number];
}

const Accounts::Account& Accounts::at(Number number) const {
  assert(exists(number));
  return *accounts_[number];
}

/// The account and all wider ones.
template <class Act>
void Accounts::each(Number number, Act act) {
  for (; number != kNone; number = at(number).wider) act(at(number));
}

/// The latest time that `ask` gives for the account and all wider ones.
template <class Ask>
Time Accounts::latest(Number number, Ask ask) const {
  Time when = Time::min();
  for (; number != kNone; number = at(number).wider) when = std::max(when, ask(at(number)));
  return when;
}

// ---- which there are ----

Accounts::Number Accounts::of(const io::Peer& peer) {
  const auto number = open(Origin{peer});
  if (at(number).idle_at != 0) rest(number);  // it is used again
  trim();
  return number;
}

Accounts::Number Accounts::open(const Origin& origin) {
  if (const auto known = numbers_.find(origin); known != numbers_.end()) return known->second;
  const auto around = origin.wider();
  const Number wider = around ? open(*around) : kNone;
  Number number = 0;
  if (next_free_ < free_.size()) {
    number = free_[next_free_++];
    if (next_free_ >= kCompactAt) {
      free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(next_free_));
      next_free_ = 0;
    }
  } else {
    number = static_cast<Number>(accounts_.size());
    accounts_.emplace_back();
  }
  assert(!accounts_[number]);
  accounts_[number].emplace(Account{origin, wider, origin.share()});
  numbers_.emplace(origin, number);
  if (wider != kNone) {
    ++at(wider).within;
    wake(wider);
  }
  rest(number);
  return number;
}

/// It has no sessions (any more), nor one within it: it is kept for a while, as the one that was
/// used last.
void Accounts::rest(Number number) {
  wake(number);
  Account& account = at(number);
  assert(account.sessions == 0 && account.within == 0);
  account.idle_at = ++last_idle_;
  idle_.emplace(account.idle_at, number);
}

/// Forgets those that were used longest ago. With the last one within it, a wider one rests, too.
void Accounts::trim() {
  while (idle_.size() > kMostIdle) forget(idle_.begin()->second);
}

void Accounts::wake(Number number) {
  Account& account = at(number);
  if (account.idle_at == 0) return;
  idle_.erase(account.idle_at);
  account.idle_at = 0;
}

void Accounts::forget(Number number) {
  wake(number);
  const Number wider = at(number).wider;
  numbers_.erase(at(number).origin);
  accounts_[number].reset();
  free_.push_back(number);
  if (wider == kNone) return;
  Account& around = at(wider);
  assert(around.within > 0);
  if (--around.within == 0 && around.sessions == 0) rest(wider);
}

std::vector<Accounts::Number> Accounts::all() const {
  std::vector<Number> all;
  all.reserve(numbers_.size());
  for (const auto& [origin, number] : numbers_) all.push_back(number);
  return all;
}

Accounts::Number Accounts::widest(Number number) const {
  while (at(number).wider != kNone) number = at(number).wider;
  return number;
}

// ---- who comes and goes ----

bool Accounts::connect(Number number, Time now) {
  const double rate = limits_.connects_per_second;
  each(number, [](Account& account) { ++account.totals.connects; });
  if (rate <= 0) return true;
  bool fits = true;
  each(number, [&](const Account& account) {
    const double most = rate * account.share;
    fits = fits && account.connects.level(most, now) + 1 <= std::max(most * kConnectBurst, 1.0);
  });
  // Who is refused is not charged: otherwise a flood would lock its origin out for ever.
  if (!fits) return false;
  each(number, [&](Account& account) { account.connects.take(1, rate * account.share, now); });
  return true;
}

void Accounts::answered(Number number) {
  each(number, [](Account& account) { account.connects.give_back(1 - kRequestCosts); });
}

Accounts::Number Accounts::full(Number number, Coming coming) const {
  if (limits_.sessions == 0) return kNone;
  for (; number != kNone; number = at(number).wider) {
    const Account& account = at(number);
    std::size_t places = limits_.sessions * account.share;
    // A page comes by several requests at once before it says whose it is.
    if (coming == Coming::kVisitor && account.away > 0) places *= 2;
    if (coming == Coming::kInside) ++places;
    if (account.sessions >= places) return number;
  }
  return kNone;
}

void Accounts::enter(Number number) {
  ++sessions_;
  wake(number);
  each(number, [](Account& account) { ++account.sessions; });
}

void Accounts::leave(Number number) {
  assert(sessions_ > 0);
  --sessions_;
  each(number, [](Account& account) {
    assert(account.sessions > 0);
    --account.sessions;
  });
  if (at(number).sessions > 0) return;
  rest(number);
  trim();
}

void Accounts::enter_away(Number number) {
  enter(number);
  ++away_;
  each(number, [](Account& account) { ++account.away; });
}

void Accounts::leave_away(Number number) {
  assert(away_ > 0);
  --away_;
  each(number, [](Account& account) {
    assert(account.away > 0);
    --account.away;
  });
  leave(number);
}

void Accounts::refused(Number number) {
  each(number, [](Account& account) { ++account.totals.refused; });
}

// ---- what they say ----

void Accounts::read(Number number, std::size_t bytes, Time now) {
  const auto count = static_cast<double>(bytes);
  each(number, [&](Account& account) {
    account.totals.bytes += bytes;
    if (limits_.bytes_per_second > 0) {
      account.bytes.take(count, limits_.bytes_per_second * account.share, now);
    }
    const double pace = kPace * account.share;
    const double room = kMemory * account.share - account.pace.level(pace, now);
    account.pace.take(std::min(count, std::max(room, 0.0)), pace, now);
  });
}

Time Accounts::may_read_at(Number number, Time now) const {
  const double rate = limits_.bytes_per_second;
  if (rate <= 0) return now;
  return latest(number, [&](const Account& account) {
    const double most = rate * account.share;
    const double burst = most * kReadBurst;
    if (account.bytes.level(most, now) <= burst) return now;
    return account.bytes.down_to(std::max(burst - kResume, 0.0), most, now);
  });
}

Time Accounts::may_read_slowly_at(Number number, Time now) const {
  const auto paced = latest(number, [now](const Account& account) {
    return account.pace.down_to(kPaceBurst * account.share, kPace * account.share, now);
  });
  return std::max(paced, may_read_at(number, now));
}

Time Accounts::order(Number number, Time now) const {
  return latest(number, [now](const Account& account) {
    return account.pace.down_to(0, kPace * account.share, now);
  });
}

void Accounts::said(Number number, std::uint64_t messages) {
  each(number, [messages](Account& account) { account.totals.messages += messages; });
}

void Accounts::recorded(Number number, std::uint64_t records) {
  each(number, [records](Account& account) { account.totals.records += records; });
}

void Accounts::not_recorded(Number number, std::uint64_t records) {
  if (!exists(number)) return;  // it was forgotten meanwhile
  each(number, [records](Account& account) { account.totals.records_lost += records; });
}

void Accounts::asks(Number number, core::SessionId session) {
  each(number, [session](Account& account) { account.asking.insert(session); });
}

void Accounts::asks_no_more(Number number, core::SessionId session) {
  each(number, [session](Account& account) { account.asking.erase(session); });
}

}  // namespace chatd
