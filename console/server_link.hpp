/// One connection to a chat server: bytes from it, lines to it, and an end of file for each
/// direction apart. Knows nothing of screens.
/// Invariant: what came before the end is heard before the end, and on_end is the last call.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/unique_fd.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"

namespace chatd::console {

class ServerLink {
 public:
  /// When more than this waits to be sent, whoever has more to say should wait for
  /// on_drained().
  static constexpr std::size_t kFullBytes = 256UL * 1024;

  /// None of them may destroy the link. Nothing is called before the loop runs.
  struct Callbacks {
    /// Never empty; valid during the call only.
    std::function<void(std::string_view bytes)> on_bytes;
    /// The kernel has taken all that was to be sent, or it takes nothing any more.
    std::function<void()> on_drained;
    /// Once. 0: the other side has closed the connection, and all that was to be sent has
    /// been given to the kernel; else why the connection broke (errno).
    std::function<void(int error)> on_end;
  };

  /// Takes a connected stream socket, and begins to read.
  ServerLink(io::Loop& loop, UniqueFd socket, Callbacks callbacks);

  /// Queues `bytes`; not after close_sending().
  void send(std::string_view bytes);
  /// Sends an end of file after what is queued. What the other side says is heard on.
  void close_sending();

  /// Stops and resumes reading; both may be repeated.
  void pause() { reader_.pause(); }
  void resume() { reader_.resume(); }

  [[nodiscard]] std::size_t queued_bytes() const { return writer_.queued_bytes(); }

 private:
  void sent_all();
  void end_when_sent();

  UniqueFd socket_;
  Callbacks callbacks_;
  bool sending_closed_ = false;
  bool ended_ = false;  // the other side has said all
  int send_error_ = 0;  // what is to be sent is lost
  io::Writer writer_;
  io::Reader reader_;
};

}  // namespace chatd::console
