/// The way between the loop and a Wire. One thread makes all calls of the wire; what comes is read,
/// and blocks are checked, on the wire's own threads. Both ways are bounded in bytes: the loop
/// never waits, and what finds no room is lost and counted. Whoever uses this asks again for what
/// it misses.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "base/result.hpp"
#include "cluster/block.hpp"
#include "cluster/wire.hpp"
#include "io/async.hpp"
#include "io/loop.hpp"

namespace chatd::cluster {

class Link : private WireListener {
 public:
  static constexpr std::size_t kMostOutgoing = 16UL * 1024 * 1024;
  static constexpr std::size_t kMostIncoming = 32UL * 1024 * 1024;

  /// What the wire has brought.
  struct Letter {
    WireMessage message;
    /// Where a block came: without its bytes, which are in here.
    std::optional<Result<Block>> block;
  };
  struct Up {
    std::string server;
    std::size_t most;  ///< bytes of a message
  };
  struct Down {
    std::string why;
  };
  using News = std::variant<Letter, Up, Down>;

  struct Callbacks {
    /// Makes the wire, on the link's thread. Null: `why` says why there will be none.
    std::function<std::unique_ptr<Wire>(WireListener& listener, std::string& why)> make;
    /// Whether a message of that subject is a block. Called on any thread.
    std::function<bool(const WireMessage& message)> is_block;
    /// On the loop's thread: what has come, in its order.
    std::function<void(News news)> on_news;
    /// On the loop's thread, once: there will be no wire.
    std::function<void(const std::string& why)> on_failure;
  };
  struct Counts {
    std::uint64_t unsent = 0;   ///< messages that found no room, or no connection
    std::uint64_t unheard = 0;  ///< that came, and found no room
  };

  Link(io::Loop& loop, Callbacks callbacks);
  /// Waits for the wire to end, which may take some seconds where a server stands still.
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Sends a message, soon. False: there is no room.
  bool send(std::string subject, std::string reply, std::string bytes);
  [[nodiscard]] Counts counts() const;
  /// Bytes that are not given to the wire yet.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Outgoing {
    std::string subject;
    std::string reply;
    std::string bytes;

    [[nodiscard]] std::size_t size() const { return subject.size() + reply.size() + bytes.size(); }
  };

  // On the wire's threads.
  void on_message(WireMessage message) override;
  void on_up(const std::string& server, std::size_t most) override;
  void on_down(const std::string& why) override;
  void put(News news, std::size_t bytes);

  void work();   // on the link's thread
  void woken();  // on the loop's

  io::Loop& loop_;
  Callbacks callbacks_;

  mutable std::mutex mutex_;  ///< of all down to wake_; never held while the wire is called
  std::condition_variable work_;
  std::deque<Outgoing> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  std::deque<std::pair<News, std::size_t>> incoming_;
  std::size_t incoming_bytes_ = 0;
  Counts counts_;
  std::optional<std::string> failure_;
  bool stop_ = false;

  io::Async wake_;
  std::thread thread_;
};

}  // namespace chatd::cluster
