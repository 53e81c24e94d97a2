/// The connections of clients, and the router that knows their sessions. Here the core's
/// effects become writes, closes and events, in deliver() and nowhere else. Who comes in by
/// which listener, and what outlives a crash, is known to its parts. Knows no operator:
/// whoever wants something done calls a method, and what happens goes to the
/// journal.
///
/// Invariant: a slot has a session in the router exactly as long as this has not closed its
/// stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "clients/bans.hpp"
#include "clients/crash_records.hpp"
#include "clients/crash_store.hpp"
#include "clients/doors.hpp"
#include "clients/entrance.hpp"
#include "clients/heap_trim.hpp"
#include "clients/network.hpp"
#include "clients/peer.hpp"
#include "config/config.hpp"
#include "core/outbox.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"

namespace chatd {

/// A session as an operator sees it in a list.
struct SessionInfo {
  core::SessionId id;
  std::string_view name;  ///< empty if it has none; valid until the next call
  std::string address;
  std::string listener;
  std::string_view dialect;
  std::string_view state;
  WallTime since;
  std::int64_t idle_ms;
  std::uint32_t unread;
  std::uint32_t held;
  std::string_view claimed_by;  ///< empty if nobody has; valid until the next call
};

/// Counters since the start, and gauges.
struct ClientStats {
  std::size_t sessions;
  std::uint64_t accepted;
  std::uint64_t refused;
  std::uint64_t messages_in;
  std::uint64_t messages_out;
  std::uint64_t delivered;
  std::uint64_t held;
  std::uint64_t lost;
  std::size_t queued_bytes;
  std::uint64_t recorded;        ///< events that are in the transcript
  std::uint64_t recording_lost;  ///< events that could not be recorded
};

class Clients : private io::StreamListener, private core::Room, private CrashRecords::Source {
 public:
  /// The descriptor limit allows `max_sessions`. `transcript` may be null: then nothing is
  /// recorded, and numbers begin anew. `crash_store` may be null: then no session outlives a
  /// crash.
  Clients(io::Loop& loop, const Config& config, std::size_t max_sessions, Journal& journal,
          Transcript* transcript = nullptr, CrashStore* crash_store = nullptr);
  ~Clients() override;
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Listeners; see Doors.
  /// Opens all listeners of the configuration, or none; but where sessions go on from an
  /// earlier process, a listener that cannot be opened is tried again from time to time,
  /// which is logged and an event.
  [[nodiscard]] Result<> listen(std::vector<UniqueFd> passed = {});
  /// The descriptors of the sockets that the service manager has passed.
  [[nodiscard]] std::vector<int> passed() const { return doors_.passed(); }
  [[nodiscard]] std::vector<std::string> addresses() const { return doors_.addresses(); }

  /// Follows a new configuration: limits and settings at once; listeners are added
  /// and removed, sessions stay. If a listener cannot be opened, nothing changes.
  [[nodiscard]] Result<> apply(const Config& config);

  // What operators want; see core::Router.
  struct Sent {
    core::Receipt receipt;
    /// Who has been filled beyond output_soft by it, although everything was sent that
    /// could be: whoever feeds them should pause.
    std::vector<core::Slot> congested;
  };
  Sent send(const core::Recipients& to, std::string_view text, std::string_view by);
  [[nodiscard]] core::Outcome bye(core::SessionId id, std::string_view by);
  /// Whether bye was said to it, and it stays until its client has taken that.
  [[nodiscard]] bool is_parting(core::SessionId id) const;
  [[nodiscard]] core::Outcome kick(core::SessionId id, std::string_view reason,
                                   std::string_view by);
  [[nodiscard]] core::Outcome name(core::SessionId id, std::string_view name, std::string_view by);
  [[nodiscard]] core::Outcome claim(core::SessionId id, core::Claim claim, bool force);
  [[nodiscard]] core::Outcome release(core::SessionId id, std::string_view by);
  void release_if(const std::function<bool(std::string_view holder)>& gone);
  [[nodiscard]] bool claims_while_there(std::string_view operator_name) const {
    return router_.claims_while_there(operator_name);
  }
  /// Who has claimed a session; empty if nobody has, or there is no such session.
  [[nodiscard]] std::string_view claimed_by(core::SessionId id) const;

