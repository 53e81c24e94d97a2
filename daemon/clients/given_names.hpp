/// What clients are called by where they come from, as the configuration has it: the name of their
/// certificate counts, or else the most specific network.
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
  /// As in Config.
  explicit GivenNames(const std::map<std::string, std::string>& names);

  /// Of one who comes from there, with a certificate of that name if it is not empty. Empty: none.
  /// Valid as long as this is.
  [[nodiscard]] std::string_view of(const io::Peer& peer, std::string_view verified = {}) const;

 private:
  std::map<std::string, std::string, std::less<>> verified_;
  std::map<io::Network, std::string> names_;
  /// The lengths of their prefixes, by kind; the longest first.
  std::set<std::pair<io::Network::Kind, unsigned>, std::greater<>> lengths_;
};

}  // namespace chatd
