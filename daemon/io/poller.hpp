/// Which descriptors the kernel is asked about, in one epoll set for the whole loop, and
/// who hears of them. Level-triggered: an event that nobody deals with is told again
/// in the next turn.
///
/// Why not uv_poll_t: its node is 160 bytes for each descriptor, and it makes five calls
/// of epoll_ctl for each connection where one will do.
///
/// Invariant: a Watcher that has gone hears nothing more. One that has stopped watching a
/// descriptor may still be told, in the same turn, of what was found before: it knows by
/// the Tag whether that concerns a use of the id that is over.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/unique_fd.hpp"

namespace chatd::io {

class Watcher;

/// Events that may be wanted, and that are told, as in epoll(7).
using Events = std::uint8_t;
inline constexpr Events kNothing = 0;
inline constexpr Events kReadable = EPOLLIN;
inline constexpr Events kWritable = EPOLLOUT;
/// Always told while a descriptor is watched; one that is watched for this alone hears of
/// nothing else.
inline constexpr Events kHangUp = EPOLLHUP;
inline constexpr Events kError = EPOLLERR;
/// Told besides kReadable: the peer has closed its sending side, behind what is to be read.
inline constexpr Events kEnd = 0x20;
static_assert((kEnd & (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0);

/// The name under which a watcher hears of a descriptor.
struct Tag {
  std::uint32_t id = 0;
  /// Where ids are used again: tells an event of an earlier use from one of this use.
  std::uint16_t generation = 0;
};

class Poller {
 public:
  Poller();
  ~Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Waits until something is ready, at most `timeout_ms`, -1: for ever.
  void wait(int timeout_ms);
  /// Tells the watchers what wait() has found.
  void dispatch();

  /// Descriptors that are watched.
  [[nodiscard]] std::size_t watched() const { return watched_; }
  /// The number of watchers.
  [[nodiscard]] std::size_t watchers() const;
  /// Readable while there is something to tell.
  [[nodiscard]] int descriptor() const { return epoll_.get(); }

 private:
  friend class Watcher;

  std::uint16_t join(Watcher& watcher);
  void leave(std::uint16_t number);

  UniqueFd epoll_;
  std::vector<epoll_event> events_;
  std::size_t ready_ = 0;            // of events_
  std::vector<Watcher*> watchers_;   // by number; null where one has gone
  std::vector<std::uint16_t> free_;  // numbers that may be used again
  std::vector<std::uint16_t> left_;  // numbers that are free once all events are told
  bool telling_ = false;
  std::size_t watched_ = 0;
};

/// Hears when its descriptors are ready, for as long as it lives.
class Watcher {
 public:
  virtual ~Watcher() { poller_.leave(number_); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 protected:
  explicit Watcher(Poller& poller) : poller_{poller}, number_{poller.join(*this)} {}

  /// From now on watches `fd` for `wanted` alone, under the name `tag`; kNothing ends the
  /// watch. `now` is what it is watched for so far, kNothing at first; the caller keeps it,
  /// and it is set to `wanted` here. Nothing is done if both are the same.
  /// Returns 0 or an errno: a file cannot be watched (EPERM), or too many are.
  [[nodiscard]] int watch(int fd, Tag tag, Events& now, Events wanted);
  /// Stops watching a descriptor that is closed next and has no duplicate, for then the
  /// kernel forgets it by itself.
  void forget(Events& now);

 private:
  friend class Poller;

  virtual void on_ready(Tag tag, Events events) = 0;

  Poller& poller_;
  std::uint16_t number_;
};

}  // namespace chatd::io
