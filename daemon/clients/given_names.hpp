/// What clients are called by where they come from, as the configuration has it: the most
/// specific network counts.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "io/network.hpp"
#include "io/peer.hpp"

namespace chatd {

class GivenNames {
 public:
  /// `names` by their networks, as in Config.
  explicit GivenNames(const std::map<std::string, std::string>& names);

  /// Empty: none. Valid as long as this is.
  [[nodiscard]] std::string_view of(const io::Peer& peer) const;

 private:
  std::map<io::Network, std::string> names_;
  /// The lengths of their prefixes, by kind; the longest first.
  std::set<std::pair<io::Network::Kind, unsigned>, std::greater<>> lengths_;
};

}  // namespace chatd
