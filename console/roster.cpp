#include "console/roster.hpp"

#include <cstdlib>

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
  for (const SessionInfo& each : sessions) {
    names_.emplace(each.session, each.name);
    origins_.emplace(each.session, Origin{each.address, parse_utc(each.since)});
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

Origin Roster::origin_of(SessionId session) const {
  const auto found = origins_.find(session);
  return found == origins_.end() ? Origin{} : found->second;
}

std::vector<SessionId> Roster::named(std::string_view name) const {
  std::vector<SessionId> ids;
  if (name.empty()) return ids;
  for (const auto& [id, each] : names_) {
    if (each == name) ids.push_back(id);
  }
  return ids;
}

}  // namespace chatd::console
