/// The clients: many connections that say numbered texts and check, byte by byte, that
/// they get exactly the texts that they expect, in order. Anything else ends the
/// process: a measurement that lost something is void.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sockets.hpp"
#include "text.hpp"
#include "tls.hpp"
#include "way.hpp"

namespace chatd::bench {

/// What stands around a text on the wire, or in a frame of a WebSocket. `{}` before it is the
/// client's number of one that comes, and of one that goes a number that no other has.
struct Framing {
  std::string before;
  std::string after;
};

class Crowd {
 public:
  /// `in` is how texts come, `out` how they go.
  Crowd(Poller& poller, Framing in, Framing out, Way way = {});

  /// One more client; its number is size() - 1, also for the poller. It can say something after
  /// open().
  void connect(std::uint16_t port);
  /// Those that have connected shake hands and ask for a WebSocket, as their way is, together.
  void open();
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

  void upgrade();
  void send(std::uint32_t client, std::string_view bytes);
  ssize_t receive(std::uint32_t client);
  std::uint32_t take(std::uint32_t number, std::string_view bytes);
  void frame(std::uint32_t client, std::uint32_t number);

  Poller& poller_;
  Framing in_;
  Framing out_;
  Way way_;
  std::optional<TlsClients> tls_;
  std::uint32_t open_ = 0;  ///< so many of the clients are open
  std::uint64_t sent_ = 0;  ///< texts, of all
  std::vector<Client> clients_;
  Kind kind_ = Kind::kAnswer;
  std::string frame_;  ///< the text that is expected, as it comes
  std::string input_;
  std::string output_;
};

}  // namespace chatd::bench
