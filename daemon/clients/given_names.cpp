#include "clients/given_names.hpp"

#include <cassert>

#include "config/checks.hpp"

namespace chatd {

GivenNames::GivenNames(const std::map<std::string, std::string>& names) {
  for (const auto& [written, name] : names) {
    if (written.starts_with(kVerifiedKey)) {
      verified_.emplace(written.substr(kVerifiedKey.size()), name);
      continue;
    }
    auto network = io::Network::parse(written);
    assert(network);  // the configuration was checked
    names_.emplace(*network, name);
    lengths_.emplace(network->kind(), network->bits());
  }
}

std::string_view GivenNames::of(const io::Peer& peer, std::string_view verified) const {
  if (!verified.empty()) {
    const auto found = verified_.find(verified);
    if (found != verified_.end()) return found->second;
  }
  if (names_.empty()) return {};
  const auto all = io::Network::around(peer, 0);
  if (!all) return {};
  for (const auto& [kind, bits] : lengths_) {
    if (kind != all->kind()) continue;
    const auto found = names_.find(*io::Network::around(peer, bits));
    if (found != names_.end()) return found->second;
  }
  return {};
}

}  // namespace chatd
