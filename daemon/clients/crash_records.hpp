/// Which sessions are in the crash store, and when they are written there: the oldest
/// sessions first, each some time after it connected, and its record again at the end of
/// each turn in which something happened to it. Reads what an earlier process left, too.
/// Without a crash store all of it does nothing.
///
/// Invariant: a session in the router that has a place is watched by the router, so that
/// its record is never older than what its client has got.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "clients/crash_store.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "io/loop.hpp"
#include "io/peer.hpp"
#include "io/timer.hpp"

namespace chatd {

class CrashRecords {
 public:
  using Place = CrashStore::Place;

  /// What is not the router's and is written down as well.
  class Source {
   public:
    virtual ~Source() = default;
    [[nodiscard]] virtual const io::Peer& peer(core::Slot slot) const = 0;
    /// The name of the listener by which a session came.
    [[nodiscard]] virtual const std::string& listener(core::Slot slot) const = 0;
    /// The session's socket, which from now on other processes may share.
    [[nodiscard]] virtual int share_socket(core::Slot slot) = 0;
    [[nodiscard]] virtual std::uint64_t refused() const = 0;
    /// Whether another process can go on with the session from its record and its socket.
    [[nodiscard]] virtual bool outlives_crash(core::Slot slot) = 0;
  };

  /// A visit that is shorter than this costs nothing.
  static constexpr Duration kMinAge{1000};

  /// `store` may be null.
  CrashRecords(io::Loop& loop, core::Router& router, const Journal& journal, Source& source,
               CrashStore* store);
  CrashRecords(const CrashRecords&) = delete;
  CrashRecords& operator=(const CrashRecords&) = delete;

  // The process that may end at any time.

  /// To be called at the end of each turn, before anything is sent: a client that got
  /// something is never ahead of its record.
  void keep();
  /// To be called when a session is new, or there is room for one more: sessions that may be
  /// put into the store are put there, a little later.
  void add_soon();
  /// The connection at `slot` is closed.
  void closed(core::Slot slot);
  /// This process ends as it should: everything is taken out of the store, and nothing is
  /// put there any more.
  void end();
  /// The place of the session at `slot` in the store; 0: it has none.
  [[nodiscard]] Place place(core::Slot slot) const;

  // The process that comes.

  /// Goes on with a session of the router that an earlier process had put to `place`.
  void adopt(core::Slot slot, Place place);
  /// Throws away what is in the store: something newer was left in another way.
  void discard_old();
  /// Writes the records of all sessions that are in the store, when they have just come from
  /// another process.
  void write_all();

  /// What an earlier process counted.
  struct Totals {
    std::uint64_t sessions = 0;
    std::uint64_t refused = 0;
  };
  /// Reads the head of its records into `router` and `out`, as far as it can be understood.
  /// False: it cannot be understood as a whole.
  [[nodiscard]] static bool read_head(std::string_view head, core::Router& router, Totals& out);
  /// The number of the last event before the head was written.
  [[nodiscard]] static Seq last_seq(std::string_view head);

  struct SavedSession {
    io::Peer peer;
    std::string listener;
    std::unique_ptr<core::Session> session;
  };
  /// Reads the record of a session. Nothing: it cannot be understood, or its time lies ahead,
  /// as that of an earlier start of the machine may.
  [[nodiscard]] static std::optional<SavedSession> read(std::string_view record, Time now);

 private:
  void add_oldest();
  bool add(const core::Session& session);
  void set_place(core::Slot slot, Place place);
  void remove(core::Slot slot);
  void write_head();
  std::string_view record_of(core::Slot slot);

  io::Loop& loop_;
  core::Router& router_;
  const Journal& journal_;
  Source& source_;
  CrashStore* store_;
  std::vector<Place> places_;  ///< by slot; 0 for all that are missing
  ByteWriter record_;          ///< memory for one
  Seq written_seq_ = 0;        ///< in the head
  bool is_adding_ = false;     ///< add_ will call
  io::Timer add_;
};

}  // namespace chatd
