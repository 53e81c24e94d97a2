#include "crowd.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace chatd::bench {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

Crowd::Crowd(Poller& poller, Framing in, Framing out, Way way)
    : poller_{poller},
      in_{std::move(in)},
      out_{std::move(out)},
      way_{way},
      input_(kReadBytes, '\0') {
  if (way.tls) tls_.emplace();
}

void Crowd::connect(std::uint16_t port) {
  adopt(connect_tcp(port, size()));
  if (tls_) tls_->begin(socket(size() - 1));
}

void Crowd::adopt(int socket) {
  clients_.push_back({socket, 0, 0});
  poller_.add(socket, size() - 1);
}

void Crowd::open() {
  for (auto client = open_; tls_ && client < size(); ++client) tls_->finish(client);
  if (way_.websocket) upgrade();
  open_ = size();
}

/// All ask, and then each waits for its answer.
void Crowd::upgrade() {
  for (auto client = open_; client < size(); ++client) send(client, upgrade_request(way_.page));
  for (auto client = open_; client < size(); ++client) {
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
      const ssize_t count = receive(client);
      if (count == 0) lost("no WebSocket: " + answer);
      if (count < 0) wait_to_read(socket(client));
      if (count > 0) answer.append(input_, 0, static_cast<std::size_t>(count));
    }
    if (!answer.starts_with("HTTP/1.1 101 ")) lost("no WebSocket: " + answer);
    if (!way_.page) continue;
    output_ = R"({"type":"hello"})";
    frame_text(output_, 0);
    send(client, output_);
  }
}

void Crowd::say(std::uint32_t client, Kind kind, std::uint32_t first, std::uint32_t count) {
  output_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto begin = output_.size();
    output_ += out_.before;
    if (const auto place = output_.find("{}", begin); place != std::string::npos) {
      output_.replace(place, 2, std::to_string(sent_));
    }
    output_ += Text{{kind, client, first + i}}.view();
    output_ += out_.after;
    if (way_.websocket) frame_text(output_, begin);
    ++sent_;
  }
  send(client, output_);
}

void Crowd::send(std::uint32_t client, std::string_view bytes) {
  if (tls_) {
    tls_->send(client, bytes);
  } else {
    send_all(socket(client), bytes);
  }
}

/// As recv(2), into input_.
ssize_t Crowd::receive(std::uint32_t client) {
  if (tls_) return tls_->receive(client, input_.data(), input_.size());
  return ::recv(socket(client), input_.data(), input_.size(), 0);
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
  std::uint32_t complete = 0;
  do {
    const ssize_t count = receive(number);
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) give_up("go on: the server has closed a connection");
    complete += take(number, {input_.data(), static_cast<std::size_t>(count)});
  } while (tls_ && tls_->has_more(number));
  return complete;
}

/// `bytes` have come for that client. Returns how many texts became complete.
std::uint32_t Crowd::take(std::uint32_t number, std::string_view bytes) {
  if (way_.page) return 0;
  Client& client = clients_[number];
  std::uint32_t complete = 0;
  while (!bytes.empty()) {
    if (way_.websocket && client.offset == 0 && bytes.starts_with(kPing)) {
      bytes.remove_prefix(kPing.size());
      continue;
    }
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
