/// Who may come in: neither a banned address, nor more than the limits allow, in all and of one
/// origin. Counts and logs everybody who is refused, ends bans whose time is over, and keeps them
/// in the transcript. Knows no socket and no session.
///
/// Invariant: whoever was admitted, or readmitted, leaves once or is turned away; away likewise.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/accounts.hpp"
#include "clients/bans.hpp"
#include "config/config.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/network.hpp"
#include "io/peer.hpp"
#include "io/timer.hpp"
#include "log/refusals.hpp"
#include "store/ban.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

/// A network was banned or unbanned.
struct BanChange {
  const io::Network& network;
  const Bans::Ban* ban;  ///< null: it has ended
  std::string_view by;   ///< the operator; empty: its time is over
};

class Entrance {
 public:
  struct Callbacks {
    /// A ban has changed.
    std::function<void(const BanChange&)> on_ban;
    /// Somebody of `newcomer` comes for whom there is no place: a session is to end that needs
    /// its place less. With `full`, only one of that account makes room. It leaves soon. False:
    /// there is none.
    std::function<bool(Accounts::Number newcomer, Accounts::Number full)> make_room;
  };

  /// Sessions, at most `fits` of which the descriptor limit allows. `transcript` may be
  /// null: then bans end with this.
  Entrance(io::Loop& loop, std::size_t fits, Transcript* transcript, Accounts& accounts,
           Callbacks callbacks);

  /// Lower limits hold for who comes next.
  void set_limits(const Config::Limits& limits);

  /// What is said to somebody who comes.
  struct Answer {
    Accounts::Number account = Accounts::kNone;  ///< to whom it is charged
    std::string obstacle;                        ///< empty: it is let in
    bool may_pass = false;                       ///< the obstacle may be gone in a moment
    bool extra = false;                          ///< let in where there is no place for a client
  };
  using Coming = Accounts::Coming;
  /// Lets `peer` in, or says why not. Then the caller refuses it, or asks `again`.
  [[nodiscard]] Answer admit(const io::Peer& peer, Coming coming = Coming::kClient,
                             bool again = false);
  /// Why one who was let in as an extra may not have a session; empty: it may.
  [[nodiscard]] std::string lacks_session(Accounts::Number account) {
    return lacks_room(account, Coming::kInside);
  }
  /// Why `peer` may not become a session although it was let in before; empty: it may.
  [[nodiscard]] std::string banned(const io::Peer& peer) const;
  /// Counts and logs one who was not admitted.
  void refuse(const Answer& answer);
  /// Counts one who is in already, whatever the limits and bans are.
  Accounts::Number readmit(const io::Peer& peer);
  void leave(Accounts::Number account) { accounts_.leave(account); }
  /// Counts a session that goes on while its page is away, whatever the limits are.
  Accounts::Number enter_away(const io::Peer& peer);
  void leave_away(Accounts::Number account) { accounts_.leave_away(account); }
  /// Refuses one who was admitted, and for whom something else has failed.
  void turn_away(Accounts::Number account, const std::string& reason);
  /// Counts and logs one who was admitted, and turned out to be somebody who is refused. It leaves
  /// when its connection is closed.
  void count_refused(Accounts::Number account, const std::string& reason);
  /// The connect of one who was admitted was a request, which is answered.
  void answered(Accounts::Number account) { accounts_.answered(account); }
  /// How many descriptors of clients are not taken by sessions.
  [[nodiscard]] std::size_t spare_descriptors() const {
    return fits_ - std::min(fits_, accounts_.sessions() - accounts_.away());
  }
  /// How many were refused, by this process and the earlier ones that it goes on from.
  [[nodiscard]] std::uint64_t refused() const { return refusals_.count(); }

  /// Refuses who comes from there, for `length`, or for good if that is zero. Who is in, as a
  /// session, stays. False: the limit of bans is reached.
  [[nodiscard]] bool ban(const io::Network& network, Duration length, std::string_view by);
  /// False: exactly that network is not banned.
  [[nodiscard]] bool unban(const io::Network& network, std::string_view by);
  [[nodiscard]] const Bans& bans() const { return bans_; }
  /// Whether bans outlive the daemon.
  [[nodiscard]] bool keeps_bans() const { return transcript_ != nullptr; }

  /// What one process leaves to the next.
  struct Saved {
    std::vector<store::Ban> bans;
    std::uint64_t refused = 0;
  };
  void save(ByteWriter& out) const;
  [[nodiscard]] static Saved read(ByteReader& in);
  void restore(const Saved& saved);
  /// An earlier process has refused, and logged, that many.
  void add_refused(std::uint64_t count) { refusals_.go_on_from(count); }

 private:
  [[nodiscard]] std::string lacks_room(Accounts::Number account, Coming coming);
  [[nodiscard]] bool is_full(Coming coming) const;
  void end_bans();
  void ended(const io::Network& network, std::string_view by);

  io::Loop& loop_;
  std::size_t fits_;
  Transcript* transcript_;
  Accounts& accounts_;
  Callbacks callbacks_;
  std::size_t max_sessions_ = 0;
  Bans bans_;
  Refusals refusals_;
  io::Timer ban_end_;
};

}  // namespace chatd
