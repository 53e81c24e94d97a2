#include "clients/eviction.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/payload.hpp"

namespace chatd {

namespace {

constexpr std::string_view kForAnother = "gave way to another client";
constexpr std::string_view kForMemory =
    "its address takes most of the memory for clients (limits.memory)";
/// Of the silent ones so many are looked at, the oldest.
constexpr std::size_t kSilentLookedAt = 256;
/// Whoever has just come is about to say something.
constexpr Duration kNew{1000};

}  // namespace

bool Eviction::give_way(core::SessionId id, std::string_view why) {
  const bool gone = router_.give_way(id, why, loop_.now(), connections_.outbox());
  connections_.deliver();
  return gone;
}

// ---- places ----

bool Eviction::make_room(Accounts::Number newcomer, Accounts::Number full) {
  if (oldest_asking(full)) return true;
  return full == Accounts::kNone && (silent_one() || one_of_the_many(newcomer));
}

/// Scripts whose notice was heard, and who have left or wait for an answer that may never come,
/// do not lock out a person.
bool Eviction::oldest_asking(Accounts::Number full) {
  const auto& asking = full == Accounts::kNone ? router_.asking() : accounts_.asking(full);
  const auto oldest = std::find_if(asking.begin(), asking.end(), [&](core::SessionId id) {
    const core::Session* const session = router_.find(id);
    return session != nullptr && session->is_left_out();
  });
  return oldest != asking.end() && give_way(*oldest, kForAnother);
}

bool Eviction::silent_one() {
  std::optional<core::SessionId> chosen;
  std::size_t most = 0;
  std::size_t left = kSilentLookedAt;
  for (const auto id : router_.silent()) {
    const core::Session* const session = router_.find(id);
    if (session->connected_at() + kNew > loop_.now() || left-- == 0) break;
    if (session->ended()) continue;
    const auto account = connections_.client(session->slot()).account;
    const auto sessions = accounts_.sessions(accounts_.widest(account));
    if (sessions <= most) continue;
    most = sessions;
    chosen = id;
  }
  return chosen && give_way(*chosen, kForAnother);
}

/// Whoever has many places can spare one, for somebody who has few.
bool Eviction::one_of_the_many(Accounts::Number newcomer) {
  const auto own = accounts_.widest(newcomer);
  std::optional<Accounts::Number> chosen;
  for (const auto number : accounts_.all()) {
    if (number != accounts_.widest(number)) continue;
    if (!chosen || accounts_.sessions(number) > accounts_.sessions(*chosen)) chosen = number;
  }
  if (!chosen || accounts_.sessions(*chosen) <= 2 * (accounts_.sessions(own) + 1)) return false;
  const core::Session* idle = nullptr;
  for (const core::Session* session : router_.sessions()) {
    const auto account = connections_.client(session->slot()).account;
    if (session->ended() || accounts_.widest(account) != *chosen) continue;
    if (idle == nullptr || session->last_activity() < idle->last_activity()) idle = session;
  }
  return idle != nullptr && give_way(idle->id(), kForAnother);
}

// ---- memory ----

void Eviction::set_limit(std::size_t memory) {
  limit_ = memory;
}

std::size_t Eviction::kept_bytes(core::Slot slot) const {
  const std::size_t waiting = connections_.queued_bytes(slot);
  return router_.has(slot) ? waiting + kept_beside(router_.at(slot)) : waiting;
}

std::size_t Eviction::kept_beside(const core::Session& session) const {
  return session.kept_bytes() + connections_.kept_bytes(session.slot());
}

std::unordered_map<Accounts::Number, std::size_t> Eviction::memory() const {
  std::unordered_map<Accounts::Number, std::size_t> all;
  const auto charge = [&](core::Slot slot) {
    const auto bytes = kept_bytes(slot);
    for (auto number = connections_.client(slot).account; number != Accounts::kNone;
         number = accounts_.wider(number)) {
      all[number] += bytes;
    }
  };
  for (const auto slot : connections_.slots()) charge(slot);
  // A page's session has no connection, whether its page is there or away.
  for (const core::Session* session : router_.sessions()) {
    if (!connections_.has_stream(session->slot())) charge(session->slot());
  }
  return all;
}

/// No less than is taken: what was read since is counted as if all of it had been kept. (What
/// operators noted since, and the first words of a session, may take a little more.)
std::size_t Eviction::taken() const {
  return Payload::live_bytes() + kept_ + (connections_.read_bytes() - read_then_);
}

void Eviction::bound_memory() {
  if (limit_ == 0 || taken() <= limit_) return;
  kept_ = 0;
  for (const core::Session* session : router_.sessions()) kept_ += kept_beside(*session);
  read_then_ = connections_.read_bytes();
  if (taken() > limit_) evict();
}

void Eviction::evict() {
  // By how much is counted once, and who takes how much of it.
  std::vector<std::pair<std::size_t, core::SessionId>> sessions;
  const auto by_account = memory();
  for (const core::Session* session : router_.sessions()) {
    if (session->ended()) continue;
    sessions.emplace_back(kept_bytes(session->slot()), session->id());
  }
  std::unordered_map<Accounts::Number, std::size_t> origins;
  for (const auto& [number, bytes] : by_account) {
    if (accounts_.wider(number) == Accounts::kNone) origins.emplace(number, bytes);
  }
  std::sort(sessions.rbegin(), sessions.rend());
  while (taken() > limit_ && !origins.empty()) {
    if (loop_.turn_is_long()) {
      loop_.turn_again();
      return;
    }
    const auto most =
        std::max_element(origins.begin(), origins.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto next = std::find_if(sessions.begin(), sessions.end(), [&](const auto& each) {
      const core::Session* const session = router_.find(each.second);
      return session != nullptr &&
             accounts_.widest(connections_.client(session->slot()).account) == most->first;
    });
    if (next == sessions.end() || next->first == 0) {
      origins.erase(most);  // the rest is no session's
      continue;
    }
    const core::Session* const session = router_.find(next->second);
    const std::size_t kept = kept_beside(*session);
    most->second -= std::min(most->second, next->first);
    if (give_way(next->second, kForMemory)) kept_ -= std::min(kept_, kept);
    sessions.erase(next);
  }
}

}  // namespace chatd
