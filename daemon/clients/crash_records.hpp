/// Which sessions are in the crash store, and when they are written there: the oldest
/// sessions first, each some time after it connected, and its record again at the end of
/// each turn in which something happened to it. The session of a page has a log as well, and no
/// socket: what the page has to be told is more than a record holds. Reads what an earlier process
/// left, too. Without a crash store all of it does nothing.
///
/// Invariant: a session in the router that has a place is watched by the router and, if it is of a
/// page, by the pages, so that its record and its log are never older than what its client has got.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "clients/connections.hpp"
#include "clients/crash_store.hpp"
#include "clients/pages.hpp"
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
    [[nodiscard]] virtual const Connections::Way& way(core::Slot slot) const = 0;
    /// The session's socket, which from now on other processes may share. Not asked of a page's.
    [[nodiscard]] virtual int share_socket(core::Slot slot) = 0;
    [[nodiscard]] virtual std::uint64_t refused() const = 0;
    /// Whether another process can go on with the session from what is kept of it.
    [[nodiscard]] virtual bool outlives_crash(core::Slot slot) = 0;
  };

  /// A visit that is shorter than this costs nothing.
  static constexpr Duration kMinAge{1000};

  /// Of a log that begins, the most bytes: there is to be room for what is added.
  static constexpr std::size_t kMostToBegin = CrashStore::kMostToBegin / 4 * 3;

  /// `pages` is null where no session is a page's. `store` may be null.
  CrashRecords(io::Loop& loop, core::Router& router, const Journal& journal, Source& source,
               Pages* pages, CrashStore* store);
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
  /// The bytes of its log; 0 if it has none.
  [[nodiscard]] std::size_t log_size(core::Slot slot) const;

  // The process that comes.

  /// Goes on with a session of the router that an earlier process had put to `place`; if it is a
  /// page's, Pages know it.
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
    Connections::Way way;
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
  [[nodiscard]] bool is_page(core::Slot slot) const;
  void keep_pages();
  void begin_log(core::Slot slot);
  void add_to_log(core::Slot slot);

  struct Log {
    Page::Mark mark;
    std::size_t begun = 0;  ///< the bytes with which it began
  };

  io::Loop& loop_;
  core::Router& router_;
  const Journal& journal_;
  Source& source_;
  Pages* pages_;
  CrashStore* store_;
  std::vector<Place> places_;  ///< by slot; 0 for all that are missing
  std::map<Place, Log> logs_;  ///< of pages
  ByteWriter record_;          ///< memory for one
  Seq written_seq_ = 0;        ///< in the head
  bool is_adding_ = false;     ///< add_ will call
  io::Timer add_;
};

}  // namespace chatd
