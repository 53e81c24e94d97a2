#include "clients/bans.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>

namespace chatd {

bool Bans::add(const io::Network& network, Ban ban) {
  if (all_.size() >= kMost && !all_.contains(network)) return false;
  if (all_.insert_or_assign(network, std::move(ban)).second) {
    ++lengths_[{network.kind(), network.bits()}];
  }
  return true;
}

bool Bans::remove(const io::Network& network) {
  if (all_.erase(network) == 0) return false;
  const auto length = lengths_.find({network.kind(), network.bits()});
  assert(length != lengths_.end());
  if (--length->second == 0) lengths_.erase(length);
  return true;
}

std::optional<io::Network> Bans::match(const io::Peer& peer) const {
  const auto all = io::Network::around(peer, 0);
  if (!all) return {};
  for (const auto& [length, count] : lengths_) {
    const auto& [kind, bits] = length;
    if (kind != all->kind()) continue;
    auto network = io::Network::around(peer, bits);
    if (all_.contains(*network)) return network;
  }
  return {};
}

std::optional<io::Network> Bans::match(const io::Network& network) const {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const auto& each) { return each.first.contains(network); });
  return found == all_.end() ? std::nullopt : std::optional{found->first};
}

std::vector<io::Network> Bans::expire(Time now) {
  std::vector<io::Network> over;
  for (const auto& [network, ban] : all_) {
    if (ban.until <= now) over.push_back(network);
  }
  for (const io::Network& network : over) (void)remove(network);
  return over;
}

Time Bans::deadline() const {
  Time first = kNever;
  for (const auto& [network, ban] : all_) first = std::min(first, ban.until);
  return first;
}

std::vector<store::Ban> Bans::kept() const {
  std::vector<store::Ban> all;
  all.reserve(all_.size());
  for (const auto& [network, ban] : all_) all.push_back(kept(network, ban));
  return all;
}

store::Ban Bans::kept(const io::Network& network, const Ban& ban) {
  return {network.to_string(), ban.until == kNever ? -1 : ban.until_date.time_since_epoch().count(),
          ban.since.time_since_epoch().count(), ban.operator_name};
}

void Bans::replace(const std::vector<store::Ban>& kept, Time now, WallTime date) {
  all_.clear();
  lengths_.clear();
  for (const store::Ban& each : kept) {
    const auto network = io::Network::parse(each.address);
    Ban ban;
    if (each.until_ms >= 0) {
      ban.until_date = WallTime{Duration{each.until_ms}};
      if (ban.until_date <= date) continue;
      ban.until = now + std::min<Duration>(ban.until_date - date, kLongest);
    }
    ban.since = WallTime{Duration{each.since_ms}};
    ban.operator_name = each.operator_name;
    if (network) (void)add(*network, std::move(ban));
  }
}

}  // namespace chatd
