#include "console/server_link.hpp"

#include <sys/socket.h>

#include <cstring>
#include <utility>

namespace chatd::console {
namespace {

std::string words_of(int error) {
  return error == 0 ? std::string{} : std::strerror(error);
}

}  // namespace

ServerLink::ServerLink(io::Loop& loop, Connection connection, Callbacks callbacks)
    : socket_{std::move(connection.socket)},
      tls_{std::move(connection.tls)},
      callbacks_{std::move(callbacks)},
      writer_{loop, socket_.get(), [this] { sent_all(); },
              [this](int error) {
                // The reason of a broken connection is told once, to whoever asks first:
                // the reader may now find nothing but an end of file.
                send_error_ = error;
                sent_all();
              }},
      reader_{loop, socket_.get(), [this](std::string_view bytes) { received(bytes); },
              [this](int error) {
                received({});
                if (error != 0) return end(words_of(error));
                heard_all();
              }},
      first_{loop, [this] { received({}); }} {
  if (tls_) first_.start(Duration{0});
}

ServerLink::~ServerLink() {
  if (tls_) close_sending();
}

void ServerLink::send(std::string_view bytes) {
  if (sending_closed_) return;
  if (!tls_) return writer_.write(bytes);
  if (!tls_->can_seal()) return;  // it has failed, and that is told
  std::string sealed;
  tls_->seal(bytes, sealed);
  writer_.write(sealed);
}

void ServerLink::close_sending() {
  if (std::exchange(sending_closed_, true)) return;
  if (tls_) {
    std::string sealed;
    tls_->close(sealed);
    writer_.write(sealed);
  }
  if (writer_.queued_bytes() == 0) ::shutdown(socket_.get(), SHUT_WR);
}

void ServerLink::received(std::string_view bytes) {
  using State = tls::ClientSession::State;
  if (over_ || ended_) return;
  if (!tls_) {
    if (!bytes.empty()) callbacks_.on_bytes(bytes);
    return;
  }
  std::string text;
  std::string answer;  // of TLS itself
  const auto state = tls_->open(bytes, text, answer);
  if (!answer.empty()) writer_.write(answer);
  if (!text.empty()) callbacks_.on_bytes(text);
  if (state == State::kFailed) return end("TLS failed: " + tls_->failure());
  if (state == State::kEnded) heard_all();
}

void ServerLink::heard_all() {
  if (std::exchange(ended_, true)) return;
  reader_.pause();
  end_when_sent();
}

void ServerLink::sent_all() {
  if (sending_closed_) ::shutdown(socket_.get(), SHUT_WR);
  if (ended_) return end_when_sent();
  if (!over_) callbacks_.on_drained();
}

// Another side that has said all may still be reading.
void ServerLink::end_when_sent() {
  if (writer_.queued_bytes() == 0) end(words_of(send_error_));
}

void ServerLink::end(const std::string& why) {
  if (std::exchange(over_, true)) return;
  reader_.pause();
  callbacks_.on_end(why);
}

}  // namespace chatd::console
