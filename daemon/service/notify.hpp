/// What the daemon says to its service manager: the protocol of sd_notify(3), over a
/// datagram socket of its own, because libsystemd's call waits when the manager does
/// not read, and the event loop may not. Knows no chat and no loop.
///
/// Invariant: without a service manager nothing is said and everything succeeds.
#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

class Notify {
 public:
  /// To the socket at `address`, the value of $NOTIFY_SOCKET: a path, or "@" and an
  /// abstract name. Empty: there is no manager.
  explicit Notify(std::string_view address);

  [[nodiscard]] bool has_manager() const { return static_cast<bool>(socket_); }

  /// Says `text`, lines of KEY=VALUE. Waits at most `patience` for a manager that
  /// does not read. False if it was not taken.
  bool say(std::string_view text, Duration patience = Duration{0}) const;

  /// Puts a copy of `fd` into the manager's descriptor store. False if the manager did not
  /// take it; nobody tells whether it is kept there (the store may be full, or missing).
  [[nodiscard]] bool store(int fd, std::string_view name, Duration patience = Duration{0}) const;
  /// Takes all descriptors of that name out of the store.
  bool forget(std::string_view name, Duration patience = Duration{0}) const;
  /// Waits, at most `patience`, until the manager has dealt with everything that was said, as
  /// sd_notify_barrier(3) does. False if it has not.
  [[nodiscard]] bool barrier(Duration patience) const;

 private:
  bool send(std::string_view text, int fd, Duration patience) const;

  UniqueFd socket_;
};

}  // namespace chatd::service
