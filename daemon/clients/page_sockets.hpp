/// Visitors' pages: the WebSockets by which they come, and their sessions, which stay when a page
/// goes. Puts Pages, which knows what they say, between connections and the core.
///
/// An origin is charged for each page once: for its connection or, while that is lost, for the
/// session that waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/payload.hpp"
#include "clients/accounts.hpp"
#include "clients/connections.hpp"
#include "clients/pages.hpp"
#include "clients/sessions.hpp"
#include "config/config.hpp"
#include "core/outbox.hpp"
#include "core/router.hpp"
#include "http/websocket.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd {

class PageSockets final : public PageNews,
                          private Connections::Audience,
                          private Connections::PageSessions,
                          private PageHost {
 public:
  struct Callbacks {
    /// Whether a session may begin, of the page that has come by that connection; if not, it was
    /// counted as refused.
    std::function<bool(core::Slot connection)> may_begin;
    /// A session begins at `slot`, of a page that has come by that listener.
    std::function<void(core::Slot slot, const Listener& by)> on_session;
    /// One more, or one less, of that peer is charged without a connection.
    std::function<Accounts::Number(const io::Peer& peer)> on_wait;
    std::function<void(Accounts::Number account)> on_return;
    /// What is kept of a session outside of this process, in bytes.
    std::function<std::size_t(core::Slot slot)> kept_outside;
  };

  /// All must outlive this.
  PageSockets(io::Loop& loop, core::Router& router, Connections& connections, const Config& config,
              Callbacks callbacks);

  void set_settings(const Config& config);
  /// A connection of the kind kPage, whose opening handshake is over; it has said `said` behind it.
  void add(core::Slot slot, std::shared_ptr<const Listener> by, std::string_view said);
  /// The session at `slot` is over, with all that was to be said of it: it is not charged any more.
  void released(core::Slot slot, Accounts::Number account);
  /// From now on sessions end because the process does: their pages come back to another one.
  void stop() { stopping_ = true; }
  /// Ends all connections: the process ends, or another one goes on, to which pages come back.
  void close(std::uint16_t code, std::string_view reason);
  [[nodiscard]] std::vector<core::Slot> sessions() const { return pages_.sessions(); }
  [[nodiscard]] Pages& pages() { return pages_; }

  // Another process in place of this one: sessions are saved by the caller, at their slots.
  void save(ByteWriter& out, Time now) const { pages_.save(out, now); }
  using Saved = Pages::Saved;
  [[nodiscard]] static Saved read(ByteReader& in, Time now) { return Pages::read(in, now); }
  /// Of the sessions' slots, `slot_now` says where they are now; none of them has a connection.
  void restore(Saved saved, const Pages::SlotNow& slot_now, Time now);

  // PageNews.
  void away(std::string_view text) override { pages_.away(text); }
  void here() override { pages_.here(); }
  void writing(core::Slot slot, std::string_view operator_name) override {
    pages_.writing(slot, operator_name);
  }
  [[nodiscard]] bool is_away(core::Slot slot) const override {
    return pages_.has_session(slot) && !pages_.connection_of(slot);
  }

 private:
  struct Socket {
    std::shared_ptr<const Listener> by;
    http::WebSocketReader reader;
  };

  void on_read(core::Slot slot, std::string_view bytes) override;
  void on_end(core::Slot slot) override;
  void on_secured(core::Slot /*slot*/) override {}
  void on_insecure(core::Slot slot) override;
  void on_drained(core::Slot slot) override { pages_.drained(slot); }
  void on_gone(core::Slot slot) override;

  [[nodiscard]] bool has_room(core::Slot slot, std::size_t bytes) const override {
    return pages_.has_room(slot, bytes);
  }
  [[nodiscard]] bool write(core::Slot slot, Payload payload) override;
  void closed(core::Slot slot, std::string_view words, bool at_once) override;
  [[nodiscard]] std::uint32_t unsent(core::Slot slot) const override { return pages_.unseen(slot); }
  [[nodiscard]] std::size_t payload_bytes(core::Slot slot) const override;
  [[nodiscard]] std::size_t kept_bytes(core::Slot slot) const override;

  bool send(core::Slot connection, std::string_view json) override;
  void close(core::Slot connection, std::uint16_t code, std::string_view reason) override;
  Result<core::Slot> open_session(core::Slot connection) override;
  [[nodiscard]] bool may_say(core::Slot session) override;
  void say(core::Slot session, std::string_view text) override;
  void bye(core::Slot session) override;
  void expired(core::Slot session) override;
  void came_back(core::Slot session, core::Slot connection) override;
  void went_away(core::Slot session) override;

  /// `pong` answers the last ping.
  void hear(core::Slot slot, const http::WebSocketEvent& event, std::string& pong);
  void end(core::Slot slot, std::uint16_t code, std::string_view reason);
  void tick();
  void done();
  void set_timer() { timer_.start_at(pages_.deadline()); }

  io::Loop& loop_;
  core::Router& router_;
  Connections& connections_;
  Callbacks callbacks_;
  Pages pages_;
  std::size_t max_frame_ = 0;
  bool stopping_ = false;
  std::unordered_map<core::Slot, Socket> sockets_;
  std::set<core::Slot> waiting_;  ///< sessions that are charged by themselves
  http::WebSocketEvent event_;
  io::Timer timer_;
};

}  // namespace chatd
