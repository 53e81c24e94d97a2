/// The limits on the number of sessions, in all and from one address. Knows no socket and no
/// clock.
///
/// Invariant: each readmit(), and each admit() that returned kYes, is matched by one leave().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "clients/peer.hpp"

namespace chatd {

class Admission {
 public:
  enum class Answer : std::uint8_t { kYes, kTooMany, kTooManyFromAddress };

  /// Zero for `per_address` means no limit. Lower limits end no session.
  void set_limits(std::size_t sessions, std::size_t per_address);

  /// What admit() would say.
  [[nodiscard]] Answer ask(const Peer& peer) const;
  Answer admit(const Peer& peer);
  /// Counts a session that is in already, whatever the limits are.
  void readmit(const Peer& peer);
  void leave(const Peer& peer);
  [[nodiscard]] std::size_t sessions() const { return sessions_; }

 private:
  std::size_t max_sessions_ = 0;
  std::size_t max_per_address_ = 0;
  std::size_t sessions_ = 0;
  std::map<Peer::Key, std::size_t> by_address_;
};

}  // namespace chatd