  // Bans; see Entrance.
  [[nodiscard]] bool ban(const Network& network, Duration length, std::string_view by) {
    return entrance_.ban(network, length, by);
  }
  [[nodiscard]] bool unban(const Network& network, std::string_view by) {
    return entrance_.unban(network, by);
  }
  [[nodiscard]] const Bans& bans() const { return entrance_.bans(); }
  [[nodiscard]] bool keeps_bans() const { return entrance_.keeps_bans(); }
  /// Who is connected from there.
  [[nodiscard]] std::vector<core::SessionId> sessions_in(const Network& network) const;

  /// Adds an `operator` event: "attached", "detached", "away" or "back"; `text` is what one
  /// who is away says.
  void operator_changed(std::string_view name, std::string_view state, std::string_view text = {});
  /// Whether all operators are away, and what is said for them then.
  void set_away(std::optional<core::Away> away);
  /// What was said in the process before this one, and since then nothing else.
  [[nodiscard]] const std::optional<core::Away>& away_before() const {
    return router_.away_before();
  }
  /// Adds a `warning` event: something that every operator should know.
  void warn(std::string_view text);

  [[nodiscard]] std::vector<SessionInfo> sessions();
  [[nodiscard]] ClientStats stats() const;
  /// Messages of clients since the start.
  [[nodiscard]] std::uint64_t messages_in() const { return router_.counters().messages_in; }

  /// Called when a slot that was congested has room again, or has gone.
  void on_relieved(std::function<void(core::Slot)> callback) { relieved_ = std::move(callback); }
  /// Bytes that a slot's client has taken.
  [[nodiscard]] std::uint64_t sent_bytes(core::Slot slot) const;

  /// What outlives a crash; to be kept at the end of each turn, before flush().
  [[nodiscard]] CrashRecords& crash_records() { return crash_records_; }
  /// Sends what can be sent; to be called at the end of each turn.
  void flush() { streams_.flush(); }

  // Another process in place of this one: clients_saved.cpp.
  /// Writes down listeners, connections and sessions for the next process, and appends
  /// their descriptors to `descriptors`, by whose places they are known there. They stay
  /// ours. What can be sent is sent before.
  void save(ByteWriter& out, std::vector<int>& descriptors);
  /// Goes on with what an earlier process wrote down: all of it or, if the reader
  /// refuses it or a place of `descriptors` is not right, nothing. Descriptors that are
  /// used are taken from their places. To be called before listen(), which takes the
  /// listeners that are still wanted.
  [[nodiscard]] bool restore(ByteReader& in, std::vector<UniqueFd>& descriptors);
  /// Goes on with the crash records of a process that ended without warning. `connections`
  /// are those that came with them; one without a record that can be used is dismissed.
  void restore_after_crash(const CrashStore::Records& records,
                           std::vector<service::KeptSession> connections);
  /// Ends connections whose sessions could not be restored, as gently as others.
  void dismiss(std::vector<UniqueFd> connections);

  /// No new clients; every session ends, queues are flushed. `done` is called when
  /// the last connection is closed, maybe inside this call.
  void stop(std::function<void()> done);

 private:
  struct Client {
    Peer peer;
    Doors::Index listener = 0;
    bool gone = false;  ///< nothing can be written any more; what was unsent is counted
  };
  struct SavedClient;

  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_drained(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  bool has_room(core::Slot slot, std::size_t bytes) override;
  [[nodiscard]] std::uint32_t unsent(core::Slot slot) const override;

  [[nodiscard]] const Peer& peer(core::Slot slot) const override { return clients_[slot].peer; }
  [[nodiscard]] const std::string& listener(core::Slot slot) const override;
  [[nodiscard]] int share_socket(core::Slot slot) override { return streams_.share(slot); }
  [[nodiscard]] std::uint64_t refused() const override { return entrance_.refused(); }

  void came(Doors::Visitor visitor);
  Client& client_at(io::StreamId id);
  void set_limits(const Config& config);
  void ban_changed(const BanChange& change);
  void restore_client(SavedClient saved, UniqueFd socket);
  std::vector<core::Slot> deliver();
  void abort(core::Slot slot);
  [[nodiscard]] std::size_t retained_bytes() const;
  void release_memory();
  void write_down_events();
  void tick();

  io::Loop& loop_;
  Journal& journal_;
  Transcript* transcript_;
  core::Router router_;
  core::Outbox outbox_;
  Entrance entrance_;
  std::vector<Client> clients_;  ///< by slot
  std::function<void(core::Slot)> relieved_;
  std::function<void()> stopped_;
  CrashRecords crash_records_;
  io::StreamSet streams_;
  io::Timer timer_;
  HeapTrim trim_;
  Dates dates_;
  Doors doors_;
};

}  // namespace chatd
