/// The listeners of clients: which are open, which are still to be opened, and how each is
/// named. Passes on whoever connects, with what the listener is configured for.
/// Knows no session.
///
/// Invariants: a listener keeps its index for as long as this lives, whether it is open or
/// not; if the service manager has passed sockets, no other listener is open or missing.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "config/config.hpp"
#include "io/acceptor.hpp"
#include "io/loop.hpp"
#include "io/peer.hpp"
#include "io/timer.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class Doors {
 public:
  /// A listener, open or closed, by the order in which they were opened first.
  using Index = std::uint16_t;

  /// Somebody who has connected.
  struct Visitor {
    UniqueFd socket;
    io::Peer peer;
    std::shared_ptr<const Listener> configured;  ///< as the listener was at that moment
    Index listener;
  };

  struct Callbacks {
    std::function<void(Visitor visitor)> on_visitor;
    /// A listener cannot be opened, for the reason `why`, and is tried again.
    std::function<void(const std::string& why)> on_missing;
  };

  /// How often a listener that could not be opened is tried again.
  static constexpr Duration kTryAgain{1000};

  /// Opens nothing before listen().
  Doors(io::Loop& loop, std::vector<Listener> listeners, Callbacks callbacks);
  ~Doors();
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  /// Opens the listeners, or goes on with those that restore() has read. One that cannot be
  /// opened is tried again until it can. It is an error only if none is open, no
  /// `sessions_go_on`, and the reason is another than that the machine does not have the
  /// address (yet): then nothing is open. If the service manager has `passed` sockets, or had
  /// passed those that go on, they are all there are: a listener with the address of one says how
  /// it is served; any other is not opened, and a socket without a listener is served as `auto`.
  [[nodiscard]] Result<> listen(std::vector<UniqueFd> passed, bool sessions_go_on);

  /// Follows new `listeners`: opens, changes and closes what differs. A unix socket whose
  /// file was removed is opened again. If one that is not missing already cannot be opened,
  /// nothing changes: an address that the machine does not have is more likely to be a mistake
  /// here than at a start. Nor does anything if only such would stay as are an error at a start.
  [[nodiscard]] Result<> apply(const std::vector<Listener>& listeners);

  /// Closes all, and tries none again.
  void close();

  /// As they are configured, whether they are open or not.
  [[nodiscard]] const std::vector<Listener>& wanted() const { return configured_; }
  /// The descriptors of the sockets that the service manager has passed.
  [[nodiscard]] std::vector<int> passed() const;
  /// The addresses, as they are configured, of the listeners that could not be opened yet.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// The real addresses of the open listeners, with the ports that the kernel chose.
  [[nodiscard]] std::vector<std::string> addresses() const;

  /// The real address of a listener.
  [[nodiscard]] const std::string& name(Index index) const;
  /// How an open listener is configured; null: it is closed.
  [[nodiscard]] std::shared_ptr<const Listener> configured(Index index) const;
  /// The index of the listener with that name, which may be of an earlier process; a new name
  /// gets a new index.
  [[nodiscard]] Index index_of(const std::string& name);

  /// Writes down the open listeners and all names, and appends the listeners' descriptors
  /// to `descriptors`, by whose places they are known there. They stay ours.
  void save(ByteWriter& out, std::vector<int>& descriptors) const;
  /// Reads what an earlier process wrote down, for listen() to go on with. Descriptors that
  /// are used are taken from their places; a listener that cannot be used is left out.
  /// Returns the names, by the indices of that process.
  [[nodiscard]] std::vector<std::string> restore(ByteReader& in,
                                                 std::vector<UniqueFd>& descriptors);

 private:
  struct Door {
    std::shared_ptr<const Listener> listener;  ///< as it is configured: port 0 stays 0
    Index index = 0;
    std::unique_ptr<io::Acceptor> acceptor;
  };
  /// Could not be opened.
  struct Failed {
    const Listener* listener;
    Error why;
  };
  using OpenedDoor = Result<std::unique_ptr<Door>>;

  OpenedDoor open(const Listener& listener, std::span<io::Acceptor* const> leaving = {});
  OpenedDoor open_passed(UniqueFd socket);
  void set_acceptor(Door& door, std::unique_ptr<io::Acceptor> acceptor);
  io::Acceptor::AcceptCallback on_accept(const Door& door);
  Result<> go_on_with(std::vector<UniqueFd> passed);
  Result<> open_all(bool sessions_go_on);
  std::unique_ptr<Door> take_restored(const io::Endpoint& endpoint);
  std::optional<std::size_t> find(const Listener& listener,
                                  const std::vector<const Listener*>& taken) const;
  void serve_passed();
  static Error* wrong_for_good(std::vector<Failed>& failed);
  void try_later(const Failed& failed);
  [[nodiscard]] bool is_missing(const io::Endpoint& endpoint) const;
  void open_missing();

  io::Loop& loop_;
  Callbacks callbacks_;
  std::vector<Listener> configured_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::unique_ptr<Door>> restored_;  ///< for listen()
  std::vector<Listener> missing_;                ///< could not be opened yet
  io::Timer try_missing_;
  std::vector<std::string> names_;  ///< by index
  bool passed_ = false;             ///< the sockets are the service manager's
};

}  // namespace chatd
