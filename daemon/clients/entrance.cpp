#include "clients/entrance.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "base/wall_time.hpp"

namespace chatd {

Entrance::Entrance(io::Loop& loop, std::size_t fits, Transcript* transcript, Accounts& accounts,
                   Callbacks callbacks)
    : loop_{loop},
      fits_{fits},
      transcript_{transcript},
      accounts_{accounts},
      callbacks_{std::move(callbacks)},
      refusals_{loop, "connection"},
      ban_end_{loop, [this] { end_bans(); }} {
  if (transcript == nullptr) return;
  bans_.replace(transcript->opened().bans, loop.now(), wall_now());
  ban_end_.start_at(bans_.deadline());
}

void Entrance::set_limits(const Config::Limits& limits) {
  max_sessions_ = std::min(limits.sessions, fits_);
  accounts_.set_limits({limits.sessions_per_address, limits.connects_per_second,
                        static_cast<double>(limits.bytes_per_second)});
}

// ---- who comes ----

Entrance::Answer Entrance::admit(const io::Peer& peer, Coming coming, bool again) {
  Answer answer;
  answer.account = accounts_.of(peer);
  const bool in_time = again || accounts_.connect(answer.account, loop_.now());
  answer.obstacle = banned(peer);
  if (!answer.obstacle.empty()) return answer;
  const auto is_place = [&](Coming who) {
    return accounts_.full(answer.account, who) == Accounts::kNone && !is_full(who);
  };
  // Where room is made for it, it has a place.
  answer.extra = is_place(coming) && !is_place(Coming::kClient);
  if (!in_time) {
    answer.obstacle = "its address connects too often (limits.connects_per_second)";
  } else {
    answer.obstacle = lacks_room(answer.account, coming);
    answer.may_pass = true;
  }
  if (answer.obstacle.empty()) accounts_.enter(answer.account);
  return answer;
}

std::string Entrance::banned(const io::Peer& peer) const {
  const auto network = bans_.match(peer);
  return network ? "its address is banned (" + network->to_string() + ")" : std::string{};
}

/// The limit that is reached, unless somebody makes room, who leaves soon; empty: none.
std::string Entrance::lacks_room(Accounts::Number account, Coming coming) {
  if (const auto full = accounts_.full(account, coming); full != Accounts::kNone) {
    if (callbacks_.make_room(account, full)) return {};
    return "the limit of sessions from one address is reached (limits.sessions_per_address)";
  }
  if (is_full(coming)) {
    if (callbacks_.make_room(account, Accounts::kNone)) return {};
    return "the limit of sessions is reached (limits.sessions)";
  }
  return {};
}

bool Entrance::is_full(Coming coming) const {
  std::size_t places = max_sessions_;
  // No more than there are descriptors: those who are away have none.
  if (coming == Coming::kVisitor) places += std::min(accounts_.away(), max_sessions_);
  if (coming == Coming::kInside) ++places;
  return accounts_.sessions() >= places;
}

void Entrance::refuse(const Answer& answer) {
  if (answer.account != Accounts::kNone) accounts_.refused(answer.account);
  refusals_.add(answer.obstacle);
}

Accounts::Number Entrance::readmit(const io::Peer& peer) {
  const auto account = accounts_.of(peer);
  accounts_.enter(account);
  return account;
}

Accounts::Number Entrance::enter_away(const io::Peer& peer) {
  const auto account = accounts_.of(peer);
  accounts_.enter_away(account);
  return account;
}

void Entrance::turn_away(Accounts::Number account, const std::string& reason) {
  leave(account);
  count_refused(account, reason);
}

void Entrance::count_refused(Accounts::Number account, const std::string& reason) {
  accounts_.refused(account);
  refusals_.add(reason);
}

// ---- bans ----

bool Entrance::ban(const io::Network& network, Duration length, std::string_view by) {
  Bans::Ban ban;
  ban.since = wall_now();
  ban.operator_name = by;
  if (length > Duration{0}) {
    ban.until = loop_.now() + length;
    ban.until_date = ban.since + length;
  }
  if (!bans_.add(network, std::move(ban))) return false;
  const Bans::Ban& added = bans_.all().at(network);
  callbacks_.on_ban({network, &added, by});
  if (transcript_ != nullptr) transcript_->add_ban(Bans::kept(network, added));
  ban_end_.start_at(bans_.deadline());
  return true;
}

bool Entrance::unban(const io::Network& network, std::string_view by) {
  if (!bans_.remove(network)) return false;
  ended(network, by);
  ban_end_.start_at(bans_.deadline());
  return true;
}

void Entrance::end_bans() {
  for (const io::Network& network : bans_.expire(loop_.now())) ended(network, {});
  ban_end_.start_at(bans_.deadline());
}

void Entrance::ended(const io::Network& network, std::string_view by) {
  callbacks_.on_ban({network, nullptr, by});
  if (transcript_ != nullptr) transcript_->remove_ban(network.to_string());
}

// ---- another process in place of this one ----

void Entrance::save(ByteWriter& out) const {
  const auto kept = bans_.kept();
  out.number<std::uint64_t>(kept.size());
  for (const store::Ban& ban : kept) {
    out.text(ban.address);
    out.number(ban.until_ms);
    out.number(ban.since_ms);
    out.text(ban.operator_name);
  }
  out.number(refusals_.count());
}

Entrance::Saved Entrance::read(ByteReader& in) {
  Saved saved;
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    store::Ban& ban = saved.bans.emplace_back();
    ban.address = in.text();
    ban.until_ms = in.number<std::int64_t>();
    ban.since_ms = in.number<std::int64_t>();
    ban.operator_name = in.text();
  }
  saved.refused = in.number<std::uint64_t>();
  return saved;
}

void Entrance::restore(const Saved& saved) {
  bans_.replace(saved.bans, loop_.now(), wall_now());
  ban_end_.start_at(bans_.deadline());
  add_refused(saved.refused);
}

}  // namespace chatd
