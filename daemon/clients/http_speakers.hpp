/// Who has spoken HTTP of late: a browser, which opens connections that it does not use (yet).
/// Nobody is taken for a person because such a one is silent.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/time.hpp"
#include "clients/doors.hpp"
#include "io/peer.hpp"

namespace chatd {

class HttpSpeakers {
 public:
  static constexpr Duration kMemory{120'000};
  /// The one that has been quiet for longest is forgotten beyond that.
  static constexpr std::size_t kMost = 4096;

  /// `peer` has spoken HTTP to that listener.
  void add(const io::Peer& peer, Doors::Index listener, Time now);
  [[nodiscard]] bool has(const io::Peer& peer, Doors::Index listener, Time now) const;
  [[nodiscard]] std::size_t size() const { return spoken_.size(); }

 private:
  std::unordered_map<std::string, Time> spoken_;  ///< by listener and address
};

}  // namespace chatd
