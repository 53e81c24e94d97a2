#include "console/roster.hpp"

#include <cstdlib>

#include "console/fold.hpp"
#include "console/utc_time.hpp"

namespace chatd::console {
namespace {

constexpr std::time_t kTolerance = 2;  // seconds

}  // namespace

bool Origin::is_surely(const Origin& other) const {
  return !address.empty() && !address.starts_with("unix:") && address == other.address && since &&
         other.since && std::abs(*since - *other.since) <= kTolerance;
}

void Roster::apply(const Event& event) {
  if (!event.kind) return;
  switch (*event.kind) {
    case EventKind::kConnected:
      names_.try_emplace(event.session());
      origins_.try_emplace(event.session(), Origin{event.address, parse_utc(event.time)});
      break;
    case EventKind::kDisconnected:
      names_.erase(event.session());
      claims_.erase(event.session());
      origins_.erase(event.session());
      asking_.erase(event.session());
      break;
    case EventKind::kAsking:
      if (contains(event.session())) asking_.insert(event.session());
      break;
    case EventKind::kOperator:
      if (event.state == "away" || event.state == "detached") {
        absent_.insert(event.operator_name);
      } else {
        absent_.erase(event.operator_name);
      }
      break;
    case EventKind::kNamed:
      if (const auto found = names_.find(event.session()); found != names_.end()) {
        found->second = event.name;
      }
      break;
    case EventKind::kClaimed:
      if (contains(event.session())) claims_[event.session()] = event.operator_name;
      break;
    case EventKind::kReleased:
      claims_.erase(event.session());
      break;
    default:
      break;
  }
}

void Roster::replace(const std::vector<SessionInfo>& sessions) {
  names_.clear();
  claims_.clear();
  origins_.clear();
  asking_.clear();
  for (const SessionInfo& each : sessions) {
    names_.emplace(each.session, each.name);
    origins_.emplace(each.session, Origin{each.address, parse_utc(each.since)});
    if (each.state == "asking") asking_.insert(each.session);
    if (!each.claimed_by.empty()) claims_.emplace(each.session, each.claimed_by);
  }
}

std::string_view Roster::name_of(SessionId session) const {
  const auto found = names_.find(session);
  return found == names_.end() ? std::string_view{} : std::string_view{found->second};
}

std::string_view Roster::claimed_by(SessionId session) const {
  const auto found = claims_.find(session);
  return found == claims_.end() ? std::string_view{} : std::string_view{found->second};
}

std::vector<SessionId> Roster::claims_of(std::string_view operator_name) const {
  std::vector<SessionId> sessions;
  for (const auto& [session, holder] : claims_) {
    if (holder == operator_name) sessions.push_back(session);
  }
  return sessions;
}

bool Roster::is_anothers(SessionId session, std::string_view own_name) const {
  const std::string_view holder = claimed_by(session);
  return !holder.empty() && holder != own_name && !absent_.contains(holder);
}

Origin Roster::origin_of(SessionId session) const {
  const auto found = origins_.find(session);
  return found == origins_.end() ? Origin{} : found->second;
}

std::vector<SessionId> Roster::meant_by(std::string_view word, bool whole) const {
  if (word.empty()) return {};
  std::vector<SessionId> exact;
  std::vector<SessionId> same;
  std::vector<SessionId> longer;
  const std::u32string typed = folded(word);
  for (const auto& [id, name] : names_) {
    if (name.empty()) continue;
    if (name == word) exact.push_back(id);
    const std::u32string known = folded(name);
    if (known == typed) same.push_back(id);
    if (!whole && known.starts_with(typed)) longer.push_back(id);
  }
  return !exact.empty() ? exact : !same.empty() ? same : longer;
}

}  // namespace chatd::console
