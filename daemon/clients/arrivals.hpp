/// Connections of which nobody knows yet what they are: it is found out here, layer by layer (see
/// Reception), and each is given away as what it is, answered, or refused. None of them is a client
/// that operators hear of.
///
///     accept -> a proxy's header -> TLS -> HTTP -> a page, which is answered here
///                                             \-> a WebSocket
///                                     \-> chat
///
/// Invariants: an arrival is in here from add() until it is given away, told to leave or gone; at
/// most kMostHandshakes shake hands at once, and of one widest account at most kMostOfOne; these
/// accounts take turns, and a handshake that keeps others waiting gives way when it is not new;
/// each arrival has a deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/time.hpp"
#include "base/wall_time.hpp"
#include "clients/accounts.hpp"
#include "clients/certificates.hpp"
#include "clients/connections.hpp"
#include "clients/doors.hpp"
#include "clients/http_speakers.hpp"
#include "clients/proxy_header.hpp"
#include "clients/reception.hpp"
#include "clients/website.hpp"
#include "config/config.hpp"
#include "core/outbox.hpp"
#include "core/settings.hpp"
#include "http/request_head.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd {

class Arrivals : private Connections::Audience {
 public:
  /// For whom they arrive.
  class Host {
   public:
    virtual ~Host() = default;
    /// Somebody is here to chat, and has been since then. The connection is a session's from now
    /// on; `said` is what has come of it so far, and with `over` no more will.
    virtual void chats(core::Slot slot, const Listener& by, core::DialectSetting dialect,
                       Time since, std::string_view said, bool over) = 0;
    /// A page is here that speaks kPageProtocol, and has said `said`.
    virtual void pages(core::Slot slot, std::shared_ptr<const Listener> by,
                       std::string_view said) = 0;
    /// A proxy says that this is somebody else. Returns why that one may not come in; empty: it
    /// may, and is who is charged from now on.
    virtual std::string proxied(core::Slot slot, const Listener& by, const io::Peer& peer) = 0;
    /// The session at that slot ends: nobody has chatted on it. Its connection goes on.
    virtual void was_none(core::Slot slot, const std::string& why) = 0;
    /// One has asked for something over HTTP, and is answered: it leaves.
    virtual void answered(core::Slot slot) = 0;
    /// One leaves that is no client; empty: there is nothing wrong with it.
    virtual void turned_away(core::Slot slot, const std::string& why) = 0;
  };

