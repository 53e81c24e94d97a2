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
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGTSTP})
    sigaddset(&set, signal);
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

void stop_by_terminal() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  ::raise(SIGTSTP);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

HeldSignals::HeldSignals(Loop& loop, std::function<void(int, bool)> callback)
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
    callback_(static_cast<int>(taken.ssi_signo), taken.ssi_code == SI_KERNEL);
  }
}

}  // namespace chatd::io
