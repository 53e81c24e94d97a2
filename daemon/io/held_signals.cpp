#include "io/held_signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "io/handle.hpp"

namespace chatd::io {

namespace {

sigset_t held() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void hold_signals() {
  const sigset_t set = held();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void release_signals() {
  const sigset_t set = held();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool is_held(int signal) {
  sigset_t set;
  sigemptyset(&set);
  ::sigpending(&set);
  return sigismember(&set, signal) == 1;
}

HeldSignals::HeldSignals(Loop& loop, std::function<void(int)> callback)
    : Watcher{loop.poller()}, callback_{std::move(callback)} {
  const sigset_t set = held();
  source_ = UniqueFd{::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
  require(source_ ? 0 : -errno, "take signals");
  require(-watch(source_.get(), {}, watched_, kReadable), "watch signals");
}

HeldSignals::~HeldSignals() {
  (void)watch(source_.get(), {}, watched_, kNothing);
}

void HeldSignals::on_ready(Tag, Events) {
  signalfd_siginfo taken{};
  while (::read(source_.get(), &taken, sizeof taken) == sizeof taken) {
    callback_(static_cast<int>(taken.ssi_signo));
  }
}

}  // namespace chatd::io
