/// Sockets for a program that measures: any failure ends it with one line.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::bench {

/// Ends this process with what was attempted, and errno's sentence if that is set.
[[noreturn]] void give_up(const std::string& attempt);
/// Ends this process because what came is not what should have come.
[[noreturn]] void lost(const std::string& what);

/// A connection to 127.0.0.1:`port`, non-blocking. `number` chooses the source address,
/// with 4,000 connections for each: past some 14,000 from one address the kernel's search
/// for a free port costs more than everything else. `receive_buffer` is for a client that
/// will not read; 0: the kernel's default.
int connect_tcp(std::uint16_t port, std::uint32_t number, int receive_buffer = 0);
int connect_unix(const std::string& path);

/// Sends all of `bytes` and waits if it must: only for what the server is sure to take.
void send_all(int socket, std::string_view bytes);

/// Wait for a socket; nothing for ten seconds ends this process.
void wait_to_read(int socket);
void wait_to_write(int socket);

/// Raises the descriptor limit as far as it goes.
void raise_descriptor_limit();

/// epoll with a number for each descriptor.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int descriptor, std::uint32_t number, std::uint32_t events = EPOLLIN);
  void change(int descriptor, std::uint32_t number, std::uint32_t events);

  /// Waits and calls `each(number, events)`.
  template <class Each>
  void wait(int timeout_ms, Each each) {
    const int count = wait(timeout_ms);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      each(event.data.u32, event.events);
    }
  }

 private:
  int wait(int timeout_ms);

  int epoll_;
  std::vector<epoll_event> events_;
};

}  // namespace chatd::bench
