/// The clients: many connections that say numbered texts and check, byte by byte, that
/// they get exactly the texts that they expect, in order. Anything else ends the
/// process: a measurement that lost something is void.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sockets.hpp"
#include "text.hpp"

namespace chatd::bench {

/// What stands around a text on the wire; `{}` before it is the client's number.
struct Framing {
  std::string before;
  std::string after;
};

class Crowd {
 public:
  /// `in` is how texts come, `out` how they go.
  Crowd(Poller& poller, Framing in, Framing out);

  /// One more client; its number is size() - 1, also for the poller.
  void connect(std::uint16_t port);
  /// The same with a connection that exists already, non-blocking.
  void adopt(int socket);
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(clients_.size()); }
  [[nodiscard]] int socket(std::uint32_t client) const { return clients_[client].socket; }

  /// Sends `count` texts of this client in one write, numbered from `first`.
  void say(std::uint32_t client, Kind kind, std::uint32_t first, std::uint32_t count = 1);

  /// From now on everyone expects texts of `kind`, numbered from 0: their own, or all
  /// the same for a broadcast.
  void expect(Kind kind);

  /// Reads what has come for a client. Returns how many texts became complete.
  std::uint32_t read(std::uint32_t number);
  /// How many texts of the expected kind a client has got.
  [[nodiscard]] std::uint32_t got(std::uint32_t client) const { return clients_[client].number; }

 private:
  struct Client {
    int socket;
    std::uint32_t number;  ///< of the text that is expected
    std::uint32_t offset;  ///< bytes of it that have come
  };

  void frame(std::uint32_t client, std::uint32_t number);

  Poller& poller_;
  Framing in_;
  Framing out_;
  std::vector<Client> clients_;
  Kind kind_ = Kind::kAnswer;
  std::string frame_;  ///< the text that is expected, as it comes
  std::string input_;
  std::string output_;
};

}  // namespace chatd::bench
