#include "console/roster.hpp"

#include <cstdlib>

#include "console/fold.hpp"
#include "console/utc_time.hpp"

namespace chatd::console {
namespace {

constexpr std::time_t kTolerance = 2;  // seconds
// Names of absent operators that are remembered, where the daemon does not tell who is there.
constexpr std::size_t kMostAbsent = 1000;

}  // namespace

bool Origin::is_surely(const Origin& other) const {
  // Of a local socket the address tells no more than the user.
  const bool is_one_connection =
      !address.empty() && !address.starts_with("unix:") && !address.starts_with("uid:");
  return is_one_connection && address == other.address && since && other.since &&
         std::abs(*since - *other.since) <= kTolerance;
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
      noted_.erase(event.session());
      break;
    case EventKind::kNoted:
      if (contains(event.session())) noted_.insert(event.session());
      break;
    case EventKind::kAsking:
      if (contains(event.session())) asking_.insert(event.session());
      break;
    case EventKind::kOperator:
      apply_operator(event);
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

void Roster::apply_operator(const Event& event) {
  const bool absent = event.state == "away" || event.state == "detached";
  if (present_ && absent) {
    present_->erase(event.operator_name);
  } else if (present_) {
    present_->insert(event.operator_name);
  } else if (!absent) {
    absent_.erase(event.operator_name);
  } else if (absent_.size() < kMostAbsent) {
    absent_.insert(event.operator_name);
  }
}

void Roster::replace(const std::vector<SessionInfo>& sessions) {
  names_.clear();
  claims_.clear();
  origins_.clear();
  asking_.clear();
  noted_.clear();
  for (const SessionInfo& each : sessions) {
    names_.emplace(each.session, each.name);
    origins_.emplace(each.session, Origin{each.address, parse_utc(each.since)});
    if (each.state == "asking") asking_.insert(each.session);
    if (each.notes > 0) noted_.insert(each.session);
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

void Roster::set_operators(const std::vector<OperatorInfo>& operators) {
  present_.emplace();
  absent_.clear();
  for (const OperatorInfo& each : operators) {
    if (each.state == "present") present_->insert(each.name);
  }
}

std::vector<std::string> Roster::present() const {
  return present_ ? std::vector<std::string>{present_->begin(), present_->end()}
                  : std::vector<std::string>{};
}

bool Roster::is_anothers(SessionId session, std::string_view own_name) const {
  const std::string_view holder = claimed_by(session);
  if (holder.empty() || holder == own_name) return false;
  return present_ ? present_->contains(holder) : !absent_.contains(holder);
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
