#include "console/server_link.hpp"

#include <sys/socket.h>

#include <utility>

namespace chatd::console {

ServerLink::ServerLink(io::Loop& loop, UniqueFd socket, Callbacks callbacks)
    : socket_{std::move(socket)},
      callbacks_{std::move(callbacks)},
      writer_{loop, socket_.get(), [this] { sent_all(); },
              [this](int error) {
                // The reason of a broken connection is told once, to whoever asks first:
                // the reader may now find nothing but an end of file.
                send_error_ = error;
                sent_all();
              }},
      reader_{loop, socket_.get(), [this](std::string_view bytes) { callbacks_.on_bytes(bytes); },
              [this](int error) {
                if (error != 0) return callbacks_.on_end(error);
                ended_ = true;
                end_when_sent();
              }} {}

void ServerLink::send(std::string_view bytes) {
  if (!sending_closed_) writer_.write(bytes);
}

void ServerLink::close_sending() {
  if (std::exchange(sending_closed_, true)) return;
  if (writer_.queued_bytes() == 0) ::shutdown(socket_.get(), SHUT_WR);
}

void ServerLink::sent_all() {
  if (sending_closed_) ::shutdown(socket_.get(), SHUT_WR);
  if (ended_) return end_when_sent();
  callbacks_.on_drained();
}

// Another side that has said all may still be reading.
void ServerLink::end_when_sent() {
  if (writer_.queued_bytes() == 0) callbacks_.on_end(send_error_);
}

}  // namespace chatd::console
