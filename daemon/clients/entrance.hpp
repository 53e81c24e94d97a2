/// Who may come in: neither a banned address, nor more sessions than the limits allow.
/// Counts and logs everybody who is refused, ends bans whose time is over, and keeps them in
/// the transcript. Knows no socket and no session.
///
/// Invariant: whoever was admitted, or readmitted, leaves once or is turned away.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/admission.hpp"
#include "clients/bans.hpp"
#include "clients/network.hpp"
#include "clients/peer.hpp"
#include "config/config.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "log/refusals.hpp"
#include "store/ban.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

/// A network was banned or unbanned.
struct BanChange {
  const Network& network;
  const Bans::Ban* ban;  ///< null: it has ended
  std::string_view by;   ///< the operator; empty: its time is over
};

class Entrance {
 public:
  struct Callbacks {
    /// A ban has changed.
    std::function<void(const BanChange&)> on_ban;
    /// Somebody comes for whom there is no place: a session is to end that needs its place less,
    /// of those who come from the same address as `peer` or, if that is null, of all. It leaves
    /// soon. False: there is none.
    std::function<bool(const Peer* peer)> make_room;
  };

  /// Sessions, at most `fits` of which the descriptor limit allows. `transcript` may be
  /// null: then bans end with this.
  Entrance(io::Loop& loop, std::size_t fits, Transcript* transcript, Callbacks callbacks);

  /// Lower limits hold for who comes next.
  void set_limits(const Config::Limits& limits);

  /// Why somebody cannot come in.
  struct Obstacle {
    std::string reason;
    bool may_pass = false;  ///< it may be gone in a moment
  };
  /// Lets `peer` in and returns nothing; or returns why not. Then the caller refuses it, or asks
  /// again.
  [[nodiscard]] std::optional<Obstacle> admit(const Peer& peer);
  /// Counts and logs one who was not admitted.
  void refuse(const std::string& reason) { refusals_.add(reason); }
  /// Counts one who is in already, whatever the limits and bans are.
  void readmit(const Peer& peer) { admission_.readmit(peer); }
  void leave(const Peer& peer) { admission_.leave(peer); }
  /// Refuses one who was admitted, and for whom something else has failed.
  void turn_away(const Peer& peer, const std::string& reason);
  /// How many descriptors of clients are not taken by sessions.
  [[nodiscard]] std::size_t spare_descriptors() const {
    return fits_ - std::min(fits_, admission_.sessions());
  }
  /// How many were refused, by this process and the earlier ones that it goes on from.
  [[nodiscard]] std::uint64_t refused() const { return refusals_.count(); }

  /// Refuses who comes from there, for `length`, or for good if that is zero. Who is in
  /// stays. False: the limit of bans is reached.
  [[nodiscard]] bool ban(const Network& network, Duration length, std::string_view by);
  /// False: exactly that network is not banned.
  [[nodiscard]] bool unban(const Network& network, std::string_view by);
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
  [[nodiscard]] std::string lacks_room(const Peer& peer);
  void end_bans();
  void ended(const Network& network, std::string_view by);

  io::Loop& loop_;
  std::size_t fits_;
  Transcript* transcript_;
  Callbacks callbacks_;
  Admission admission_;
  Bans bans_;
  Refusals refusals_;
  io::Timer ban_end_;
};

}  // namespace chatd
