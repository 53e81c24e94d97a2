/// One connection to a chat server: bytes from it, lines to it, and an end of file for each
/// direction apart, over TLS or not. Knows nothing of screens.
/// Invariant: what came before the end is heard before the end, and on_end is the last call.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "io/descriptor.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "tls/client_handshake.hpp"

namespace chatd::console {

/// A connected stream socket, and what is spoken on it.
struct Connection {
  UniqueFd socket;
  std::optional<tls::ClientSession> tls = {};
};

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
    /// Once. Empty: the other side has closed the connection (by an end of file or, over TLS,
    /// close_notify), and all that was to be sent has been given to the kernel; else why the
    /// connection broke, in words.
    std::function<void(const std::string& why)> on_end;
  };

  /// Begins to read.
  ServerLink(io::Loop& loop, Connection connection, Callbacks callbacks);
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;
  /// Over TLS the other side is told that this was the end.
  ~ServerLink();

  /// Queues `bytes`; not after close_sending().
  void send(std::string_view bytes);
  /// Sends an end of file after what is queued, over TLS close_notify and that. What the other
  /// side says is heard on.
  void close_sending();

  /// Stops and resumes reading; both may be repeated.
  void pause() { reader_.pause(); }
  void resume() {
    if (!ended_ && !over_) reader_.resume();
  }

  /// Over TLS of what is encrypted.
  [[nodiscard]] std::size_t queued_bytes() const { return writer_.queued_bytes(); }

 private:
  void received(std::string_view bytes);
  void heard_all();
  void sent_all();
  void end_when_sent();
  void end(const std::string& why);

  UniqueFd socket_;
  std::optional<tls::ClientSession> tls_;
  Callbacks callbacks_;
  bool sending_closed_ = false;
  bool ended_ = false;  // the other side has said all
  bool over_ = false;   // on_end was called
  int send_error_ = 0;  // what is to be sent is lost
  io::Writer writer_;
  io::Reader reader_;
  io::Timer first_;  // for what came with the end of the handshake
};

}  // namespace chatd::console
