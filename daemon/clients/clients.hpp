/// The clients' side of the daemon: puts doors, entrance, accounts, connections, sessions and
/// crash records together, begins and ends them, and hands them to another process as a whole.
/// Knows no operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/accounts.hpp"
#include "clients/arrivals.hpp"
#include "clients/certificates.hpp"
#include "clients/connections.hpp"
#include "clients/crash_records.hpp"
#include "clients/crash_store.hpp"
#include "clients/doors.hpp"
#include "clients/entrance.hpp"
#include "clients/eviction.hpp"
#include "clients/given_names.hpp"
#include "clients/page_sockets.hpp"
#include "clients/sessions.hpp"
#include "clients/visitor_queue.hpp"
#include "clients/website.hpp"
#include "config/config.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/peer.hpp"
#include "io/timer.hpp"

namespace chatd {

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
  std::uint64_t requests;        ///< over HTTP, which are no sessions
  std::uint64_t recorded;        ///< events that are in the transcript
  std::uint64_t recording_lost;  ///< events that could not be recorded
};

class Clients final : private CrashRecords::Source, private Arrivals::Host {
 public:
  /// The descriptor limit allows `max_sessions`. `transcript` may be null: then nothing is
  /// recorded, and numbers begin anew. `crash_store` may be null: then no session outlives a
  /// crash.
  Clients(io::Loop& loop, const Config& config, std::size_t max_sessions, Journal& journal,
          Transcript* transcript = nullptr, CrashStore* crash_store = nullptr);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Opens all listeners of the configuration, or none; but where sessions go on from an
  /// earlier process, a listener that cannot be opened is tried again from time to time,
  /// which is logged and an event. `passed`: see Doors.
  [[nodiscard]] Result<> listen(std::vector<UniqueFd> passed = {});
  /// Follows a new configuration: limits and settings at once; listeners are added
  /// and removed, sessions stay. If a listener cannot be opened, nothing changes.
  [[nodiscard]] Result<> apply(const Config& config);
  /// No new clients; every session ends, queues are flushed. `done` is called when
  /// the last connection is closed, maybe inside this call.
  void stop(std::function<void()> done);
  /// After stop(): what clients have not taken by now is lost. `done` is called soon.
  void stop_waiting() { connections_.give_up_closing(); }

  [[nodiscard]] const Doors& doors() const { return doors_; }
  [[nodiscard]] const Certificates& certificates() const { return certificates_; }
  [[nodiscard]] Entrance& entrance() { return entrance_; }
  [[nodiscard]] Sessions& sessions() { return sessions_; }
  [[nodiscard]] const Accounts& accounts() const { return accounts_; }
  [[nodiscard]] Eviction& eviction() { return eviction_; }
  [[nodiscard]] Connections& connections() { return connections_; }
  /// What outlives a crash; to be kept at the end of each turn, before the connections are
  /// flushed.
  [[nodiscard]] CrashRecords& crash_records() { return crash_records_; }
  [[nodiscard]] ClientStats stats() const;

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

 private:
  struct SavedClient;
  struct SavedPage;

  [[nodiscard]] const io::Peer& peer(core::Slot slot) const override {
    return connections_.client(slot).peer;
  }
  [[nodiscard]] const std::string& listener(core::Slot slot) const override {
    return connections_.listener(slot);
  }
  [[nodiscard]] const Connections::Way& way(core::Slot slot) const override {
    return connections_.way(slot);
  }
  [[nodiscard]] int share_socket(core::Slot slot) override {
    return connections_.share_socket(slot);
  }
  [[nodiscard]] std::uint64_t refused() const override { return entrance_.refused(); }
  [[nodiscard]] bool outlives_crash(core::Slot slot) override;

  void chats(core::Slot slot, const Listener& by, core::DialectSetting dialect, Time since,
             std::string_view said, bool over) override;
  void pages(core::Slot slot, std::shared_ptr<const Listener> by, std::string_view said) override;
  std::string proxied(core::Slot slot, const Listener& by, const io::Peer& peer) override;
  void was_none(core::Slot slot, const std::string& why) override;
  void answered(core::Slot slot) override;
  void turned_away(core::Slot slot, const std::string& why) override;

  [[nodiscard]] std::string obstacle(core::Slot slot);
  [[nodiscard]] bool may_begin(core::Slot slot);
  void look_at_certificates();
  void set_limits(const Config::Limits& limits);
  void came(Doors::Visitor visitor);
  void let_in(Doors::Visitor& visitor, bool again, bool may_wait);
  void enter(Doors::Visitor& visitor, Accounts::Number account, bool extra);
  void connect(core::Slot slot, const Listener& by, core::DialectSetting dialect, Time since);
  void begin(core::Slot slot, const Listener& by, core::DialectSetting dialect, Time since);
  void closed(core::Slot slot, const Connections::Client& client);
  void restore_client(SavedClient saved, UniqueFd socket);
  void save_pages(ByteWriter& out, Time now);
  void restore_pages(std::vector<SavedPage> pages, PageSockets::Saved said);

  io::Loop& loop_;
  Journal& journal_;
  Transcript* transcript_;
  Doors doors_;
  Certificates certificates_;
  Website website_;
  Accounts accounts_;
  Entrance entrance_;
  VisitorQueue waiting_;
  GivenNames names_;
  Connections connections_;  ///< before the router, which asks it for room
  core::Router router_;
  Arrivals arrivals_;
  PageSockets pages_;
  Eviction eviction_;
  Sessions sessions_;
  CrashRecords crash_records_;
  io::Timer certificates_day_;  ///< once a day they are looked at
  std::function<void()> stopped_;
};

}  // namespace chatd
