/// The service manager as the daemon sees it: it is told how things are (ready,
/// reloading, stopping, a line of status) and that the event loop still turns. All of
/// it comes from the loop's own timers, so a loop that hangs says nothing, and the
/// watchdog notices. Without a manager no timer runs.
#pragma once

#include <functional>
#include <string>

#include "base/time.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "service/notify.hpp"

namespace chatd::service {

class Manager {
 public:
  /// `status` describes the daemon in one line; it is asked every few seconds, and a line
  /// that has changed is passed on.
  Manager(io::Loop& loop, std::function<std::string()> status);

  [[nodiscard]] bool exists() const { return notify_.has_manager(); }
  [[nodiscard]] const Notify& notify() const { return notify_; }

  /// The daemon serves; from now on status and watchdog run. Also after reloading().
  void ready();
  void reloading();
  void stopping();
  /// Why the last reload was refused, shown with the status until the next one; empty if
  /// it was not.
  void set_trouble(std::string trouble);

 private:
  void tell_status();
  [[nodiscard]] std::string status_line() const;

  Notify notify_;
  std::function<std::string()> status_;
  std::string trouble_;
  std::string told_;
  Duration watchdog_interval_{0};
  io::Timer watchdog_;
  io::Timer status_timer_;
};

}  // namespace chatd::service
