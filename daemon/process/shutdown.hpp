/// The end of the daemon in its own time: every session gets its farewell, queues are flushed,
/// operators hear of all that, and then the loop stops.
///
/// Invariant: the loop stops in the end, whatever clients and operators do, if the
/// configuration gives a grace (service.stop_grace); asked a second time, later, it stops at once.
#pragma once

#include "clients/clients.hpp"
#include "config/config.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "operators/operators.hpp"
#include "service/manager.hpp"

namespace chatd {

class Shutdown {
 public:
  /// What is ended, in this order. All of it must outlive this.
  struct Parts {
    io::Loop& loop;
    const Config& config;  ///< the grace is what it says at the time
    service::Manager& manager;
    Clients& clients;
    Operators& operators;
  };

  explicit Shutdown(const Parts& parts);

  /// Soon, not inside this call: an operator's request may be under way. `why` is logged.
  void begin(const char* why);
  [[nodiscard]] bool has_begun() const { return has_begun_; }

 private:
  void end_sessions();
  void stop_waiting();
  void finish();

  Parts parts_;
  io::Timer soon_;
  io::Timer grace_;
  io::Timer last_words_;
  bool has_begun_ = false;
  bool sessions_end_ = false;
};

}  // namespace chatd
