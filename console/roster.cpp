#include "console/roster.hpp"

namespace chatd::console {

void Roster::apply(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kConnected:
      names_.try_emplace(event.session());
      break;
    case Event::Kind::kDisconnected:
      names_.erase(event.session());
      claims_.erase(event.session());
      break;
    case Event::Kind::kNamed:
      if (const auto found = names_.find(event.session()); found != names_.end()) {
        found->second = event.name;
      }
      break;
    case Event::Kind::kClaimed:
      if (contains(event.session())) claims_[event.session()] = event.operator_name;
      break;
    case Event::Kind::kReleased:
      claims_.erase(event.session());
      break;
    default:
      break;
  }
}

void Roster::replace(const std::vector<SessionInfo>& sessions) {
  names_.clear();
  claims_.clear();
  for (const SessionInfo& each : sessions) {
    names_.emplace(each.session, each.name);
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

std::vector<SessionId> Roster::named(std::string_view name) const {
  std::vector<SessionId> ids;
  if (name.empty()) return ids;
  for (const auto& [id, each] : names_) {
    if (each == name) ids.push_back(id);
  }
  return ids;
}

}  // namespace chatd::console