  static constexpr std::size_t kMostHandshakes = 128;
  static constexpr std::size_t kMostOfOne = 16;
  /// So many begin one behind the other; then others are served.
  static constexpr std::size_t kBegunAtOnce = 2;
  /// For a handshake, with what is waited before it; and for the head of a request.
  static constexpr Duration kPatience{10'000};
  /// Whoever has just come is about to say something.
  static constexpr Duration kNew{1000};

  /// All of them must outlive this.
  Arrivals(io::Loop& loop, Connections& connections, const Certificates& certificates,
           const Website& website, Host& host);

  /// Whether it has to be found out how somebody speaks who comes by that listener.
  [[nodiscard]] static bool is_needed(const Listener& listener, const io::Peer& peer);
  /// Whether only the header of a proxy says who that is.
  [[nodiscard]] static bool is_proxy(const Listener& listener, const io::Peer& peer);
  /// A connection of the kind kArrival, of which nothing was read. It may be given away in here.
  void add(core::Slot slot, std::shared_ptr<const Listener> by);
  /// The session at `slot`, which has come by that listener, was silent until now, and begins with
  /// `said`. True: that is no chat, but TLS or HTTP; then the session has ended (Host::was_none),
  /// and the connection is an arrival again, which may be given away in here. A browser opens
  /// connections before it needs them, and a slow network delays whatever comes first.
  bool take_back(core::Slot slot, std::shared_ptr<const Listener> by, std::string_view said);

  /// Ends the one that has been here longest, of those whose account may be asked for it, if it is
  /// not new. False: there is none.
  bool give_way(const std::function<bool(Accounts::Number account)>& may_be_asked);
  [[nodiscard]] std::size_t size() const { return arrivals_.size(); }
  /// Requests over HTTP that were answered, of whatever kind, by this process and the earlier ones
  /// that it goes on from.
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  /// All leave.
  void close();

  // Another process in place of this one.
  /// An earlier process has answered that many requests.
  void go_on_from(std::uint64_t requests) { requests_ = requests; }
  /// Ends those that cannot be handed over: their handshake goes on. To be called before save().
  void end_handshakes();
  /// One that is here.
  void save(core::Slot slot, ByteWriter& out) const;
  struct Saved {
    bool secure = false;
    bool is_browser = false;
    bool is_head = false;
    bool awaits_proxy = false;
    Time since{};
    Time deadline = kNever;
    std::string rest;  ///< of the reception, or of the head
    std::uint32_t version = 0;
  };
  [[nodiscard]] static Saved read(ByteReader& in, Time now);
  /// Goes on with one of the kind kArrival, in start(): what it came by is known then.
  void restore(core::Slot slot, Saved saved);
  /// The listeners of restored ones are open; others leave.
  void start(const Doors& doors);

 private:
  enum class Stage : std::uint8_t {
    kReception,
    kQueue,  ///< for a handshake
    kHandshake,
    kHead,  ///< of a request
  };
  struct Arrival {
    std::shared_ptr<const Listener> by;
    std::optional<Reception> reception;
    std::unique_ptr<http::RequestHead> head;
    Time since{};  ///< when it came
    Time begun{};  ///< its handshake
    Time deadline = kNever;
    Stage stage = Stage::kReception;
    bool secure = false;  ///< within TLS
    bool over = false;    ///< it says no more
  };

  void on_read(core::Slot slot, std::string_view bytes) override;
  void on_end(core::Slot slot) override;
  void on_secured(core::Slot slot) override;
  void on_insecure(core::Slot slot) override;
  void on_gone(core::Slot slot) override;

  [[nodiscard]] Reception::Rules rules(core::Slot slot, const Arrival& arrival) const;
  /// Whether its address has spoken HTTP to its listener of late.
  [[nodiscard]] bool is_browser(core::Slot slot, const Arrival& arrival) const;
  [[nodiscard]] Arrival& at(core::Slot slot) { return arrivals_.at(slot); }
  void file(core::Slot slot, Time deadline);
  void tick();
  void act(core::Slot slot);
  [[nodiscard]] bool learn_from_proxy(core::Slot slot);
  void queue(core::Slot slot);
  /// Who takes turns with others: a whole network, or many small ones would have a turn each.
  [[nodiscard]] Accounts::Number payer(core::Slot slot) const {
    return connections_.widest_account(slot);
  }
  void begin_handshakes();
  void begin_next_handshake();
  [[nodiscard]] bool may_begin(Accounts::Number account) const;
  /// Of the handshakes that keep another waiting the oldest; the end if there is none.
  [[nodiscard]] std::set<std::pair<Time, core::Slot>>::const_iterator slowest() const;
  void shake_hands(core::Slot slot);
  void handshake_over(core::Slot slot, Time begun);
  void leave_queue(core::Slot slot);
  void read_head(core::Slot slot, std::string_view bytes);
  void chat(core::Slot slot);
  void leave(core::Slot slot, const std::string& why, std::string_view words = {});
  void forget(core::Slot slot);
  void give_back_memory();

  io::Loop& loop_;
  Connections& connections_;
  const Certificates& certificates_;
  const Website& website_;
  Host& host_;
  /// Of those who arrive, who stay for a second or so. Among the sessions, who stay for hours, it
  /// would leave holes in each page.
  std::pmr::unsynchronized_pool_resource memory_;
  std::size_t crowd_ = 0;  ///< the most of them at once since the last time that nobody was here
  std::pmr::unordered_map<core::Slot, Arrival> arrivals_{&memory_};
  std::pmr::set<std::pair<Time, core::Slot>> deadlines_{&memory_};
  std::pmr::set<std::pair<Time, core::Slot>> oldest_{&memory_};          ///< all, by when they came
  std::unordered_map<Accounts::Number, std::deque<core::Slot>> queues_;  ///< by payer(), none empty
  std::deque<Accounts::Number> turns_;  ///< accounts with a queue that may begin a handshake, once
  std::set<std::pair<Time, core::Slot>> handshakes_;  ///< by when they began
  std::unordered_map<Accounts::Number, std::size_t> handshakes_of_;
  HttpSpeakers speakers_;
  std::uint64_t requests_ = 0;
  std::unordered_map<core::Slot, Saved> restored_;
  io::Timer timer_;  ///< the next deadline
  io::Timer next_handshakes_;
};

}  // namespace chatd
