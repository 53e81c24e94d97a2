#include "service/manager.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <ctime>
#include <utility>

#include "base/environment.hpp"

namespace chatd::service {

namespace {

constexpr Duration kStatusInterval{5000};
/// For the words that may not be missed: they are said at the start, at the end, and
/// at a reload.
constexpr Duration kPatience{1000};

/// Well within the time after which the manager would lose patience.
Duration watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return Duration{0};
  return std::max(Duration{microseconds / 3000}, Duration{1});
}

std::string monotonic_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
                        static_cast<std::uint64_t>(now.tv_nsec) / 1000);
}

}  // namespace

Manager::Manager(io::Loop& loop, std::function<std::string()> status)
    : notify_{environment("NOTIFY_SOCKET")},
      status_{std::move(status)},
      watchdog_interval_{notify_.has_manager() ? watchdog_interval() : Duration{0}},
      watchdog_{loop,
                [this] {
                  assert(exists());
                  notify_.say("WATCHDOG=1");
                  watchdog_.start(watchdog_interval_);
                }},
      status_timer_{loop, [this] {
                      assert(exists());
                      tell_status();
                      status_timer_.start(kStatusInterval);
                    }} {}

void Manager::ready() {
  if (!exists()) return;
  told_ = status_line();
  notify_.say("READY=1\nSTATUS=" + told_, kPatience);
  status_timer_.start(kStatusInterval);
  if (watchdog_interval_ > Duration{0}) {
    notify_.say("WATCHDOG=1");
    watchdog_.start(watchdog_interval_);
  }
}

void Manager::reloading() {
  notify_.say("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds(), kPatience);
}

void Manager::stopping() {
  notify_.say("STOPPING=1\nSTATUS=stops", kPatience);
  status_timer_.start_at(kNever);
}

void Manager::set_trouble(std::string trouble) {
  std::replace(trouble.begin(), trouble.end(), '\n', ' ');
  trouble_ = std::move(trouble);
}

void Manager::tell_status() {
  auto line = status_line();
  if (line != told_ && notify_.say("STATUS=" + line)) told_ = std::move(line);
}

std::string Manager::status_line() const {
  std::string line = status_();
  if (!trouble_.empty()) line += "; " + trouble_;
  return line;
}

}  // namespace chatd::service
