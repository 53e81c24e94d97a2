/// Clients that cannot keep up, and the operators who wait for them: backpressure before
/// loss. An operator is known by its connection; ControlSocket sees to it that one who waits is
/// not listened to.
///
/// Invariant: a client that takes nothing at all keeps nobody waiting for longer than a few
/// milliseconds, and that once; then it counts as deaf until it takes something again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "clients/connections.hpp"
#include "core/session.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"

namespace chatd {

class SlowClients {
 public:
  /// `go_on(id)`: that operator waits for nobody any more. Called inside a timer, or inside a
  /// callback of `connections`.
  SlowClients(io::Loop& loop, Connections& connections, std::function<void(io::StreamId)> go_on);
  ~SlowClients();
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  /// Operator `id` has just written to `congested`, for whom too much waits now: from now on it
  /// waits for them, except the deaf.
  void written_by(io::StreamId id, std::span<const core::Slot> congested);
  /// Whether the operator waits for somebody.
  [[nodiscard]] bool keep_waiting(io::StreamId id) const {
    return !waits_.empty() && waits_.contains(id);
  }
  /// The operator leaves.
  void forget(io::StreamId id) { waits_.erase(id); }

 private:
  struct Wait {
    core::Slot slot;
    std::uint64_t taken;  ///< bytes that the client had taken
    Time until;           ///< by then it must have taken more
  };

  void relieved(core::Slot slot);
  void give_up();
  template <class Over>
  void end_those(Over over);

  io::Loop& loop_;
  Connections& connections_;
  std::function<void(io::StreamId)> go_on_;
  std::map<io::StreamId, std::vector<Wait>> waits_;  ///< by operator; none is empty
  /// Clients that were waited for in vain, and how many bytes they had taken then.
  std::unordered_map<core::Slot, std::uint64_t> deaf_;
  io::Timer timer_;
  bool timing_ = false;  ///< the timer will go off
};

}  // namespace chatd
