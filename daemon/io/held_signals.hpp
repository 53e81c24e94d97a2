/// The signals that tell the daemon what to do: SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, and
/// SIGTSTP, which must not stop whoever serves others by surprise. From the first moment of the
/// process to the last they are blocked, and the loop takes from the kernel those that have come.
/// So none is lost, and none ends the process in its stead, whenever it comes: what has not been
/// taken when another program takes the place of this one waits there.
///
/// Why not io::Signal: libuv takes a signal at once and passes it on through a pipe of its own;
/// what is in that pipe when the process is replaced has come to nobody.
#pragma once

#include <functional>

#include "base/unique_fd.hpp"
#include "io/loop.hpp"
#include "io/poller.hpp"

namespace chatd::io {

/// From now on these signals wait, in this thread and in those that it starts: to be called
/// before there are any others.
void hold_signals();
/// Lets them do again what they do by default: for a program that does not serve.
void release_signals();
/// Whether a signal has come that nobody has taken yet. Only while they are held.
[[nodiscard]] bool is_held(int signal);

/// Stops this process as SIGTSTP does when nobody holds it, or not, as the kernel sees fit;
/// returns when it goes on. Only while they are held.
void stop_by_terminal();

/// Takes the signals, for as long as it lives. Keeps the loop running.
class HeldSignals : private Watcher {
 public:
  /// Calls back with the number of each signal that has come; the same one may have come
  /// several times. `by_terminal`: the kernel has sent it, such as for a key in the terminal, and
  /// not a process.
  HeldSignals(Loop& loop, std::function<void(int signal, bool by_terminal)> callback);
  ~HeldSignals() override;
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  void on_ready(Tag tag, Events events) override;

  std::function<void(int, bool)> callback_;
  UniqueFd source_;
  Events watched_ = kNothing;
};

}  // namespace chatd::io
