#include "crowd.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace chatd::bench {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

Crowd::Crowd(Poller& poller, Framing in, Framing out)
    : poller_{poller}, in_{std::move(in)}, out_{std::move(out)}, input_(kReadBytes, '\0') {}

void Crowd::connect(std::uint16_t port) {
  adopt(connect_tcp(port, size()));
}

void Crowd::adopt(int socket) {
  clients_.push_back({socket, 0, 0});
  poller_.add(socket, size() - 1);
}

void Crowd::say(std::uint32_t client, Kind kind, std::uint32_t first, std::uint32_t count) {
  output_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    output_ += out_.before;
    output_ += Text{{kind, client, first + i}}.view();
    output_ += out_.after;
  }
  send_all(clients_[client].socket, output_);
}

void Crowd::expect(Kind kind) {
  kind_ = kind;
  for (Client& client : clients_) client.number = client.offset = 0;
}

void Crowd::frame(std::uint32_t client, std::uint32_t number) {
  frame_ = in_.before;
  if (const auto place = frame_.find("{}"); place != std::string::npos) {
    frame_.replace(place, 2, std::to_string(client));
  }
  frame_ += Text{{kind_, kind_ == Kind::kBroadcast ? 0 : client, number}}.view();
  frame_ += in_.after;
}

std::uint32_t Crowd::read(std::uint32_t number) {
  Client& client = clients_[number];
  const ssize_t count = ::recv(client.socket, input_.data(), input_.size(), 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count <= 0) give_up("go on: the server has closed a connection");
  std::string_view bytes{input_.data(), static_cast<std::size_t>(count)};
  std::uint32_t complete = 0;
  while (!bytes.empty()) {
    frame(number, client.number);
    const auto part = bytes.substr(0, std::min(bytes.size(), frame_.size() - client.offset));
    if (part != std::string_view{frame_}.substr(client.offset, part.size())) {
      errno = 0;
      give_up("go on: client " + std::to_string(number) + " expects '" + frame_ + "' from byte " +
              std::to_string(client.offset) + " on and gets '" + std::string{part} + "'");
    }
    bytes.remove_prefix(part.size());
    client.offset += static_cast<std::uint32_t>(part.size());
    if (client.offset < frame_.size()) break;
    client.offset = 0;
    ++client.number;
    ++complete;
  }
  return complete;
}

}  // namespace chatd::bench
